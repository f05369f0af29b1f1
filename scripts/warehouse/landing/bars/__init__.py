"""Land bars: from files or frames into raw_market.bars, all or nothing."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psycopg

from warehouse.errors import WarehouseError
from warehouse.landing import quarantine
from warehouse.landing.bars import direct, scratch, statements
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
from warehouse.landing.direct import COALESCE, Contradiction
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
    """Land one source in one transaction: plain new rows directly, the rest by way of scratch.

    The lines of a replay are ids of quarantined rows: those still bad are left where they are.
    """
    began = time.monotonic()
    with session(source.name) as conn:
        conn.execute(scratch.SCRATCH)
        for is_direct in (False,) if is_replay else (True, False):
            rows = RowReader(source, profile, calendar(profile.calendar))
            with suppress(Contradiction), writing(conn):
                result = _write(
                    conn, rows, began, progress, is_direct=is_direct, is_replay=is_replay
                )
                source.check_unchanged()
                break
        if result.accepted >= ANALYZE_FROM:
            conn.execute(statements.ANALYZE_BARS)
    return result


def _write(
    conn: psycopg.Connection,
    rows: RowReader,
    began: float,
    progress: Progress | None,
    *,
    is_direct: bool,
    is_replay: bool,
) -> BatchResult:
    """Write what can be written directly, judge the rest in the scratch table and write that.

    Raises Contradiction when a row has other values than one that was written directly.
    """
    profile, source, tally = rows.profile, rows.source, rows.tally
    batch_id = new_batch(conn)
    facts = {
        **statements.facts(profile),
        "batch_id": batch_id,
        "dataset": "bars",
        "file": source.name,
    }
    landing = statements.Landing(conn, facts)
    directly = direct.fill(landing, rows, progress, is_direct=is_direct)
    accepted = directly
    if tally.arrived > directly:
        accepted += _write_scratch(landing, rows)
    if directly:
        conn.execute(COALESCE, ["raw_market.bars"])
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


def _write_scratch(landing: statements.Landing, rows: RowReader) -> int:
    """Judge the scratch table and write what is new; return how many rows were accepted."""
    profile, tally = rows.profile, rows.tally
    if tally.first is not None and tally.last is not None:
        ensure_sessions(landing.conn, profile.calendar, tally.first.date(), tally.last.date())
    landing.facts |= {"first_ts": tally.first_ts, "last_ts": tally.last_ts}
    landing.conn.execute(statements.ANALYZE_SCRATCH)
    landing.symbols.learn(tally.symbols)
    landing.judge(judge_sql(is_exact=tally.is_exact))
    landing.symbols.make(tally.symbols, is_aside=landing.is_aside)
    landing.conn.execute(statements.ANALYZE_RESOLVED)
    landing.find_repeated(in_order=tally.in_order)
    landing.find_known(tally.rows)
    if landing.contradicts_itself():
        raise Contradiction
    return landing.insert(in_order=tally.in_order)
