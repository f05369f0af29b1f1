"""Forward returns by pandas, from what was landed: prices adjusted and shifted by another hand."""

from __future__ import annotations

import exchange_calendars as xcals
import numpy as np
import pandas as pd

from warehouse import database

HORIZONS = (1, 5, 10, 21)

BARS = """
    select distinct on (instrument_id, bar_ts) instrument_id, session_date, close, is_withdrawn
    from raw_market.bars
    where timeframe = '1d' and source = 'oracle'
    order by instrument_id, bar_ts, revision desc
"""
ACTIONS = """
    select distinct on (instrument_id, action_type, ex_date)
        instrument_id, action_type, ex_date, split_ratio, cash_amount, is_withdrawn
    from ref.corporate_actions
    order by instrument_id, action_type, ex_date, revision desc
"""


def frame(statement: str) -> pd.DataFrame:
    """Return the rows of a statement."""
    with database.connect("tests") as conn:
        cursor = conn.execute(statement.encode())
        columns = [each.name for each in cursor.description or []]
        return pd.DataFrame(cursor.fetchall(), columns=columns)


def total_return_prices() -> pd.DataFrame:
    """Return closes by session (index) and instrument (columns), NaN where no bar is.

    Unadjusted closes, divided by every later split; a dividend takes its share of the last close
    before its ex-date off every earlier price.
    """
    bars = frame(BARS)
    bars = bars[~bars["is_withdrawn"].astype(bool)].astype({"close": float})
    sessions = xcals.get_calendar("XNYS", start="1990-01-01").sessions
    prices = bars.pivot(index="session_date", columns="instrument_id", values="close")
    prices.index = pd.to_datetime(prices.index)
    actions = frame(ACTIONS)
    for action in actions[~actions["is_withdrawn"].astype(bool)].itertuples():
        if action.instrument_id not in prices:
            continue
        ex_date = pd.Timestamp(action.ex_date)
        before = prices.index < ex_date
        if action.action_type == "split":
            factor = 1 / float(action.split_ratio)
        else:
            raw = bars[bars["instrument_id"] == action.instrument_id]
            earlier = raw[pd.to_datetime(raw["session_date"]) < ex_date].sort_values("session_date")
            close = earlier["close"].iloc[-1] if len(earlier) else np.nan
            factor = 1 - float(action.cash_amount) / close if len(earlier) else 1.0
        prices.loc[before, action.instrument_id] *= factor
    return prices.reindex(sessions[(sessions >= prices.index[0]) & (sessions <= prices.index[-1])])


def forward_returns(horizon: int) -> pd.DataFrame:
    """Return labels by session and instrument: NaN while they are open."""
    prices = total_return_prices()
    return prices.shift(-horizon) / prices - 1
