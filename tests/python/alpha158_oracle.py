"""qlib's expressions of Alpha158 evaluated as they stand, by operators of pandas and numpy.

Written from what qlib's operators are documented and seen to do (min_periods=1, deviations with
n - 1, NaN left out, constants within 2e-5), each window taken by itself: the running sums of pandas
and qlib leave rounding errors behind that a denominator of 1e-12 makes large.
"""

from __future__ import annotations

import csv
import re
import warnings
from functools import lru_cache

import numpy as np
import pandas as pd

from warehouse.feature_families import ALPHA158

CONSTANT = 2e-5


@lru_cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return the catalogue of Alpha158 by name."""
    with ALPHA158.seed.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def windows(series: pd.Series, bars: int) -> np.ndarray:
    """Return a row for each bar with the values of its window; NaN before the series."""
    values = series.to_numpy(float)
    values = np.where(np.isinf(values), np.nan, values)
    padded = np.concatenate([np.full(bars - 1, np.nan), values])
    return np.lib.stride_tricks.sliding_window_view(padded, bars)


def per_window(series: pd.Series, bars: int, function: str) -> pd.Series:
    """Apply a function of pandas to the values of each window, NaN left out."""
    frame = pd.DataFrame(windows(series, bars))
    options = {"min_count": 1} if function == "sum" else {}
    return getattr(frame, function)(axis=1, **options)


def Ref(series: pd.Series, bars: int) -> pd.Series:
    return series.shift(bars)


def Mean(series: pd.Series, bars: int) -> pd.Series:
    return per_window(series, bars, "mean")


def Sum(series: pd.Series, bars: int) -> pd.Series:
    return per_window(series, bars, "sum")


def Std(series: pd.Series, bars: int) -> pd.Series:
    return per_window(series, bars, "std")


def Max(series: pd.Series, bars: int) -> pd.Series:
    return series.rolling(bars, min_periods=1).max()


def Min(series: pd.Series, bars: int) -> pd.Series:
    return series.rolling(bars, min_periods=1).min()


def IdxMax(series: pd.Series, bars: int) -> pd.Series:
    return series.rolling(bars, min_periods=1).apply(lambda x: x.argmax() + 1, raw=True)


def IdxMin(series: pd.Series, bars: int) -> pd.Series:
    return series.rolling(bars, min_periods=1).apply(lambda x: x.argmin() + 1, raw=True)


def Quantile(series: pd.Series, bars: int, share: float) -> pd.Series:
    return series.rolling(bars, min_periods=1).quantile(share)


def Rank(series: pd.Series, bars: int) -> pd.Series:
    return series.rolling(bars, min_periods=1).rank(pct=True)


def Greater(one: pd.Series, other: pd.Series | float) -> pd.Series:
    return np.maximum(one, other)


def Less(one: pd.Series, other: pd.Series | float) -> pd.Series:
    return np.minimum(one, other)


def Log(series: pd.Series) -> pd.Series:
    return np.log(series)


def Abs(series: pd.Series) -> pd.Series:
    return series.abs()


def line(series: pd.Series, bars: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit a line to each window; return its slope, R squared and the residual of the last value."""
    y = windows(series, bars)
    x = np.where(np.isnan(y), np.nan, np.arange(1.0, bars + 1))
    x_off = x - np.nanmean(x, axis=1, keepdims=True)
    y_off = y - np.nanmean(y, axis=1, keepdims=True)
    slope = np.nansum(x_off * y_off, axis=1) / np.nansum(x_off**2, axis=1)
    left = y_off - slope[:, None] * x_off
    explained = 1 - np.nansum(left**2, axis=1) / np.nansum(y_off**2, axis=1)
    return slope, explained, left[:, -1]


def Slope(series: pd.Series, bars: int) -> pd.Series:
    return pd.Series(line(series, bars)[0])


def Rsquare(series: pd.Series, bars: int) -> pd.Series:
    return pd.Series(line(series, bars)[1]).mask(is_constant(series, bars))


def Resi(series: pd.Series, bars: int) -> pd.Series:
    return pd.Series(line(series, bars)[2])


def Corr(one: pd.Series, other: pd.Series, bars: int) -> pd.Series:
    x, y = windows(one, bars), windows(other, bars)
    missing = np.isnan(x) | np.isnan(y)
    x, y = np.where(missing, np.nan, x), np.where(missing, np.nan, y)
    x_off = x - np.nanmean(x, axis=1, keepdims=True)
    y_off = y - np.nanmean(y, axis=1, keepdims=True)
    spread = np.sqrt(np.nansum(x_off**2, axis=1)) * np.sqrt(np.nansum(y_off**2, axis=1))
    found = pd.Series(np.nansum(x_off * y_off, axis=1) / spread)
    return found.mask(is_constant(one, bars) | is_constant(other, bars))


def is_constant(series: pd.Series, bars: int) -> pd.Series:
    """Say where a window hardly deviates, by qlib's measure."""
    return pd.Series(np.isclose(Std(series, bars), 0, atol=CONSTANT))


OPERATORS = {
    operator.__name__: operator
    for operator in (
        *(Ref, Mean, Sum, Std, Max, Min, IdxMax, IdxMin, Quantile, Rank, Greater, Less, Log, Abs),
        *(Slope, Rsquare, Resi, Corr),
    )
}  # fmt: skip


def evaluate(bars: pd.DataFrame) -> pd.DataFrame:
    """Return every feature of bars in order of time; NaN where it does not exist."""
    bars = bars.reset_index(drop=True)
    vwap = (bars["high"] + bars["low"] + bars["close"]) / 3
    names = {**OPERATORS, **{each: bars[each] for each in bars}, "vwap": vwap}
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        found = {
            # The catalogue is a file of this project, not input.
            name: eval(re.sub(r"\$", "", row["formula"]), dict(names))  # noqa: S307
            for name, row in catalogue().items()
        }
    return pd.DataFrame(found).astype(float).replace([np.inf, -np.inf], np.nan)
