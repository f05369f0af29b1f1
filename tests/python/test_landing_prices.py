"""Prices that cannot be are set aside in one pass, and instruments bring their calendar along."""

from __future__ import annotations

import pandas as pd
import pytest

from landing_files import ask
from warehouse.landing.batches import BatchResult
from warehouse.landing.records import land_records
from warehouse.landing.records.profile import record_profile

pytestmark = pytest.mark.usefixtures("database")
TIMES = pd.date_range("2024-01-02 15:00", periods=5_000, freq="s", tz="UTC")


def land(table: str, frame: pd.DataFrame, **keys: object) -> BatchResult:
    described = record_profile({"table": table, "source": "feed", **keys}, where="test")
    return land_records(table, frame, source="feed", profile=described)


def test_thousands_of_impossible_prices_are_found_at_once() -> None:
    frame = pd.DataFrame({"symbol": "X", "quote_ts": TIMES, "bid": 10.0, "ask": 11.0})
    frame.loc[::2, "bid"] = 0.0
    frame.loc[1, "ask"] = -1.0
    result = land("raw_market.quotes", frame)
    assert (result.landed, result.accepted, result.quarantined) == (5_000, 2_499, 2_501)
    assert result.rules == {"non_positive_price": 2_501}
    told = ask("select distinct rule, reason from ops.quarantine")
    assert told == [
        (
            "non_positive_price",
            "A price is zero or below, and its instrument allows no such prices."
            " Where nobody bids or asks, the price is left empty.",
        )
    ]


def test_negative_prices_land_where_the_profile_allows_them() -> None:
    frame = pd.DataFrame({"symbol": "CL", "tick_ts": TIMES[:1], "price": -37.63, "size": 1})
    assert land("raw_market.ticks", frame, calendar="CMES").quarantined == 1
    assert land("raw_market.ticks", frame.assign(symbol="NG"), allow_negative_price=True).accepted


def test_the_calendar_of_the_instruments_is_known() -> None:
    frame = pd.DataFrame({"symbol": "X", "tick_ts": TIMES, "price": 10, "size": 1})
    frame["seq"] = range(len(frame))
    assert land("raw_market.ticks", frame, calendar="XNYS").accepted == 5_000
    assert ask("select calendar, timezone from ref.calendars") == [("XNYS", "America/New_York")]
    assert ask(
        "select open_at::text from ref.exchange_sessions where session_date = '2024-01-02'"
    ) == [("2024-01-02 14:30:00+00",)]
