"""Rejected rows, whole: read again from their source and written to ops.quarantine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa
from psycopg import Connection
from psycopg.types.json import Jsonb

from warehouse.landing.bars.judge import reasons
from warehouse.landing.readers import Lines, Source

RAW = "raw"
"""Key of the payload that holds a malformed line, which has no columns."""

ROWS = "rows"
"""Key of the payload of several rows that are one row of the table."""

PAYLOADS = "create temp table payloads (line bigint primary key, payload jsonb not null)"

WRITE = """
    insert into ops.quarantine (
        batch_id, dataset, source, file, line, rule, rules, reason, payload,
        symbol, timeframe, bar_ts
    )
    select
        %(batch_id)s,
        %(dataset)s,
        %(source)s,
        %(file)s,
        j.line,
        ordered.rules[1],
        ordered.rules,
        ordered.reason,
        p.payload,
        nullif(s.symbol, ''),
        %(timeframe)s,
        s.bar_ts
    from aside as j
    inner join payloads as p on j.line = p.line
    inner join scratch as s on j.line = s.line
    cross join lateral (
        select
            array_agg(c.rule order by c.place) as rules,
            string_agg(c.reason, ' ' order by c.place) as reason
        from unnest(%(rules)s::text [], %(reasons)s::text []) with ordinality
            as c (rule, reason, place)
        where c.rule = any(j.rules)
    ) as ordered
    where j.rules is not null
    order by j.line
"""


def write(
    conn: Connection,
    source: Source,
    facts: dict[str, object],
    other_reasons: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Write the rejected rows with their payloads; return how many.

    `other_reasons`: of rules that are not in the catalogue.
    """
    rejected = conn.execute(
        "select line from aside where rules is not null order by line"
    ).fetchall()
    lines = np.array([row[0] for row in rejected], dtype=np.int64)
    if not len(lines):
        return 0
    copy_payloads(conn, source, lines)
    catalogue = {**reasons(), **other_reasons}
    told = {**facts, "rules": list(catalogue), "reasons": list(catalogue.values())}
    return conn.execute(WRITE, told).rowcount


def copy_payloads(conn: Connection, source: Source, lines: Lines) -> None:
    """Read the wanted lines (sorted) again into a temporary table."""
    conn.execute(PAYLOADS)
    with conn.cursor().copy("copy payloads from stdin") as copy:
        for line, payload in payloads(source, lines):
            copy.write_row((line, Jsonb(payload, dumps=_dumps)))
    conn.execute("analyze payloads")


def payloads(source: Source, wanted: Lines) -> Iterator[tuple[int, dict[str, object]]]:
    """Read the wanted lines (sorted) again, with all their columns."""
    for chunk in source.chunks():
        at = np.searchsorted(wanted, chunk.lines)
        hit = wanted[np.minimum(at, len(wanted) - 1)] == chunk.lines
        if hit.any():
            rows = chunk.table.filter(pa.array(hit))
            texts = {name: _texts(rows[name]) for name in rows.column_names}
            for index, line in enumerate(chunk.lines[hit].tolist()):
                yield line, {name: values[index] for name, values in texts.items()}
        for line, text in chunk.malformed:
            place = int(np.searchsorted(wanted, line))
            if place < len(wanted) and wanted[place] == line:
                yield line, {RAW: text}


def _texts(column: pa.ChunkedArray) -> list[object]:
    """Return values as JSON can hold them without losing a digit: text, or NULL."""
    try:
        return list(column.cast(pa.string()).to_pylist())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return [None if value is None else str(value) for value in column.to_pylist()]


def _dumps(payload: object) -> str:
    # JSON in PostgreSQL cannot hold the character zero.
    return json.dumps(payload, ensure_ascii=False).replace("\\u0000", "\\ufffd")
