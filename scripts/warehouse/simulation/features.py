"""What an agent may know at a close: numbers from the bars up to it, never from later ones."""

from __future__ import annotations

import math

import numpy as np

from warehouse.simulation.world import LOOKBACK, Floats, Market, plain

Features = dict[str, float]

NAMES = ("return_1", "return_5", "return_20", "volatility_20", "zscore_20", "channel_55")
FEATURE_VERSION = "simulation-1"
CHANNEL = 55


def features(market: Market, symbol: str, at: int) -> Features:
    """Return the features of a symbol as known at the close of session `at`."""
    past = slice(at - LOOKBACK, at + 1)
    return _features(
        market.closes[symbol][past], market.highs[symbol][past], market.lows[symbol][past]
    )


def _features(closes: Floats, highs: Floats, lows: Floats) -> Features:
    logs = np.diff(np.log(closes))
    volatility = max(float(np.std(logs[-20:], ddof=1)), 1e-6)
    window = closes[-20:]
    spread = max(float(np.std(window, ddof=1)), 1e-9)
    top, bottom = float(np.max(highs[-CHANNEL:])), float(np.min(lows[-CHANNEL:]))
    half = max((top - bottom) / 2, 1e-9)
    return {
        "return_1": plain(logs[-1] / volatility),
        "return_5": plain(np.sum(logs[-5:]) / volatility / math.sqrt(5)),
        "return_20": plain(np.sum(logs[-20:]) / volatility / math.sqrt(20)),
        "volatility_20": plain(volatility),
        "zscore_20": plain((closes[-1] - np.mean(window)) / spread),
        "channel_55": plain((closes[-1] - (top + bottom) / 2) / half),
    }
