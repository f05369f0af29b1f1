"""The peers, each from the Parquet file of bars to rows in the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet

from benchmarks.peers import writers
from benchmarks.peers.duckdb_sql import DuckDB
from benchmarks.peers.formulas import every_feature
from benchmarks.peers.pandas_talib import Pandas
from benchmarks.peers.polars_over import Polars

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONSTANTS: dict[str, Any] = {
    "timeframe": "1h",
    "feature_version": "3.0",
    "split_factor": 1.0,
    "dividend_factor": 1.0,
    "source": "benchmark",
    "created_at": NOW,
    "updated_at": NOW,
}
"""Columns that are the same in every row of this data."""

TYPES = {
    "double precision": (pl.Float64(), "double"),
    "smallint": (pl.Int16(), "smallint"),
    "integer": (pl.Int32(), "integer"),
    "boolean": (pl.Boolean(), "boolean"),
    "text": (pl.String(), "varchar"),
    "date": (pl.Date(), "date"),
    "timestamp with time zone": (pl.Datetime("us", "UTC"), "timestamptz"),
}
"""Types of the table, in polars and in DuckDB."""


@dataclass
class Spent:
    """Seconds of a peer; pandas computes and writes symbol by symbol, so its parts are sums."""

    compute: float
    write: float


Columns = dict[str, str]
"""Name and type of every column of the table, in order."""


def inputs(path: Path) -> list[str]:
    """Return the columns of the input."""
    return list(pyarrow.parquet.read_schema(path).names)


def pandas_csv(path: Path, columns: Columns) -> Spent:
    """Compute with pandas and TA-Lib per symbol, COPY the CSV."""
    computing = 0.0

    def frames() -> Iterator[pd.DataFrame]:
        nonlocal computing
        began = time.perf_counter()
        bars = pd.read_parquet(path)
        for _, own in bars.groupby("instrument_id"):
            own = own.reset_index(drop=True)
            peer = Pandas(own["session_date"])
            features = every_feature(peer, {str(name): own[name] for name in own})
            whole = {**own, **features, **CONSTANTS}
            frame = pd.DataFrame({name: whole[name] for name in columns})
            for name, kind in columns.items():
                if kind in ("smallint", "integer"):
                    frame[name] = frame[name].astype("Int32")
            computing += time.perf_counter() - began
            yield frame
            began = time.perf_counter()

    began = time.perf_counter()
    writers.copy_csv(frames())
    return Spent(computing, time.perf_counter() - began - computing)


def polars_frame(path: Path, columns: Columns) -> pl.DataFrame:
    """Compute with polars."""
    peer = Polars()
    features = every_feature(peer, {name: peer.source(name) for name in inputs(path)})
    constants = {name: pl.lit(value) for name, value in CONSTANTS.items()}
    frame = peer.compute(pl.read_parquet(path), features).with_columns(**constants)
    return frame.select(pl.col(name).cast(TYPES[kind][0]) for name, kind in columns.items())


def polars_adbc(path: Path, columns: Columns) -> Spent:
    """Compute with polars, ingest by ADBC."""
    return _spent(
        lambda: polars_frame(path, columns).to_arrow(compat_level=pl.CompatLevel.oldest()),
        writers.adbc,
    )


def polars_binary(path: Path, columns: Columns) -> Spent:
    """Compute with polars, COPY binary over two connections."""
    return _spent(lambda: polars_frame(path, columns), writers.two_binary_copies)


def duckdb_adbc(path: Path, columns: Columns) -> Spent:
    """Compute in DuckDB's SQL, hand the result over as Arrow and ingest by ADBC."""

    def compute() -> pa.Table:
        longest = pl.scan_parquet(path).select(pl.col("bar_number").max()).collect().item()
        peer = DuckDB(int(longest))
        names = inputs(path)
        features = every_feature(peer, {name: peer.source(name) for name in names})
        literals = {name: f"'{value}'" for name, value in CONSTANTS.items()}
        others = {n: literals.get(n, f'"{n}"') for n in columns if n not in features}
        types = {name: TYPES[kind][1] for name, kind in columns.items()}
        return peer.compute(path, features, others, types)

    return _spent(compute, writers.adbc)


def _spent(compute: Callable[[], Any], write: Callable[[Any], None]) -> Spent:
    """Time both halves of a peer."""
    began = time.perf_counter()
    result = compute()
    middle = time.perf_counter()
    write(result)
    return Spent(middle - began, time.perf_counter() - middle)


PEERS: dict[str, tuple[str, Callable[[Path, Columns], Spent]]] = {
    "pandas": ("pandas + TA-Lib per symbol, COPY CSV", pandas_csv),
    "polars": ("polars + ADBC ingest", polars_adbc),
    "duckdb": ("DuckDB SQL, Arrow, ADBC ingest", duckdb_adbc),
    "polars2": ("polars + two parallel binary COPY", polars_binary),
}
