"""Land any landing table: files, frames or rows, judged by what the database says of the table."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from warehouse.landing.batches import (
    BatchResult,
    Progress,
    session,
    writing,
)
from warehouse.landing.delimited import DelimitedSource
from warehouse.landing.direct import Contradiction
from warehouse.landing.readers import FrameSource, Source, open_source
from warehouse.landing.records.as_text import Row, RowsSource, TextSource
from warehouse.landing.records.direct import is_possible
from warehouse.landing.records.landables import find
from warehouse.landing.records.landing import RecordLanding
from warehouse.landing.records.profile import RecordProfile, record_profile
from warehouse.landing.records.rows import RecordReader

ANALYZE_FROM = 50_000


def land_files(
    paths: Iterable[Path], *, profile: RecordProfile, progress: Progress | None = None
) -> list[BatchResult]:
    """Land files of one table, each in a transaction of its own.

    Every file is opened and its header checked before the first one lands. Raises WarehouseError
    when a file cannot be landed; nothing of that file is landed then.
    """
    with session(profile.table) as conn:
        table = find(conn, profile.table)
    sources = [open_source(Path(path), profile) for path in paths]
    for source in sources:
        RecordReader(TextSource(source), profile, table)
    return [land_source(source, profile, progress=progress) for source in sources]


def land_records(
    table: str,
    rows: Sequence[Row] | pd.DataFrame,
    *,
    source: str,
    profile: RecordProfile | None = None,
    name: str = "rows",
) -> BatchResult:
    """Land rows of a program: mappings of column to value, or a DataFrame.

    Values are Python's or numpy's own; None is NULL. Raises WarehouseError when they cannot land.
    """
    if profile is None:
        profile = record_profile({"table": table, "source": source}, where="land_records")
    if isinstance(rows, pd.DataFrame):
        return land_source(FrameSource(rows, name), profile)
    return land_source(RowsSource(rows, name), profile)


def land_source(
    source: Source,
    profile: RecordProfile,
    *,
    progress: Progress | None = None,
    is_replay: bool = False,
) -> BatchResult:
    """Land one source in one transaction: directly where its table allows it, else by scratch.

    The lines of a replay are ids of quarantined rows: those still bad are left where they are.
    """
    began = time.monotonic()
    if not isinstance(source, DelimitedSource) and "null_values" not in profile.model_fields_set:
        # Typed sources have a NULL of their own.
        profile = profile.model_copy(update={"null_values": []})
    with session(source.name) as conn:
        table = find(conn, profile.table)
        for may_be_direct in (False,) if is_replay else (True, False):
            landing = RecordLanding(conn, RecordReader(TextSource(source), profile, table))
            is_direct = may_be_direct and is_possible(conn, landing.shape, landing.reader)
            if not is_direct:
                landing.fill(progress)
            with suppress(Contradiction), writing(conn):
                if is_direct:
                    landing.fill(progress, is_direct=True)
                result = landing.land(began, is_replay=is_replay)
                source.check_unchanged()
                break
        if result.accepted >= ANALYZE_FROM:
            conn.execute(f"analyze {table.name}")
    return result
