"""Rows straight into a landing table of market data, block by block, while the next one is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from psycopg import Connection

from warehouse.landing.bars.copytext import escaped, joined_rows
from warehouse.landing.bars.statements import send
from warehouse.landing.direct import Way
from warehouse.landing.records import scratch
from warehouse.landing.records.rows import Batch, RecordReader
from warehouse.landing.records.shape import Shape
from warehouse.landing.symbols import Symbols

IS_ONE_HEAP = """
    select from pg_class
    where
        oid = %s::regclass
        and relkind = 'r'
        and not exists (select from pg_extension where extname = 'timescaledb')
"""


def is_possible(conn: Connection, shape: Shape, reader: RecordReader) -> bool:
    """Say whether the table judges rows as they are sent, and any order of them will do.

    Partitions and chunks are made before their rows come, which only scratch can tell; the server
    copies into them row by row anyway.
    """
    return (
        shape.finds_instrument
        and shape.is_keyed
        and shape.table.event in shape.table.key
        and not reader.is_raw
        and bool(conn.execute(IS_ONE_HEAP, [shape.table.name]).rowcount)
    )


@dataclass
class Block:
    """Rows as the landing table takes them, if their instruments were known already."""

    batch: Batch
    symbols: pa.DictionaryArray
    ids: dict[str, int] | None
    data: bytes


class DirectRecords:
    """Encodes batches for the landing table and writes them."""

    def __init__(self, reader: RecordReader, symbols: Symbols, batch_id: int) -> None:
        """Encode what every row has."""
        self.reader = reader
        self.symbols = symbols
        self.way = Way(symbols)
        profile = reader.profile
        constants = {**profile.constants, "source": profile.source, "batch_id": batch_id}
        self.constants = dict(
            zip(constants, escaped(pa.array(map(str, constants.values()))), strict=True)
        )

    def blocks(self) -> Iterator[Block | Batch]:
        """Encode what may go directly, while its table is open for it."""
        for batch in self.reader.batches():
            if self.way.is_open and batch.broken is None and batch.symbols is not None:
                yield self._block(batch, batch.symbols)
            else:
                yield batch

    def _block(self, batch: Batch, symbols: pa.DictionaryArray) -> Block:
        names, known = symbols.dictionary.to_pylist(), self.symbols.ids
        if any(name not in known for name in names):
            return Block(batch, symbols, None, b"")
        ids = {name: known[name] for name in names}
        return Block(batch, symbols, ids, self._encoded(batch, symbols, ids))

    def take(self, block: Block) -> int:
        """Write a block; return how many rows, none when the table refuses any."""
        return self.way.take(lambda: self._write(block))

    def _write(self, block: Block) -> int:
        batch, symbols = block.batch, block.symbols
        found = self.symbols.find(symbols.dictionary.to_pylist())
        if found is None:
            return 0
        data = block.data if block.ids == found else self._encoded(batch, symbols, found)
        columns = ["instrument_id", *self.constants, *batch.columns[1:]]
        return send(self.symbols.conn, scratch.copy(self.reader.table.name, columns), data)

    def _encoded(self, batch: Batch, symbols: pa.DictionaryArray, ids: dict[str, int]) -> bytes:
        """Join the columns, without the line, to rows for COPY."""
        numbers = pa.array([str(ids[name]) for name in symbols.dictionary.to_pylist()])
        constants = [pa.repeat(value, batch.rows) for value in self.constants.values()]
        return joined_rows([numbers.take(symbols.indices), *constants, *batch.texts[1:]])
