"""What a user of DuckDB writes: SQL with windows, in nested stages.

DuckDB has no recursive average. A running sum of values weighted by a growing power gives the same
numbers; the power is centred on the middle of a series so that it stays within float8.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from benchmarks.peers.staged import Node, Staged

One = Node[str]
OVER = "partition by instrument_id order by timestamp"


class DuckDB(Staged[str]):
    """The operations in DuckDB's SQL."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.middle = longest // 2

    def column(self, name: str) -> str:
        return f'"{name}"'

    def binary(self, sign: str, left: Any, right: Any) -> str:  # noqa: ANN401
        sides = [x if isinstance(x, str) else f"{float(x)!r}::double" for x in (left, right)]
        return f"({sides[0]} {sign} {sides[1]})"

    def _frame(self, call: str, x: One, bars: int) -> One:
        x = self.settled(x)
        text = (
            f"case when bar_number >= {bars} then {call.format(x.raw)} over ({OVER} rows between"
            f" {bars - 1} preceding and current row) end"
        )
        return self.window(text, x)

    def lag(self, x: One, bars: int) -> One:
        x = self.settled(x)
        return self.window(f"lag({x.raw}, {bars}) over ({OVER})", x)

    def mean(self, x: One, bars: int) -> One:
        return self._frame("avg({})", x, bars)

    def std(self, x: One, bars: int) -> One:
        return self._frame("stddev_samp({})", x, bars)

    def skew(self, x: One, bars: int) -> One:
        return self._frame("skewness({})", x, bars)

    def highest(self, x: One, bars: int) -> One:
        return self._frame("max({})", x, bars)

    def lowest(self, x: One, bars: int) -> One:
        return self._frame("min({})", x, bars)

    def weighted(self, x: One, bars: int) -> One:
        x = self.settled(x)
        weighted = self._frame("sum({} * bar_number)", x, bars)
        plain = self._frame("sum({})", x, bars)
        area = bars * (bars + 1) / 2
        return self.scalar(
            f"(({weighted.raw}) - (bar_number - {bars}) * ({plain.raw})) / {area}", weighted, plain
        )

    def deviation(self, x: One, bars: int) -> One:
        x = self.settled(x)
        mean = self.settled(self.mean(x, bars))
        gaps = [f"abs(lag({x.raw}, {k}) over ({OVER}) - {mean.raw})" for k in range(bars)]
        return self.window(f"({' + '.join(gaps)}) / {bars}", x, mean)

    def smooth(self, x: One, alpha: float, bars: int) -> One:
        x = self.settled(x)
        power = f"pow({1 - alpha!r}::double, bar_number - {self.middle})"
        first = f"case when bar_number = 1 then {1 / alpha!r} else 1.0 end"
        total = f"sum({x.raw} * {first} / {power}) over ({OVER} rows unbounded preceding)"
        return self.window(
            f"case when bar_number >= {bars} then {alpha!r} * {power} * {total} end", x
        )

    def running(self, x: One) -> One:
        x = self.settled(x)
        return self.window(f"sum({x.raw}) over ({OVER} rows unbounded preceding)", x)

    def running_in_session(self, x: One) -> One:
        x = self.settled(x)
        over = OVER.replace("instrument_id", "instrument_id, session_date")
        return self.window(f"sum({x.raw}) over ({over} rows unbounded preceding)", x)

    def ratio(self, x: One, y: One) -> One:
        return self.scalar(f"(({x.raw}) / nullif(({y.raw})::double, 0.0::double))", x, y)

    def larger(self, x: One, y: One) -> One:
        return self.scalar(f"greatest({x.raw}, {y.raw})", x, y)

    def smaller(self, x: One, y: One) -> One:
        return self.scalar(f"least({x.raw}, {y.raw})", x, y)

    def _call(self, function: str, x: One) -> One:
        return self.scalar(f"{function}({x.raw})", x)

    def magnitude(self, x: One) -> One:
        return self._call("abs", x)

    def logarithm(self, x: One) -> One:
        return self._call("ln", x)

    def root(self, x: One) -> One:
        return self._call("sqrt", x)

    def sine(self, x: One) -> One:
        return self._call("sin", x)

    def cosine(self, x: One) -> One:
        return self._call("cos", x)

    def sign(self, x: One) -> One:
        return self._call("sign", x)

    def whole(self, x: One, instead: int = 0) -> One:
        return self.scalar(f"coalesce({x.raw}, {instead})", x)

    def statement(
        self, path: Path, features: dict[str, One], others: dict[str, str], types: dict[str, str]
    ) -> str:
        """Return the whole query; `others` are the columns that are no features."""
        kept = {name for stage in self.stages for name in stage}
        source = f"read_parquet('{path}')"
        for stage in self.stages:
            added = ", ".join(f'{raw} as "{name}"' for name, raw in stage.items())
            source = f"(select *, {added} from {source})"
        shown = others | {n: f'"{n}"' if n in kept else x.raw for n, x in features.items()}
        listed = ", ".join(f'cast({shown[n]} as {kind}) as "{n}"' for n, kind in types.items())
        return f"select {listed} from {source}"

    def compute(
        self, path: Path, features: dict[str, One], others: dict[str, str], types: dict[str, str]
    ) -> pa.Table:
        """Run the query."""
        with duckdb.connect() as session:
            session.execute("set timezone = 'UTC'")
            session.execute(f"set temp_directory = '{path.parent / 'duckdb'}'")
            return session.execute(self.statement(path, features, others, types)).to_arrow_table()
