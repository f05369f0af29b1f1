"""Handmade series of bars at the edges of what a market can do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from feature_oracles import PRICES, frame_profile
from warehouse.landing.bars import land_frame

BARS = 240


def _days(count: int) -> pd.Series:
    return pd.Series(pd.date_range("2023-01-02", periods=count, freq="D"))


def _walk(seed: int, start: float, step: float, decimals: int, bars: int = BARS) -> pd.DataFrame:
    """Bars of a random walk in ticks: differences, so that prices may pass zero."""
    random = np.random.default_rng(seed)
    close = np.round(start + np.cumsum(random.normal(0, step, bars)), decimals)
    open_ = np.round(np.append(start, close[:-1]) + random.normal(0, step / 3, bars), decimals)
    high = np.round(np.maximum(open_, close) + np.abs(random.normal(0, step / 2, bars)), decimals)
    low = np.round(np.minimum(open_, close) - np.abs(random.normal(0, step / 2, bars)), decimals)
    volume = random.integers(0, 10**6, bars).astype(float)
    return pd.DataFrame(
        {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    ).assign(session_date=_days(bars))


def _flat(price: float, volume: float) -> pd.DataFrame:
    bars = pd.DataFrame({name: np.full(BARS, price) for name in PRICES})
    return bars.assign(volume=volume, session_date=_days(BARS))


def _calm_after_storm() -> pd.DataFrame:
    """Moving, then without any movement for longer than every window, then moving."""
    bars = _walk(1, 73.37, 0.9, 2)
    bars.loc[60:180, PRICES] = 73.37
    bars.loc[60:180, "volume"] = 1234567.0
    return bars


def _no_volume_here_and_there() -> pd.DataFrame:
    bars = _walk(2, 50.0, 0.5, 2)
    bars.loc[[40, 41, 90, 150], "volume"] = np.nan
    bars.loc[200:225, "volume"] = 0.0
    return bars


def _through_zero() -> pd.DataFrame:
    bars = _walk(3, 3.0, 0.4, 1)
    # The oil future of April 2020: prices of exactly 0 and far below.
    bars.loc[100, PRICES] = [0.0, 0.5, -1.0, 0.0]
    bars.loc[101, PRICES] = [0.0, 0.0, -37.6, -37.6]
    bars.loc[102, PRICES] = [-37.6, 0.0, -40.3, 0.0]
    return bars


def _gaps() -> pd.DataFrame:
    bars = _walk(4, 20.0, 0.3, 2)
    keep = np.r_[0:3, 10:40, 41:120, 200:240]
    return bars.iloc[keep].reset_index(drop=True)


def _without_range() -> pd.DataFrame:
    """Quotes of one price a bar: no bar has a range, the price moves."""
    bars = _walk(5, 101.3, 0.7, 2)
    return bars.assign(**dict.fromkeys(["open", "high", "low"], bars["close"]))


SERIES = {
    "FLAT": _flat(0.1, 1000.0),
    "FLAT-DEAR": _flat(612345.07, 123456789.1),
    **{
        f"SAME-VOLUME-{n}": _walk(20 + n, 40.0, 0.3, 2).assign(volume=size)
        for n, size in enumerate((374832.7, 82719283.0, 123456789.1, 7.3, 599999999.0))
    },
    "FLAT-NO-TRADE": _flat(33.33, 0.0),
    "CALM": _calm_after_storm(),
    "ZERO-VOLUME": _walk(6, 12.0, 0.1, 2).assign(volume=0.0),
    "HUGE-VOLUME": _walk(12, 0.004, 0.0001, 6).assign(volume=987654321012.0),
    "QUOTES": _walk(7, 1.25, 0.001, 5).assign(volume=np.nan),
    "SOME-QUOTES": _no_volume_here_and_there(),
    "NEGATIVE": _through_zero(),
    "ONE-BAR": _walk(8, 10.0, 0.1, 2, bars=1),
    "TWO-BARS": _walk(9, 10.0, 0.1, 2, bars=2),
    "GAPS": _gaps(),
    "NO-RANGE": _without_range(),
    "PENNY": _walk(10, 1e-5, 2e-8, 10),
    "DEAR": _walk(11, 600000.0, 900.0, 2),
}


def land_edges() -> None:
    """Land every series of them as daily bars."""
    profile = frame_profile(allow_negative_price=True)
    for symbol, bars in SERIES.items():
        frame = bars.assign(symbol=symbol, time=bars["session_date"].dt.date)
        result = land_frame(frame, profile=profile, name=symbol)
        assert result.accepted == len(bars), result
