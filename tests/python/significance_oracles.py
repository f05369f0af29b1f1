"""How sure a mean is, by scipy: what the marts of signals and models are compared with."""

from __future__ import annotations

import numpy as np
from scipy import fft, stats


def cosine_test(values: np.ndarray, horizon: int) -> tuple[float, float, float]:
    """Degrees, t and p of Lazarus, Lewis, Stock and Watson by scipy's cosine transform, or NaN."""
    count = len(values)
    degrees = min(int(0.4 * count ** (2 / 3) + 1e-9), count // (2 * horizon))
    if degrees < 2 or np.ptp(values) == 0:
        return (np.nan,) * 3
    weights = fft.dct(values, norm="ortho")[1 : degrees + 1]
    t = float(values.mean() / np.sqrt(np.mean(weights**2) / count))
    return degrees, t, float(2 * stats.t.sf(abs(t), degrees))
