"""Plain rows straight into raw_market.bars, block by block, while the next one is read.

The table judges prices itself, with the verdicts of the catalogue; the times of a block are judged
before, each once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from warehouse.landing.bars import copybinary
from warehouse.landing.bars.copybinary import Field
from warehouse.landing.bars.judge import times_sql
from warehouse.landing.bars.rows import Part, Plain, RowReader, ahead
from warehouse.landing.bars.statements import Landing, send
from warehouse.landing.batches import Progress
from warehouse.landing.direct import Way
from warehouse.landing.sessions import ensure_sessions

COPY = """
    copy raw_market.bars (
        instrument_id, timeframe, source, adjusted, batch_id,
        symbol, bar_ts, session_date, open, high, low, close, volume
    ) from stdin (format binary)
"""


@dataclass
class Block:
    """Plain rows as the landing table takes them, but for their instruments."""

    part: Plain
    fields: list[Field]
    data: bytes
    starts: pa.Array
    """Distinct times that are to be judged, and the midnights of their sessions."""
    sessions: pa.Array


def fill(landing: Landing, rows: RowReader, progress: Progress | None, *, is_direct: bool) -> int:
    """Read a source, into the landing table what that takes and the rest into scratch.

    Returns how many rows are in the landing table.
    """
    tally, bars = rows.tally, DirectBars(landing, rows)
    for each in ahead(bars.blocks() if is_direct else rows.parts()):
        taken = bars.take(each) if isinstance(each, Block) else 0
        if not taken:
            part = each.part if isinstance(each, Block) else each
            taken = send(landing.conn, *part.for_scratch())
        tally.arrived += taken
        if progress:
            progress(rows.source.name, tally.position, rows.source.size)
    return bars.way.rows


class DirectBars:
    """Encodes blocks for raw_market.bars and writes them."""

    def __init__(self, landing: Landing, rows: RowReader) -> None:
        """Encode what every row has."""
        self.landing = landing
        self.rows = rows
        self.way = Way(landing.symbols)
        self.judged: set[int] = set()
        """Times that break no rule."""
        self.covered: tuple[object, object] | None = None
        """First and last day whose sessions are there."""
        facts = landing.facts
        self.constants = [
            copybinary.pending(),
            copybinary.constant(str(facts["timeframe"])),
            copybinary.constant(str(facts["source"])),
            copybinary.constant(str(facts["adjusted"])),
            copybinary.constant(int(str(facts["batch_id"]))),
        ]

    def blocks(self) -> Iterator[Block | Part]:
        """Encode what may go directly: rows in the order of the key, of which none is repeated."""
        for part in self.rows.parts():
            may = self.way.is_open and self.rows.tally.in_order and isinstance(part, Plain)
            yield self._block(part) if may and isinstance(part, Plain) else part

    def _block(self, part: Plain) -> Block:
        fields = [*self.constants, *part.fields()]
        # Most files have the times of one symbol again for the next.
        fresh = pa.array([each not in self.judged for each in part.starts.to_pylist()])
        return Block(
            part,
            fields,
            copybinary.joined_rows(fields, len(part.lines)),
            part.starts.filter(fresh),
            part.sessions.filter(fresh),
        )

    def take(self, block: Block) -> int:
        """Write a block; return how many rows, none when the table or a rule refuses any."""
        # Judged before the savepoint, which would take the sessions back that this stores.
        is_good = not self._breaks_rules(block)
        return self.way.take(lambda: self._write(block) if is_good else 0)

    def _write(self, block: Block) -> int:
        symbols = block.part.symbols
        names = symbols.dictionary.to_pylist()
        found = self.landing.symbols.find(names)
        if found is None:
            return 0
        ids = np.array([found[name] for name in names], dtype=np.int32)
        data = copybinary.fill_first(block.data, block.fields, ids[symbols.indices.to_numpy()])
        return send(self.landing.conn, COPY, data)

    def _breaks_rules(self, block: Block) -> bool:
        facts, tally = self.landing.facts, self.rows.tally
        span = (tally.first, tally.last)
        if span != self.covered and tally.first is not None and tally.last is not None:
            days = tally.first.date(), tally.last.date()
            ensure_sessions(self.landing.conn, str(facts["calendar"]), *days)
            self.covered = span
        if not len(block.starts):
            return False
        times = {
            "starts": _array(block.starts.cast(pa.timestamp("us", "UTC"))),
            "sessions": _array(block.sessions.cast(pa.timestamp("us")).cast(pa.date32())),
        }
        if self.landing.conn.execute(times_sql(), facts | times).rowcount:
            return True
        self.judged.update(block.starts.to_pylist())
        return False


def _array(values: pa.Array) -> str:
    """Return values as the text of an array."""
    return "{" + ",".join(values.cast(pa.string()).to_pylist()) + "}"
