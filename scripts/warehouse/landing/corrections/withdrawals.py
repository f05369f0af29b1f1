"""Withdraw bars that never happened: a revision of each that takes it back, none is deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
import pyarrow as pa
from psycopg.rows import class_row

from warehouse.errors import WarehouseError
from warehouse.landing import quarantine
from warehouse.landing.bars import statements
from warehouse.landing.bars.moments import Moment, bounds_of
from warehouse.landing.bars.rows import RowReader
from warehouse.landing.batches import (
    BatchResult,
    new_batch,
    session,
    store_batch,
    store_replay,
    writing,
)
from warehouse.landing.calendars import calendar as calendar_named
from warehouse.landing.corrections import doomed
from warehouse.landing.instruments import calendar_of
from warehouse.landing.profile import Profile, normal_timeframe
from warehouse.landing.readers import Chunk, Source, open_source
from warehouse.landing.reference.tables import OTHER_REASONS

DATASET = "withdrawals"


@dataclass(frozen=True)
class SeriesCount:
    """How many bars of one series a withdrawal takes back."""

    symbol: str
    instrument_id: int
    timeframe: str
    source: str
    bars: int
    first_ts: datetime
    last_ts: datetime


@dataclass
class Withdrawal(BatchResult):
    """What a withdrawal did, or, as a dry run, would do."""

    series: list[SeriesCount] = field(default_factory=list)
    is_dry_run: bool = False


class _KeysOnly:
    """A file of bars of which nothing but the keys is asked for."""

    def __init__(self, source: Source, profile: Profile) -> None:
        self.source = source
        self.name = source.name
        self.size = source.size
        self._numbers = list(profile.columns.numbers.values())
        self.columns = list(dict.fromkeys([*source.columns, *self._numbers]))

    def chunks(self, columns: list[str] | None = None) -> Iterator[Chunk]:
        if columns is None:
            yield from self.source.chunks()
            return
        asked = [name for name in columns if name not in self._numbers]
        for chunk in self.source.chunks(asked):
            for name in self._numbers:
                chunk.table = chunk.table.append_column(
                    name, pa.nulls(chunk.table.num_rows, pa.string())
                )
            yield chunk

    def check_unchanged(self) -> None:
        self.source.check_unchanged()


def withdraw_bars(
    *,
    source: str,
    symbol: str,
    start: Moment,
    end: Moment | None = None,
    timeframe: str = "1d",
    calendar: str | None = None,
    reason: str = "",
    dry_run: bool = False,
) -> Withdrawal:
    """Withdraw the bars of a source from `start` to `end`, both included.

    A date means the bars of that session; an instant (with its offset) the start of a bar. Without
    `end`: that bar, or that session, alone. Raises WarehouseError when there is no such bar.
    """
    began = time.monotonic()
    try:
        timeframe = normal_timeframe(timeframe)
    except ValueError as error:
        raise WarehouseError(f"The bars cannot be named: {error}.") from None
    is_daily = timeframe.endswith("d")
    facts = {
        "source": source,
        "symbol": symbol,
        "timeframe": timeframe,
        **bounds_of(start, start if end is None else end, is_daily=is_daily),
    }
    told = {**facts, "reason": reason}
    where = f"{symbol} {timeframe} of {source}"
    with session(where) as conn:
        conn.execute(doomed.TABLE)
        with writing(conn):
            facts["calendar"] = told["calendar"] = calendar_of(conn, symbol, calendar)
            landed = conn.execute(doomed.IN_RANGE, facts).rowcount
            if not landed:
                raise _no_bars(conn, facts, where)
            batch_id = new_batch(conn)
            result = _withdraw(conn, facts | {"batch_id": batch_id, "file": "warehouse withdraw"})
            result.landed, result.known = landed, landed - result.accepted
            result.seconds = round(time.monotonic() - began, 3)
            stored = {key: value if value is None else str(value) for key, value in told.items()}
            store_batch(conn, result, None, {**stored})
            if dry_run:
                result.is_dry_run = True
                raise psycopg.Rollback
    return result


def withdraw_files(
    paths: list[Path], *, profile: Profile, reason: str = "", dry_run: bool = False
) -> list[Withdrawal]:
    """Withdraw the bars whose keys are in files, described by the profile they landed with.

    Each file is a transaction of its own. Rows that name no landed bar go to quarantine. Raises
    WarehouseError when a file cannot be read; nothing of it is withdrawn then.
    """
    sources = [open_source(Path(path), profile) for path in paths]
    for source in sources:
        RowReader(_KeysOnly(source, profile), profile, calendar_named(profile.calendar))
    return [withdraw_source(source, profile, reason=reason, dry_run=dry_run) for source in sources]


def withdraw_source(
    source: Source,
    profile: Profile,
    *,
    reason: str = "",
    dry_run: bool = False,
    is_replay: bool = False,
) -> Withdrawal:
    """Withdraw the bars that one source of rows names; see `warehouse.landing.bars.land_source`."""
    began = time.monotonic()
    rows = RowReader(_KeysOnly(source, profile), profile, calendar_named(profile.calendar))
    with session(source.name) as conn:
        statements.fill(conn, rows)
        conn.execute(doomed.TABLE)
        with writing(conn):
            tally = rows.tally
            facts: dict[str, object] = {
                **statements.facts(profile),
                "batch_id": new_batch(conn),
                "dataset": DATASET,
                "file": source.name,
                "first_ts": tally.first_ts,
                "last_ts": tally.last_ts,
            }
            landing = statements.Landing(conn, facts)
            conn.execute(statements.ANALYZE_SCRATCH)
            landing.symbols.learn(tally.symbols)
            conn.execute(statements.ANALYZE_RESOLVED)
            landing.judge(doomed.PARSED)
            conn.execute(doomed.IN_FILE, facts)
            landing.judge(doomed.UNKNOWN)
            result = _withdraw(conn, facts)
            _, rejected = landing.count()
            if not is_replay:
                quarantine.write(conn, source, facts, OTHER_REASONS)
            result.landed, result.quarantined = tally.rows, rejected
            result.known = tally.rows - rejected - result.accepted
            result.rules = dict(conn.execute(doomed.RULES).fetchall())
            result.seconds = round(time.monotonic() - began, 3)
            stored = {**profile.model_dump(mode="json"), "reason": reason}
            if is_replay:
                store_replay(conn, result, stored, landing.good_lines())
            else:
                store_batch(conn, result, source.size, stored)
            source.check_unchanged()
            if dry_run:
                result.is_dry_run = True
                raise psycopg.Rollback
    return result


def _withdraw(conn: psycopg.Connection, facts: dict[str, object]) -> Withdrawal:
    """Append the revisions that take back what is in `doomed`, in one statement."""
    accepted = conn.execute(doomed.WITHDRAW, facts).rowcount
    with conn.cursor(row_factory=class_row(SeriesCount)) as cursor:
        series = cursor.execute(doomed.SERIES, facts).fetchall() if accepted else []
    return Withdrawal(
        batch_id=int(str(facts["batch_id"])),
        dataset=DATASET,
        file=str(facts["file"]),
        source=str(facts["source"]),
        timeframe=str(facts["timeframe"]),
        landed=0,
        accepted=accepted,
        known=0,
        quarantined=0,
        seconds=0.0,
        series=series,
    )


def _no_bars(conn: psycopg.Connection, facts: dict[str, object], where: str) -> WarehouseError:
    sources = [row[0] for row in conn.execute(doomed.SOURCES, facts)]
    first = facts["first_day"] or facts["first_ts"]
    last = facts["last_day"] or facts["last_ts"]
    return WarehouseError(
        f"There is no bar from {first} to {last}: nothing is withdrawn.",
        where=f"{where}; sources with bars of it: {', '.join(sources) or 'none'}",
        do="name a source, a timeframe and a range that have bars",
    )
