"""Withdraw splits and dividends that were announced and never happened."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import psycopg

from warehouse.errors import WarehouseError
from warehouse.landing.bars.moments import moment
from warehouse.landing.batches import BatchResult, new_batch, session, store_batch, writing
from warehouse.landing.corrections.withdrawals import DATASET
from warehouse.landing.instruments import calendar_of
from warehouse.landing.readers import open_source
from warehouse.landing.reference import land_rows, restatable, table_profile
from warehouse.landing.reference.tables import Row, headers


def withdraw_action(
    *,
    source: str,
    symbol: str,
    action_type: str,
    ex_date: str | date,
    calendar: str | None = None,
    reason: str = "",
    dry_run: bool = False,
) -> BatchResult:
    """Withdraw a split or cash dividend that a source announced and that never happened.

    Raises WarehouseError when the source has not landed it.
    """
    began = time.monotonic()
    kinds = {"split": "split", "cash_dividend": "cash_dividend", "dividend": "cash_dividend"}
    if action_type not in kinds:
        raise WarehouseError(
            f"{action_type!r} is no kind of corporate action.", do="use split or cash_dividend"
        )
    day = moment(ex_date, is_daily=True)
    where = f"{action_type} of {symbol} on {day}, from {source}"
    with session(where) as conn, writing(conn):
        where_known = calendar_of(conn, symbol, calendar)
        profile = table_profile(
            {"table": "corporate_actions", "source": source, "calendar": where_known},
            where="--source",
        )
        values: dict[str, object] = {
            "symbol": symbol,
            "calendar": where_known,
            "action_type": kinds[action_type],
            "ex_date": day,
        }
        row = Row(0, {}, values)
        batch_id = new_batch(conn)
        accepted, known = restatable.withdraw_actions(conn, [row], profile, batch_id)
        if row.rules:
            raise WarehouseError(
                "No such action has landed: nothing is withdrawn.",
                where=where,
                do="see what has: select * from ref.corporate_actions",
            )
        result = BatchResult(
            batch_id=batch_id,
            dataset=DATASET,
            file="warehouse withdraw",
            source=source,
            timeframe=None,
            landed=1,
            accepted=accepted,
            known=known,
            quarantined=0,
            seconds=round(time.monotonic() - began, 3),
        )
        told = {**{key: str(value) for key, value in values.items()}, "reason": reason}
        store_batch(conn, result, None, {**told, "table": "corporate_actions"})
        if dry_run:
            raise psycopg.Rollback
    return result


def withdraw_action_files(
    paths: list[Path],
    *,
    source: str,
    calendar: str | None = None,
    reason: str = "",
    dry_run: bool = False,
) -> list[BatchResult]:
    """Withdraw the corporate actions whose keys are in files of the columns they landed with."""
    keys = {"table": "corporate_actions", "source": source}
    keys |= {"calendar": calendar} if calendar else {}
    profile = table_profile(keys, where="--calendar")
    sources = [open_source(Path(path), profile) for path in paths]
    for each in sources:
        headers(each, profile)
    return [land_rows(each, profile, withdrawal=reason, dry_run=dry_run) for each in sources]
