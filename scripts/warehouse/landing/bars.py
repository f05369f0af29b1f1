"""Land bars: from files or frames through a scratch table into raw_market.bars, all or nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import psycopg

from warehouse.errors import WarehouseError
from warehouse.landing import quarantine, statements
from warehouse.landing.batches import (
    BatchResult,
    Progress,
    new_batch,
    session,
    store_batch,
    writing,
)
from warehouse.landing.calendars import calendar
from warehouse.landing.judge import judge_sql
from warehouse.landing.profile import Profile
from warehouse.landing.readers import FrameSource, Source, open_source
from warehouse.landing.rows import RowReader
from warehouse.landing.sessions import ensure_sessions


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
    source: Source, profile: Profile, *, progress: Progress | None = None
) -> BatchResult:
    """Land one source: read it to a scratch table, judge it there, write in one transaction."""
    began = time.monotonic()
    rows = RowReader(source, profile, calendar(profile.calendar))
    with session(source.name) as conn:
        statements.create_scratch(conn)
        with conn.cursor().copy(statements.COPY) as copy:
            for text in rows.text():
                copy.write(text)
                if progress:
                    progress(source.name, rows.tally.position, source.size)
        with writing(conn):
            result = _write(conn, rows, began)
            source.check_unchanged()
    return result


def _write(conn: psycopg.Connection, rows: RowReader, began: float) -> BatchResult:
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
    }
    statements.resolve(conn, facts)
    conn.execute(judge_sql(), facts)
    statements.new_instruments(conn, facts)
    statements.find_repeated(conn, facts, in_order=tally.in_order)
    statements.find_known(conn, facts)
    accepted = statements.insert(conn, facts, in_order=tally.in_order)
    landed, known, rejected = statements.count(conn)
    quarantined = quarantine.write(conn, source, facts)
    if landed != tally.rows or quarantined != rejected:
        raise WarehouseError(
            f"{tally.rows} rows were read, {landed} arrived; {rejected} were rejected, "
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
        landed=landed,
        accepted=accepted,
        known=known,
        quarantined=quarantined,
        seconds=round(time.monotonic() - began, 3),
        rules=statements.rule_counts(conn),
    )
    store_batch(conn, result, source.size, profile.model_dump(mode="json"))
    return result
