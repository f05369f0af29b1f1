"""Training sets by pandas, from the landing tables as they were at an instant."""

from __future__ import annotations

from datetime import datetime

import exchange_calendars as xcals
import numpy as np
import pandas as pd
import talib

from label_oracles import frame

BARS = """
    select distinct on (instrument_id, bar_ts)
        instrument_id, session_date, high, low, close, volume, adjusted, is_withdrawn
    from raw_market.bars
    where timeframe = '1d' and known_at <= '{at}'
    order by instrument_id, bar_ts, revision desc
"""
ACTIONS = """
    select instrument_id, action_type, ex_date, split_ratio, cash_amount
    from ref.corporate_actions where known_at <= '{at}'
"""
FEATURES = (
    "returns",
    "returns_24",
    "sma_20",
    "rolling_std_24",
    "rsi_14",
    "atr_14",
    "obv",
    "volume_sma_5",
)


def expected(as_of: datetime, horizon: int, *, without: tuple[int, ...] = ()) -> pd.DataFrame:
    """Return rows with some features and the label, joined by time: an as-of join of two tables."""
    bars = frame(BARS.format(at=as_of.isoformat()))
    actions = frame(ACTIONS.format(at=as_of.isoformat()))
    bars = bars[~bars["is_withdrawn"].astype(bool) & ~bars["instrument_id"].isin(without)]
    closes = xcals.get_calendar("XNYS", start="1990-01-01").closes
    sessions = pd.DatetimeIndex(closes.index)
    made = []
    for instrument, series in bars.groupby("instrument_id"):
        own = actions[actions["instrument_id"] == instrument]
        made.append(_series(series.sort_values("session_date").copy(), own))
    rows = pd.concat(made)
    at = sessions.get_indexer(pd.to_datetime(rows["session_date"]))
    rows["prediction_at"] = closes.iloc[at].to_numpy()
    rows["ends_at"] = closes.iloc[at + horizon].to_numpy()
    stamp = "datetime64[us, UTC]"
    rows = rows.astype({"prediction_at": stamp, "ends_at": stamp}).sort_values("prediction_at")
    prices = rows[["instrument_id", "prediction_at", "total"]].rename(
        columns={"prediction_at": "label_end_at", "total": "end_price"}
    )
    # The price at the end of the label: of that very close, or none.
    joined = pd.merge_asof(
        rows.sort_values("ends_at"), prices, left_on="ends_at", right_on="label_end_at",
        by="instrument_id", direction="backward", tolerance=pd.Timedelta(0),
    )  # fmt: skip
    joined["label"] = joined["end_price"] / joined["total"] - 1
    return joined.dropna(subset=["label"]).sort_values(["instrument_id", "prediction_at"])


def _series(series: pd.DataFrame, actions: pd.DataFrame) -> pd.DataFrame:
    """Add adjusted prices and features to the bars of an instrument."""
    days = pd.to_datetime(series["session_date"])
    numbers = series[["high", "low", "close", "volume"]].astype(float)
    dividends = np.ones(len(series))
    raw = numbers["close"].to_numpy().copy()
    for action in actions.itertuples():
        before = (days < pd.Timestamp(action.ex_date)).to_numpy()
        if action.action_type == "split":
            ratio = float(action.split_ratio)
            numbers.loc[before, ["high", "low", "close"]] /= ratio
            numbers.loc[before, "volume"] *= ratio
        elif before.any():
            dividends[before] *= 1 - float(action.cash_amount) / raw[before][-1]
    high, low, close, volume = (numbers[name] for name in ("high", "low", "close", "volume"))
    series["total"] = close * dividends
    series["returns"] = close.pct_change()
    series["returns_24"] = close.pct_change(24)
    series["sma_20"] = close.rolling(20).mean()
    series["rolling_std_24"] = close.rolling(24).std()
    series["rsi_14"] = talib.RSI(close.to_numpy(), 14)
    series["atr_14"] = talib.ATR(high.to_numpy(), low.to_numpy(), close.to_numpy(), 14)
    series["obv"] = talib.OBV(close.to_numpy(), volume.to_numpy())
    series["volume_sma_5"] = volume.rolling(5).mean()
    return series
