"""Columns as the binary format of PostgreSQL's COPY, which costs both sides half of its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from warehouse.landing.numbers import Decimals

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
EPOCH = 946_684_800 * 10**6
"""Midnight of 2000-01-01, from which PostgreSQL counts, in Unix microseconds."""
DAY = 86_400 * 10**6
GROUP = 10_000
"""PostgreSQL's numeric has base ten thousand."""

Array = npt.NDArray[Any]


@dataclass
class Field:
    """One column: the parts of its values in order, each an array of big-endian numbers or text."""

    parts: list[tuple[str, object]]
    width: int
    missing: Array | None = None
    """Where the value is NULL."""
    lengths: Array | None = None
    """Bytes of each value, where they differ."""


def constant(value: int | str) -> Field:
    """Encode one value for every row: a text, or a number of 64 bits."""
    if isinstance(value, int):
        return Field([(">i8", value)], 8)
    data = value.encode()
    return Field([(f"S{len(data)}", data)], len(data))


def pending() -> Field:
    """Leave room for a 32-bit number that is known later, see `fill_first()`."""
    return Field([(">i4", 0)], 4)


def bigint(values: Array) -> Field:
    """Encode 64-bit integers."""
    return Field([(">i8", values)], 8)


def timestamps(micros: Array) -> Field:
    """Encode Unix microseconds as timestamptz."""
    return bigint(micros - EPOCH)


def dates(micros: Array) -> Field:
    """Encode midnights in Unix microseconds as dates."""
    return Field([(">i4", (micros - EPOCH) // DAY)], 4)


def text(encoded: pa.DictionaryArray) -> Field:
    """Encode texts of which few are distinct."""
    values = [value.encode() for value in encoded.dictionary.to_pylist()]
    codes = encoded.indices.to_numpy()
    lengths = np.array([len(value) for value in values], dtype=np.int32)
    width = int(lengths.max(initial=1))
    parts: list[tuple[str, object]] = [(f"S{width}", np.array(values, dtype=f"S{width}")[codes])]
    even = bool((lengths == width).all())
    return Field(parts, width, lengths=None if even else lengths[codes])


def nulls(count: int) -> Field:
    """Encode a column that is NULL in every row."""
    return Field([], 0, missing=np.ones(count, dtype=bool))


def numeric(decimals: Decimals) -> Field:
    """Encode decimals; PostgreSQL itself drops the leading and trailing zeros of the digits."""
    behind = -(-decimals.scale // 4)
    left = np.abs(decimals.units) * 10 ** (4 * behind - decimals.scale)
    groups: list[Array] = []
    largest = int(left.max(initial=0))
    while largest or len(groups) <= behind:
        largest //= GROUP
        # The first division is of 64 bits; afterwards most columns fit into 32, twice as fast.
        rest = left // GROUP
        groups.append((left - rest * GROUP).astype(np.int16))
        left = rest.astype(np.int32) if largest < 2**31 else rest
    sign = np.where(decimals.units < 0, 0x4000, 0)
    weight = len(groups) - 1 - behind
    parts: list[tuple[str, object]] = [
        (">i2", len(groups)), (">i2", weight), (">i2", sign), (">i2", decimals.scale),
        *((">i2", group) for group in reversed(groups)),
    ]  # fmt: skip
    return Field(parts, 2 * len(parts), missing=decimals.missing)


def joined_rows(fields: list[Field], count: int) -> bytes:
    """Join columns to the rows of one whole COPY."""
    kinds: list[tuple[str, str]] = [("fields", ">i2")]
    values: list[object] = [len(fields)]
    spans: list[tuple[int, int]] = []
    at = 2
    for field in fields:
        size: Array = np.asarray(field.width if field.lengths is None else field.lengths)
        if field.missing is not None:
            size = np.where(field.missing, -1, size)
        for kind, value in [(">i4", size), *field.parts]:
            kinds.append((f"f{len(kinds)}", kind))
            values.append(value)
        spans.append((at + 4, at + 4 + field.width))
        at += 4 + field.width
    table = np.empty(count, dtype=kinds)
    for (name, _), value in zip(kinds, values, strict=True):
        table[name] = value
    return HEADER + _without_padding(table, fields, spans) + TRAILER


def fill_first(data: bytes, fields: list[Field], values: Array) -> bytearray:
    """Put a 32-bit number into the first field of each row of one whole COPY."""
    sizes = np.full(len(values), 2, dtype=np.int64)
    for field in fields:
        size: Array = np.asarray(field.width if field.lengths is None else field.lengths)
        sizes += 4 + (size if field.missing is None else np.where(field.missing, 0, size))
    # Behind the number of fields and the length of the first.
    at = len(HEADER) + np.cumsum(sizes) - sizes + 6
    filled = bytearray(data)
    view = np.frombuffer(filled, dtype=np.uint8)
    view[at[:, None] + np.arange(4)] = values.astype(">i4").view(np.uint8).reshape(-1, 4)
    return filled


def _without_padding(table: Array, fields: list[Field], spans: list[tuple[int, int]]) -> bytes:
    """Cut the bytes that a NULL or a short text does not have."""
    keep: Array | None = None
    for field, (first, last) in zip(fields, spans, strict=True):
        if first == last or (field.missing is None and field.lengths is None):
            continue
        if keep is None:
            keep = np.ones((len(table), table.dtype.itemsize), dtype=bool)
        if field.lengths is not None:
            keep[:, first:last] = np.arange(last - first) < field.lengths[:, None]
        if field.missing is not None:
            keep[field.missing, first:last] = False
    if keep is None:
        return table.tobytes()
    return table.view(np.uint8).reshape(keep.shape)[keep].tobytes()
