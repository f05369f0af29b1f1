"""Ways to bring a computed frame into the server."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from benchmarks.workspace import connect
from warehouse import config

SCHEMA, TABLE = "peers", "features"
EPOCH_DAYS, EPOCH_MICROSECONDS = 10_957, 946_684_800_000_000
"""From 1970 to 2000, where PostgreSQL's binary dates begin."""
CHUNK = 10_000
NUMBERS = {"Float64": ">f8", "Int16": ">i2", "Int32": ">i4"}


def copy_csv(frames: Iterator[pd.DataFrame]) -> None:
    """COPY from the CSV that pandas writes, frame by frame, so that memory does not grow."""
    with connect() as session, session.cursor() as cursor:
        session.autocommit = False
        first = next(frames)
        names = ", ".join(f'"{name}"' for name in first.columns)
        with cursor.copy(f"copy {SCHEMA}.{TABLE} ({names}) from stdin csv") as copy:
            for frame in (first, *frames):
                text = io.StringIO()
                frame.to_csv(text, index=False, header=False)
                copy.write(text.getvalue())
        session.commit()


def adbc(table: pa.Table) -> None:
    """Ingest by ADBC, which writes binary COPY over one connection."""
    with adbc_driver_postgresql.dbapi.connect(config.connection().url()) as session:
        with session.cursor() as cursor:
            cursor.adbc_ingest(TABLE, table, mode="append", db_schema_name=SCHEMA)
        session.commit()


def two_binary_copies(frame: pl.DataFrame) -> None:
    """COPY two halves at once with an encoder of our own."""
    half = frame.height // 2
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_binary_copy, (frame.slice(0, half), frame.slice(half))))


def _binary_copy(frame: pl.DataFrame) -> None:
    names = ", ".join(f'"{name}"' for name in frame.columns)
    with connect() as session, session.cursor() as cursor:
        text = f"copy {SCHEMA}.{TABLE} ({names}) from stdin (format binary)"
        with cursor.copy(text) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for part in frame.iter_slices(CHUNK):
                copy.write(encode(part))
            copy.write(b"\xff\xff")


def encode(frame: pl.DataFrame) -> bytes:
    """Return rows in PostgreSQL's binary COPY format.

    Every field gets its widest place in a rectangle of bytes; a mask then drops the payload of
    NULLs and the unused end of texts.
    """
    fields = [_payload(column) for column in frame]
    width = 2 + sum(4 + payload.shape[1] for payload, _ in fields)
    rows = np.zeros((frame.height, width), dtype=np.uint8)
    mask = np.ones((frame.height, width), dtype=bool)
    rows[:, :2] = np.frombuffer(len(fields).to_bytes(2, "big"), dtype=np.uint8)
    at = 2
    for payload, lengths in fields:
        size = payload.shape[1]
        rows[:, at : at + 4] = lengths.astype(">i4").view(np.uint8).reshape(-1, 4)
        rows[:, at + 4 : at + 4 + size] = payload
        if (lengths != size).any():
            mask[:, at + 4 : at + 4 + size] = np.arange(size) < lengths[:, None]
        at += 4 + size
    return rows[mask].tobytes()


def _payload(column: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of a column, one row each, and their lengths; -1 is NULL."""
    kind, missing = column.dtype, column.is_null().to_numpy()
    if kind == pl.String:
        texts = np.array(column.fill_null("").cast(pl.Binary).to_list())
        lengths = np.char.str_len(texts).astype(np.int32)
        data = texts.view(np.uint8).reshape(len(texts), -1)
    else:
        if isinstance(kind, pl.Datetime):
            column, target = column.to_physical() - EPOCH_MICROSECONDS, ">i8"
        elif kind == pl.Date:
            column, target = column.to_physical() - EPOCH_DAYS, ">i4"
        elif kind == pl.Boolean:
            column, target = column.cast(pl.UInt8), "u1"
        else:
            target = NUMBERS[str(kind)]
        values = column.fill_null(0).to_numpy().astype(target)
        data = values.view(np.uint8).reshape(len(values), -1)
        lengths = np.full(len(values), data.shape[1], dtype=np.int32)
    lengths[missing] = -1
    return data, lengths
