"""What most people write: a loop over the symbols with pandas and TA-Lib."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import talib

One = Any
"""A Series; TA-Lib and numpy give back what they get, which their types do not say."""


class Pandas:
    """The operations on one symbol's columns."""

    def __init__(self, session: pd.Series) -> None:
        self.session = session

    def keep(self, name: str, x: One) -> One:  # noqa: ARG002
        return x

    def lag(self, x: One, bars: int) -> One:
        return x.shift(bars)

    def mean(self, x: One, bars: int) -> One:
        return x.rolling(bars).mean()

    def std(self, x: One, bars: int) -> One:
        return x.rolling(bars).std()

    def skew(self, x: One, bars: int) -> One:
        return x.rolling(bars).skew()

    def highest(self, x: One, bars: int) -> One:
        return talib.MAX(x, bars)

    def lowest(self, x: One, bars: int) -> One:
        return talib.MIN(x, bars)

    def weighted(self, x: One, bars: int) -> One:
        return talib.WMA(x, bars)

    def deviation(self, x: One, bars: int) -> One:
        windows = np.lib.stride_tricks.sliding_window_view(x.to_numpy(), bars)
        gaps = np.abs(windows - windows.mean(axis=1, keepdims=True)).mean(axis=1)
        return pd.Series(np.concatenate([np.full(bars - 1, np.nan), gaps]), index=x.index)

    def smooth(self, x: One, alpha: float, bars: int) -> One:
        if alpha == 2 / (bars + 1):
            return talib.EMA(x, bars)
        return x.ewm(alpha=alpha, adjust=False, min_periods=bars).mean()

    def running(self, x: One) -> One:
        return x.cumsum()

    def running_in_session(self, x: One) -> One:
        return x.groupby(self.session).cumsum()

    def ratio(self, x: One, y: One) -> One:
        return x / y.where(y != 0)

    def larger(self, x: One, y: One) -> One:
        return np.fmax(x, y)

    def smaller(self, x: One, y: One) -> One:
        return np.fmin(x, y)

    def magnitude(self, x: One) -> One:
        return x.abs()

    def logarithm(self, x: One) -> One:
        return np.log(x)

    def root(self, x: One) -> One:
        return np.sqrt(x)

    def sine(self, x: One) -> One:
        return np.sin(x)

    def cosine(self, x: One) -> One:
        return np.cos(x)

    def sign(self, x: One) -> One:
        return np.sign(x)

    def whole(self, x: One, instead: int = 0) -> One:
        return x.fillna(instead)
