"""Bytes per row, heap and columnstore; how columnstores are ordered; what float features cost.

The columnstore is measured on a server of TimescaleDB Community, which WAREHOUSE_TEST_COMMUNITY_URL
names (its superuser is called warehouse). Without one only the rows' own bytes are measured.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
import polars as pl
import psycopg
import yaml

from benchmarks.data import PROFILE, Bars
from benchmarks.results import Section
from benchmarks.workspace import Workspace, dbt_build, say
from warehouse import config, database, dbt_environment, migrate
from warehouse.landing.bars import land_frame
from warehouse.landing.profile import parse_profile
from warehouse.landing.records import land_files, land_records
from warehouse.landing.records.profile import chosen_profile

# Read now: the workspace is cleared of the user's own settings.
COMMUNITY_URL = os.environ.get("WAREHOUSE_TEST_COMMUNITY_URL")
DATABASE = "warehouse_storage_benchmark"
SHARED = config.PROJECT.parent / "shared" / "data"
SYMBOLS = 8
"""Of hourly bars whose features are built: 14,000 rows and 25 MB already say what a row takes."""

MART = "marts.feature_engineered_data"
REAL = {
    "raw_market.quotes": ("intraday_1m_fx_quotes.parquet", "fxcm_quotes"),
    "raw_market.option_quotes": ("options_chain_aapl.parquet", "lean_options"),
}


@dataclass(frozen=True)
class Store:
    """A table, and the columnstores that were tried."""

    relation: str
    time: str
    interval: str
    corrected: str
    """Makes rows that come late from rows that are there."""
    tried: tuple[tuple[str, str], ...]
    declared: bool = True
    """Whether the first of them is what its source declares."""


STORES = (
    Store(
        "raw_market.ticks", "tick_ts", "7 days", "tick_ts = tick_ts + interval '7 seconds'",
        (
            ("instrument_id, source", "tick_ts desc, seq"), ("instrument_id", "tick_ts desc"),
            ("instrument_id", "tick_ts desc, source, seq"), ("", "instrument_id, tick_ts desc"),
        ),
    ),
    Store(
        "raw_market.quotes", "quote_ts", "7 days", "revision = revision + 1",
        (
            ("instrument_id", "quote_ts desc, timeframe, source, seq, revision"),
            ("instrument_id", "quote_ts desc"),
            ("instrument_id, timeframe, source", "quote_ts desc, seq, revision"),
        ),
    ),
    Store(
        "raw_market.option_quotes", "quote_ts", "7 days", "revision = revision + 1",
        (
            ("instrument_id", "quote_ts desc, expiry, strike, option_right, source, revision"),
            ("instrument_id", "quote_ts desc"),
            ("instrument_id, expiry", "quote_ts desc, strike, option_right, source, revision"),
            ("instrument_id", "expiry, strike, option_right, quote_ts"),
        ),
    ),
    Store(
        "raw_market.bars", "bar_ts", "360 days", "revision = revision + 1",
        (
            ("instrument_id, timeframe", "bar_ts desc, source, revision"),
            ("instrument_id, timeframe", "bar_ts desc"), ("", "instrument_id, timeframe, bar_ts"),
        ),
        declared=False,
    ),
)  # fmt: skip
FEATURES = ("instrument_id, timeframe", '"timestamp" desc, feature_version')


def run(space: Workspace, bars: Bars) -> list[Section]:
    """Measure on the server of the Community edition, or, without one, on our own."""
    section = Section("Storage")
    if COMMUNITY_URL:
        with _community(COMMUNITY_URL):
            _measure(section, bars, is_columnar=True)
    else:
        section.notes.append(
            "No columnstore was measured: WAREHOUSE_TEST_COMMUNITY_URL names no server of"
            " TimescaleDB Community."
        )
        with space.fresh("bench_storage"):
            _measure(section, bars, is_columnar=False)
    return [section]


@contextmanager
def _community(url: str) -> Iterator[None]:
    """Send everything to a fresh, migrated database of another server."""
    parts = urlsplit(url)
    host, secret = parts.hostname or "127.0.0.1", unquote(parts.password or "")
    where = config.Connection(host, parts.port or 5432, config.OWNER, secret)
    own = config.Home.current().connection
    before = os.environ.get("WAREHOUSE_DATABASE")
    config.Home.current().store(where)
    os.environ["WAREHOUSE_DATABASE"] = DATABASE
    maintenance = psycopg.connect(where.url().rsplit("/", 1)[0] + "/postgres", autocommit=True)
    try:
        maintenance.execute(f"drop database if exists {DATABASE} with (force)")
        maintenance.execute(f"create database {DATABASE}")
        with database.connect("benchmark", autocommit=True) as session:
            session.execute("create extension if not exists timescaledb")
        migrate.migrate()
        os.environ.update(dbt_environment.variables(config.connection(), embedded=True))
        yield
    finally:
        maintenance.execute(f"drop database if exists {DATABASE} with (force)")
        maintenance.close()
        config.Home.current().store(own)
        os.environ.pop("WAREHOUSE_DATABASE")
        if before:
            os.environ["WAREHOUSE_DATABASE"] = before
        os.environ.update(dbt_environment.variables(config.connection(), embedded=True))


def _measure(section: Section, bars: Bars, *, is_columnar: bool) -> None:
    _land(section, bars)
    with database.connect("benchmark", autocommit=True) as session:
        stores = [each for each in STORES if _rows(session, each.relation)]
        for store in stores:
            heap, keys = _heap(session, store.relation)
            section.add(
                f"{store.relation}, {_rows(session, store.relation):,} rows",
                f"{heap + keys:.0f} bytes a row, {keys:.0f} of them key and indexes",
            )
            for segment_by, order_by in store.tried if is_columnar else ():
                say(f"storage: {store.relation} by {segment_by or 'nothing'} / {order_by}")
                packed, late = _columnstore(session, store, segment_by, order_by)
                is_declared = store.declared and (segment_by, order_by) == store.tried[0]
                section.add(
                    f"{'declared' if is_declared else 'tried'}:"
                    f" columnstore by {segment_by or 'nothing'} / {order_by}",
                    f"{packed:.1f} bytes a row; a late row {late:.0f} us",
                    ratio=(heap + keys) / packed,
                )
        _features(section, session, is_columnar=is_columnar)


def _land(section: Section, bars: Bars) -> None:
    """Land real quotes, chains and bars where they are there, resampled ones elsewhere."""
    say("storage: landing")
    first = bars.history.filter(pl.col("symbol").is_in(_first(bars, SYMBOLS)))
    land_frame(first.to_pandas(), profile=parse_profile(yaml.safe_load(PROFILE), where="benchmark"))
    ticks = first
    if SHARED.is_dir():
        for relation, (name, profile) in REAL.items():
            land_files([SHARED / name], profile=chosen_profile(relation, profile, {}))
        ticks = pl.read_parquet(SHARED / "intraday_1m_crypto_future.parquet").rename(
            {"ts": "timestamp"}
        )
    land_records("raw_market.ticks", _prints(ticks), source="bars")
    section.notes.append(
        "Real minutes of FX quotes, a real option chain, four ticks of each real minute of BTC-PERP"
        " and 6E; hourly bars resampled from real ones."
        if SHARED.is_dir()
        else "Hourly bars resampled from real ones, four ticks of each; quotes and chains only with"
        " the shared data set beside the project."
    )
    say("storage: building features")
    dbt_build("+feature_engineered_data", full_refresh=True)


def _first(bars: Bars, count: int) -> list[str]:
    return bars.history["symbol"].unique(maintain_order=True).head(count).to_list()


def _prints(bars: pl.DataFrame) -> pd.DataFrame:
    """Return four ticks a bar: its open, high, low and close."""
    parts = [
        bars.select(
            "symbol",
            (pl.col("timestamp") + pl.duration(seconds=15 * n)).alias("tick_ts"),
            pl.lit(n).alias("seq"),
            pl.col(price).alias("price"),
            (pl.col("volume") / 4).alias("size"),
        ).filter(pl.col("size") > 0)
        for n, price in enumerate(("open", "high", "low", "close"))
    ]
    found = pl.concat(parts).sort("tick_ts", "symbol").to_pandas()
    if found["tick_ts"].dt.tz is None:
        found["tick_ts"] = found["tick_ts"].dt.tz_localize("UTC")
    return found


def _one(session: psycopg.Connection[Any], query: str, *arguments: object) -> Any:  # noqa: ANN401
    row = session.execute(query.encode(), arguments).fetchone()
    return row[0] if row else None


def _rows(session: psycopg.Connection[Any], relation: str) -> int:
    return int(_one(session, f"select count(*) from {relation}"))


def _heap(session: psycopg.Connection[Any], relation: str) -> tuple[float, float]:
    """Return the bytes a row takes in a table that was just written, and in its indexes."""
    rows = _rows(session, relation)
    session.execute("drop table if exists bench_heap")
    session.execute(f"create table bench_heap (like {relation} including indexes)".encode())
    session.execute(f"insert into bench_heap select * from {relation}".encode())
    sizes = "select {}('bench_heap')"
    heap, keys = (_one(session, sizes.format(of)) for of in ("pg_table_size", "pg_indexes_size"))
    session.execute("drop table bench_heap")
    return heap / rows, keys / rows


def _columnstore(
    session: psycopg.Connection[Any], store: Store, segment_by: str, order_by: str
) -> tuple[float, float]:
    """Return the bytes a compressed row takes, key included, and the us a late one takes."""
    rows = _rows(session, store.relation)
    where = (store.relation, store.time, store.interval, segment_by, order_by)
    packed = _pack(session, *where, keyed=True)
    session.execute("drop table if exists bench_late")
    session.execute(b"create temp table bench_late as table bench_packed")
    session.execute(f"update bench_late set {store.corrected}".encode())
    session.execute(b"set timescaledb.max_tuples_decompressed_per_dml_transaction = 1")
    some = f"select * from bench_late order by {store.time} limit 10000"
    began = time.perf_counter()
    landed = session.execute(f"insert into bench_packed {some} on conflict do nothing".encode())
    spent = time.perf_counter() - began
    session.execute("drop table bench_packed, bench_late")
    return packed / rows, 1e6 * spent / max(landed.rowcount, 1)


def _pack(
    session: psycopg.Connection[Any], relation: str, time_column: str, interval: str,
    segment_by: str, order_by: str, *, keyed: bool,
) -> float:  # fmt: skip
    """Make bench_packed, a compressed copy of a table; return its bytes."""
    session.execute("drop table if exists bench_packed")
    like = f"like {relation} including indexes" if keyed else f"like {relation}"
    session.execute(f"create table bench_packed ({like})".encode())
    session.execute(
        "select create_hypertable('bench_packed', create_default_indexes => false, dimension =>"
        f" by_range('{time_column}', interval '{interval}'))".encode()
    )
    session.execute(f"insert into bench_packed table {relation}".encode())
    session.execute(
        "alter table bench_packed set (timescaledb.enable_columnstore,"
        f" timescaledb.segmentby = '{segment_by}', timescaledb.orderby = '{order_by}')".encode()
    )
    session.execute("select compress_chunk(chunk) from show_chunks('bench_packed') as chunk")
    return float(_one(session, "select total_bytes from hypertable_detailed_size('bench_packed')"))


def _features(section: Section, session: psycopg.Connection[Any], *, is_columnar: bool) -> None:
    """Tell what a row of features takes: as it is, as real, in a columnstore."""
    rows = _rows(session, MART)
    kinds = session.execute(
        "select attname, atttypid = 'float8'::regtype from pg_attribute"
        " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        [MART],
    ).fetchall()
    floats = sum(is_float for _, is_float in kinds)
    narrow = ", ".join(f'"{name}"{"::real" if is_float else ""}' for name, is_float in kinds)
    session.execute("drop table if exists bench_narrow")
    session.execute(f"create table bench_narrow as select {narrow} from {MART}".encode())
    heap, keys = _heap(session, MART)
    real, _ = _heap(session, "bench_narrow")
    section.add(
        f"{MART}, {rows:,} rows, {len(kinds)} columns, {floats} of them float8",
        f"{heap + keys:.0f} bytes a row, {keys:.0f} of them key and indexes, {8 * floats} floats",
    )
    section.add("the same as real, without indexes", f"{real:.0f} bytes a row", ratio=heap / real)
    for name, relation in (("float8", MART), ("real", "bench_narrow")) if is_columnar else ():
        say(f"storage: features as {name} in a columnstore")
        packed = _pack(session, relation, "timestamp", "360 days", *FEATURES, keyed=False) / rows
        section.add(
            f"the same as {name} in a columnstore by {FEATURES[0]} / {FEATURES[1]}",
            f"{packed:.0f} bytes a row",
            ratio=heap / packed,
        )
    session.execute("drop table if exists bench_narrow, bench_packed")
    section.notes += [
        "A late row is one of 10,000 inserted into compressed chunks at a limit of one decompressed"
        " row: ticks seven seconds later, corrections of everything else. The ratio is of bytes.",
        "Bars are a table on every tier, and what they would take is told for comparison. Logs have"
        " no columnstore: row-level security excludes it.",
        "What we did about float features: they stay double precision and uncompressed. Random"
        " mantissas compress by a third at best, real would break the oracles' 1e-9, and a split"
        " rewrites whole series, which a columnstore would have to unpack. What is saved is rows"
        " and indexes: no default index on time, two that the query catalogue needs, and Alpha158"
        " and cross-sections of intraday bars only when asked for.",
    ]
