"""Predictions about the bars of a history, and what came true of them by pandas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import pandas as pd
import psycopg
from psycopg.types.json import Jsonb

from oracle_formulas import exchange
from schedules import Key, Schedule
from warehouse import database

TYPES = ("price_direction", "return", "volatility", "momentum")
INSERT = """
    insert into raw_ml.predictions (
        prediction_id, model_id, symbol, "timestamp", prediction_type, prediction_value,
        class_probabilities, horizon_bars, timeframe, features, feature_version
    )
    select
        prediction_id, model_id, symbol, "timestamp", prediction_type, prediction_value,
        class_probabilities, horizon_bars, timeframe, coalesce(features, '{}'), feature_version
    from jsonb_to_recordset(%s) as p (
        prediction_id text, model_id text, symbol text, "timestamp" timestamptz,
        prediction_type text, prediction_value float8, class_probabilities jsonb,
        horizon_bars integer, timeframe text, features jsonb, feature_version text
    )
    on conflict (prediction_id) do nothing
"""


def register(model: str, metrics: str = "{}") -> None:
    """Land a model, or what it claims now."""
    with database.connect("tests", autocommit=True) as conn:
        conn.execute(
            "insert into raw_ml.models (model_id, name, version, model_type, metrics)"
            " values (%s, %s, '1', 'test', %s)"
            " on conflict (model_id) do update set metrics = excluded.metrics",
            [model, f"name of {model}", metrics],
        )


def ends(schedule: Schedule, key: Key) -> pd.Series:
    """Return when each bar of a series ends: a session bar with its session."""
    bars = schedule.bars[key]
    closes = bars["session_date"].map(exchange("XNYS").closes)
    if key[1] == "1d":
        return closes
    return np.minimum(bars["clock"] + pd.Timedelta(key[1]), closes)


def predict(
    schedule: Schedule, key: Key, rows: Sequence[int], *, model: str, kind: str = TYPES[0],
    horizon: int = 1, values: Sequence[float | None], ups: Sequence[float | None] = (),
    symbol: str | None = None, features: Sequence[Mapping[str, object]] = (),
    feature_version: str | None = None, conn: psycopg.Connection | None = None,
) -> None:  # fmt: skip
    """Land one prediction for each row, a minute after the end of its bar.

    conn: an open transaction to write in; none: one of their own.
    """
    register(model)
    moments = ends(schedule, key) + pd.Timedelta(minutes=1)
    lines = [
        {
            "prediction_id": f"{model} {kind} {key[0]} {key[1]} {horizon} {row}",
            "model_id": model,
            "symbol": symbol or schedule.named(key, [row])[0],
            "timestamp": moments[row].isoformat(),
            "prediction_type": kind,
            "prediction_value": value,
            "class_probabilities": None if up is None else {"up": up, "down": 1 - up},
            "horizon_bars": horizon,
            "timeframe": key[1],
            "features": seen,
            "feature_version": feature_version,
        }
        for row, value, up, seen in zip(
            rows,
            values,
            list(ups) or [None] * len(rows),
            list(features) or [None] * len(rows),
            strict=True,
        )
    ]
    with nullcontext(conn) if conn else database.connect("tests") as session:
        session.execute(INSERT, [Jsonb(lines)])
    schedule.told.append(f"{model} predicts {kind} of {key} in {horizon} at {rows[0]}..{rows[-1]}")


def outcomes(schedule: Schedule, key: Key, horizon: int, factors: np.ndarray) -> pd.DataFrame:
    """Return realised return and volatility of a prediction made at each bar; NaN until mature.

    Of daily bars the label ends so many sessions of the exchange later, and of others so many bars.
    """
    bars = schedule.bars[key]
    landed = bars.index.isin(schedule.done[key])
    prices = pd.Series(np.where(landed, bars["close"] * factors, np.nan))
    if key[1] == "1d":
        prices.index = pd.DatetimeIndex(bars["session_date"])
        sessions = exchange("XNYS").sessions
        prices = prices.reindex(
            sessions[(sessions >= prices.index[0]) & (sessions <= prices.index[-1])]
        )
    steps = np.log(prices / prices.shift(1)) ** 2
    found = pd.DataFrame(
        {
            "realised_return": prices.shift(-horizon) / prices - 1,
            "realised_volatility": np.sqrt(steps.rolling(horizon).sum().shift(-horizon)),
        }
    )
    return found.reindex(pd.DatetimeIndex(bars["session_date"])) if key[1] == "1d" else found
