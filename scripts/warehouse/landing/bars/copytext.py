"""Columns as the text format of PostgreSQL's COPY."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NULL = "\\N"


def escaped(symbol: pa.Array) -> pa.Array:
    """Escape what COPY's text format reserves; almost no symbol has any of it."""
    if not pc.any(pc.match_substring_regex(symbol, r"[\\\t\n\r]"), min_count=0).as_py():
        return symbol
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        symbol = pc.replace_substring(symbol, plain, escaped)
    return symbol


def joined_rows(columns: list[pa.Array]) -> bytes:
    """Join the columns to lines; the data of the joined column is the text for COPY as it is."""
    filled = [pc.fill_null(each, NULL).cast(pa.large_string()) for each in columns]
    tab = pa.scalar("\t", pa.large_string())
    rows = pc.binary_join_element_wise(*filled, tab)
    newline = pa.scalar("\n", pa.large_string())
    ended = pc.binary_join_element_wise(rows, newline, pa.scalar("", pa.large_string()))
    if isinstance(ended, pa.ChunkedArray):
        ended = pa.concat_arrays(ended.chunks)
    offsets = np.frombuffer(ended.buffers()[1], dtype=np.int64)
    first, last = offsets[ended.offset], offsets[ended.offset + len(ended)]
    return memoryview(ended.buffers()[2])[int(first) : int(last)].tobytes()
