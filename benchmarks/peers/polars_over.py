"""What a skilled user of polars writes: expressions over the instrument, stage by stage."""

from __future__ import annotations

import operator
from typing import Any

import polars as pl

from benchmarks.peers.staged import Node, Staged

SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
One = Node[pl.Expr]


class Polars(Staged[pl.Expr]):
    """The operations in polars."""

    def column(self, name: str) -> pl.Expr:
        return pl.col(name)

    def binary(self, sign: str, left: Any, right: Any) -> pl.Expr:  # noqa: ANN401
        sides = [x if isinstance(x, pl.Expr) else pl.lit(float(x)) for x in (left, right)]
        result: pl.Expr = SIGNS[sign](*sides)
        return result

    def _over(self, method: str, x: One, *values: Any, **options: Any) -> One:  # noqa: ANN401
        x = self.settled(x)
        raw: pl.Expr = getattr(x.raw, method)(*values, **options)
        return self.window(raw.over("instrument_id"), x)

    def lag(self, x: One, bars: int) -> One:
        return self._over("shift", x, bars)

    def mean(self, x: One, bars: int) -> One:
        return self._over("rolling_mean", x, bars)

    def std(self, x: One, bars: int) -> One:
        return self._over("rolling_std", x, bars)

    def skew(self, x: One, bars: int) -> One:
        return self._over("rolling_skew", x, bars, bias=False, min_samples=bars)

    def highest(self, x: One, bars: int) -> One:
        return self._over("rolling_max", x, bars)

    def lowest(self, x: One, bars: int) -> One:
        return self._over("rolling_min", x, bars)

    def weighted(self, x: One, bars: int) -> One:
        weights = [2 * k / (bars * (bars + 1)) for k in range(1, bars + 1)]
        return self._over("rolling_sum", x, bars, weights=weights)

    def deviation(self, x: One, bars: int) -> One:
        x = self.settled(x)
        mean = self.settled(self.mean(x, bars))
        gaps = [(x.raw.shift(k) - mean.raw).abs() for k in range(bars)]
        total = gaps[0]
        for gap in gaps[1:]:
            total = total + gap
        return self.window((total / bars).over("instrument_id"), x, mean)

    def smooth(self, x: One, alpha: float, bars: int) -> One:
        return self._over("ewm_mean", x, alpha=alpha, adjust=False, min_samples=bars)

    def running(self, x: One) -> One:
        return self._over("cum_sum", x)

    def running_in_session(self, x: One) -> One:
        x = self.settled(x)
        return self.window(x.raw.cum_sum().over("instrument_id", "session_date"), x)

    def ratio(self, x: One, y: One) -> One:
        return self.scalar(pl.when(y.raw != 0).then(x.raw / y.raw), x, y)

    def larger(self, x: One, y: One) -> One:
        return self.scalar(pl.max_horizontal(x.raw, y.raw), x, y)

    def smaller(self, x: One, y: One) -> One:
        return self.scalar(pl.min_horizontal(x.raw, y.raw), x, y)

    def magnitude(self, x: One) -> One:
        return self.scalar(x.raw.abs(), x)

    def logarithm(self, x: One) -> One:
        return self.scalar(x.raw.log(), x)

    def root(self, x: One) -> One:
        return self.scalar(x.raw.sqrt(), x)

    def sine(self, x: One) -> One:
        return self.scalar(x.raw.sin(), x)

    def cosine(self, x: One) -> One:
        return self.scalar(x.raw.cos(), x)

    def sign(self, x: One) -> One:
        return self.scalar(x.raw.sign(), x)

    def whole(self, x: One, instead: int = 0) -> One:
        return self.scalar(x.raw.fill_null(instead), x)

    def compute(self, frame: pl.DataFrame, features: dict[str, One]) -> pl.DataFrame:
        """Compute every stage, then the features that are left."""
        kept = {name for stage in self.stages for name in stage}
        for stage in self.stages:
            frame = frame.with_columns(**stage)
        rest = {n: x.raw for n, x in features.items() if n not in kept}
        return frame.with_columns(**rest)
