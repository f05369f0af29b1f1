"""How soon `marts.model_ic_alarms` notices that a model stopped knowing, and how often it errs."""

from __future__ import annotations

import numpy as np

from benchmarks.results import Section

MODELS = 300
WINDOW = 20
BASELINE = 250
ALLOWANCE = 0.5
THRESHOLD = 5
"""As in the mart."""
AFTER = 1_000
"""How many bars after the change an alarm is waited for."""
KNOWS = 0.1
"""Correlation of score and outcome before the change."""
CASES = [(pairs, then) for pairs in (1, 10) for then in (KNOWS, 0.0, -KNOWS)]


def run() -> list[Section]:
    """Let models lose what they know, in pairs of scores and outcomes that are independent."""
    section = Section("Alarms")
    for pairs, then in CASES:
        share, delay = alarms(pairs, then)
        known = "still knows (false alarms)" if then == KNOWS else f"correlation becomes {then:g}"
        late = "" if then == KNOWS else f", median delay {delay:.0f} bars"
        section.add(f"{pairs} pairs a bar, {known}", f"{share:.0%} within {AFTER:,} bars{late}")
    section.notes += [
        f"{MODELS} models each, correlation {KNOWS} before; the change comes right after the"
        f" baseline of {BASELINE} coefficients of {WINDOW} bars.",
        "By the formula of the mart, in numpy: tests/python/test_drift.py holds the mart to it.",
    ]
    return [section]


def alarms(pairs: int, then: float) -> tuple[float, float]:
    """Return the share of models with an alarm, and the median of its delay in bars."""
    before = WINDOW - 1 + BASELINE
    dice = np.random.default_rng(21)
    shape = (MODELS, before + AFTER, pairs)
    correlation = np.where(np.arange(before + AFTER) < before, KNOWS, then)[None, :, None]
    scores = dice.normal(size=shape)
    outcomes = correlation * scores + np.sqrt(1 - correlation**2) * dice.normal(size=shape)
    rolling = coefficients(scores, outcomes)
    base, later = rolling[:, :BASELINE], rolling[:, BASELINE:]
    mean = base.mean(axis=1, keepdims=True)
    deviation = base.std(axis=1, ddof=1, keepdims=True)
    steps = ((mean - later) / deviation - ALLOWANCE) / WINDOW
    cusum, first = np.zeros(MODELS), np.full(MODELS, np.nan)
    for bar in range(AFTER):
        cusum = np.maximum(0, cusum + steps[:, bar])
        first = np.where(np.isnan(first) & (cusum > THRESHOLD), bar + 1, first)
    raised = first[~np.isnan(first)]
    return len(raised) / MODELS, float(np.median(raised)) if len(raised) else float("nan")


def coefficients(scores: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation over each window of bars, all of their pairs together."""

    def windows(values: np.ndarray) -> np.ndarray:
        sums = np.cumsum(values.sum(axis=2), axis=1)
        sums = np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)
        return np.asarray(sums[:, WINDOW:] - sums[:, :-WINDOW])

    count = WINDOW * scores.shape[2]
    x, y = windows(scores), windows(outcomes)
    covariance = count * windows(scores * outcomes) - x * y
    spread = (count * windows(scores**2) - x**2) * (count * windows(outcomes**2) - y**2)
    return np.asarray(covariance / np.sqrt(spread))
