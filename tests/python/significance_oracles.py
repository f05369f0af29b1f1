"""How sure a mean is, by scipy and arch: what the marts of signals and models are compared with."""

from __future__ import annotations

import numpy as np
from arch.bootstrap import CircularBlockBootstrap
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


def block_of(count: int, horizon: int) -> int | None:
    """Length of the blocks of a bootstrap, or None where there are fewer than two."""
    length = max(4 * horizon, int(np.ceil(np.cbrt(count))))
    return length if count >= 2 * length else None


def block_interval(values: np.ndarray, horizon: int) -> tuple[float, float]:
    """The 95 % interval by the moments of every block of the circle, or NaN."""
    count = len(values)
    length = block_of(count, horizon)
    if length is None or np.ptp(values) == 0:
        return np.nan, np.nan
    circle = np.concatenate([values, values])
    wholes = [circle[start : start + length].sum() for start in range(count)]
    rests = [circle[start : start + count % length].sum() for start in range(count)]
    error = np.sqrt(count // length * np.var(wholes) + np.var(rests)) / count
    half = float(error * stats.t.ppf(0.975, count / length - 1))
    return float(values.mean()) - half, float(values.mean()) + half


def resampled_error(values: np.ndarray, horizon: int, draws: int) -> float:
    """Standard error of the mean by so many draws of arch's circular block bootstrap."""
    length = block_of(len(values), horizon)
    assert length is not None
    bootstrap = CircularBlockBootstrap(length, values, seed=7)
    return float(np.std(bootstrap.apply(np.mean, draws)))
