"""Columns of any type as text that PostgreSQL reads back to the same value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum

import numpy as np
import pyarrow as pa

from warehouse.landing.readers import Chunk, Lines, Source

Row = Mapping[str, object]


def text_of(value: object) -> str | None:
    """Return a value of Python as text; NULL for None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return text_of(value.value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping | list | tuple | set):
        return json.dumps(_plain(value), ensure_ascii=False)
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return text_of(value)


def text_column(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as text."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0, column.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type) and array.type.unit == "ns":
        # PostgreSQL keeps microseconds.
        array = array.cast(pa.timestamp("us", array.type.tz), safe=False)
    try:
        return array.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.array([text_of(value) for value in array.to_pylist()], pa.string())


@dataclass
class TextSource:
    """A source whose chunks are all text."""

    inner: Source

    def __post_init__(self) -> None:
        """Be what the source is."""
        self.name = self.inner.name
        self.columns = self.inner.columns
        self.size = self.inner.size

    def chunks(self, columns: list[str] | None = None) -> Iterator[Chunk]:
        """Stream the rows."""
        for chunk in self.inner.chunks(columns):
            names = columns or chunk.table.column_names
            texts = {name: text_column(chunk.table[name]) for name in names}
            yield Chunk(chunk.lines, pa.table(texts), chunk.malformed, chunk.position)

    def check_unchanged(self) -> None:
        """Ask the source."""
        self.inner.check_unchanged()


class RowsSource:
    """Rows of a program, mappings of column to value; the line of a row is its position from 1."""

    size: int | None = None

    def __init__(self, rows: Sequence[Row], name: str, lines: Lines | None = None) -> None:
        """Take the columns in the order in which they first come."""
        self.name = name
        self.rows = rows
        self.columns = list(dict.fromkeys(str(key) for row in rows for key in row))
        self.lines = np.arange(1, len(rows) + 1, dtype=np.int64) if lines is None else lines

    def chunks(self, columns: list[str] | None = None) -> Iterator[Chunk]:
        """Give all rows at once: they are in memory anyway."""
        table = {
            name: pa.array([text_of(row.get(name)) for row in self.rows], pa.string())
            for name in columns or self.columns
        }
        yield Chunk(self.lines, pa.table(table))

    def check_unchanged(self) -> None:
        """Do nothing: the rows are in our hands."""
