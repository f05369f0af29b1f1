"""Land bars: from files or frames through a scratch table into raw_market.bars, all or nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import psycopg

from warehouse.errors import WarehouseError
from warehouse.landing import quarantine
from warehouse.landing.bars import statements
from warehouse.landing.bars.judge import judge_sql
from warehouse.landing.bars.rows import RowReader
from warehouse.landing.batches import (
    BatchResult,
    Progress,
    new_batch,
    session,
    store_batch,
    store_replay,
    writing,
)
from warehouse.landing.calendars import calendar
from warehouse.landing.profile import Profile
from warehouse.landing.readers import FrameSource, Source, open_source
from warehouse.landing.sessions import ensure_sessions

ANALYZE_FROM = 50_000
"""After so many new rows the planner should look again, before autovacuum comes by."""


def land_bars(
    paths: list[Path],
    *,
    profile: Profile,
    timeframe: str | None = None,
    progress: Progress | None = None,
) -> list[BatchResult]:
    """Land files of bars, each in a transaction of its own.

    Every file is opened and its header checked before the first one lands. Raises WarehouseError
    when a file cannot be landed; nothing of that file is landed then.
    """
    profile = profile.with_timeframe(timeframe)
    sources = [open_source(Path(path), profile) for path in paths]
    for source in sources:
        RowReader(source, profile, calendar(profile.calendar))
    return [land_source(source, profile, progress=progress) for source in sources]


def land_frame(frame: pd.DataFrame, *, profile: Profile, name: str = "frame") -> BatchResult:
    """Land a DataFrame whose columns are named as the profile says."""
    return land_source(FrameSource(frame, name), profile)


def land_source(
    source: Source,
    profile: Profile,
    *,
    progress: Progress | None = None,
    is_replay: bool = False,
) -> BatchResult:
    """Land one source: read it to a scratch table, judge it there, write in one transaction.

    The lines of a replay are ids of quarantined rows: those still bad are left where they are.
    """
    began = time.monotonic()
    rows = RowReader(source, profile, calendar(profile.calendar))
    with session(source.name) as conn:
        statements.fill(conn, rows, progress)
        with writing(conn):
            result = _write(conn, rows, began, is_replay=is_replay)
            source.check_unchanged()
        if result.accepted >= ANALYZE_FROM:
            conn.execute(statements.ANALYZE_BARS)
    return result


def _write(
    conn: psycopg.Connection, rows: RowReader, began: float, *, is_replay: bool
) -> BatchResult:
    """Judge the scratch table and write what it says; nothing before this touched a table."""
    profile, source, tally = rows.profile, rows.source, rows.tally
    if tally.first is not None and tally.last is not None:
        ensure_sessions(conn, profile.calendar, tally.first.date(), tally.last.date())
    batch_id = new_batch(conn)
    facts = {
        **statements.facts(profile),
        "batch_id": batch_id,
        "dataset": "bars",
        "file": source.name,
        "first_ts": tally.first_ts,
        "last_ts": tally.last_ts,
    }
    landing = statements.Landing(conn, facts, tally.symbols)
    landing.judge(judge_sql(is_exact=tally.is_exact))
    landing.make_instruments()
    landing.find_repeated(in_order=tally.in_order)
    landing.find_known(tally.rows)
    accepted = landing.insert(in_order=tally.in_order)
    known, rejected = landing.count()
    quarantined = rejected if is_replay else quarantine.write(conn, source, facts)
    if tally.arrived != tally.rows or quarantined != rejected:
        raise WarehouseError(
            f"{tally.rows} rows were read, {tally.arrived} arrived; {rejected} were rejected, "
            f"{quarantined} of them found again. Nothing landed.",
            where=source.name,
            do="land the file again when nobody writes it any more",
        )
    result = BatchResult(
        batch_id=batch_id,
        dataset="bars",
        file=source.name,
        source=profile.source,
        timeframe=profile.timeframe,
        landed=tally.arrived,
        accepted=accepted,
        known=known,
        quarantined=quarantined,
        seconds=round(time.monotonic() - began, 3),
        rules=landing.rule_counts(),
    )
    stored = profile.model_dump(mode="json")
    if is_replay:
        store_replay(conn, result, stored, landing.good_lines())
    else:
        store_batch(conn, result, source.size, stored)
    return result
