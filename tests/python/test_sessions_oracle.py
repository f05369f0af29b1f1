"""Sessions as landed against exchange_calendars and against dates that everybody can look up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pandas as pd
import pytest

import feature_oracles as oracles
import oracle_formulas as formulas
from conftest import TEMPLATE
from databases import cloned_database
from dbt_runs import dbt
from warehouse import database
from warehouse.config import Home
from warehouse.landing.bars import land_frame
from warehouse.landing.sessions import ensure_sessions

HALF_DAYS = ("2023-07-03", "2023-11-24", "2024-07-03", "2024-11-29", "2024-12-24")
AD_HOC = "2025-01-09"
"""A day of mourning: closed, and in no rule of holidays."""

DST = {"2024-03-08": 14.5, "2024-03-11": 13.5, "2024-11-01": 13.5, "2024-11-04": 14.5}
"""Last and first session around each change of clocks, and when it opens, hours UTC."""


@pytest.fixture(scope="module")
def hourly(home: Home) -> Iterator[pd.DataFrame]:
    """Features of hourly bars round the clock on days that are unlike others, New York."""
    with cloned_database(home, "test_sessions", TEMPLATE):
        with database.connect("tests") as conn:
            for calendar in ("XNYS", "XHKG", "CMES"):
                ensure_sessions(conn, calendar, date(2023, 1, 2), date(2025, 1, 31))
        days = [*HALF_DAYS[2:], AD_HOC, *DST, "2024-07-05", "2025-01-08"]
        clock = pd.DatetimeIndex(
            sorted(
                time
                for day in days
                for time in pd.date_range(day, periods=24, freq="h", tz="America/New_York")
            )
        )
        prices = dict.fromkeys(oracles.PRICES, 10.0)
        frame = pd.DataFrame({"time": clock, "symbol": "CLOCK", **prices, "volume": 1.0})
        profile = oracles.frame_profile(timeframe="1h", calendar="XNYS", timezone=None)
        assert land_frame(frame, profile=profile).quarantined == 0
        dbt("build")
        rows = oracles.published("CLOCK", "1h")
        yield rows.assign(day=rows["session_date"].astype(str)).set_index("timestamp", drop=False)


@pytest.mark.parametrize("calendar", ["XNYS", "XHKG", "CMES"])
def test_sessions_are_those_of_the_package(hourly: pd.DataFrame, calendar: str) -> None:
    with database.connect("tests") as conn:
        cursor = conn.execute(
            "select session_date, open_at, close_at, break_start_at, break_end_at, is_half_day"
            " from ref.exchange_sessions where calendar = %s"
            " and session_date between '2023-01-01' and '2025-01-31' order by session_date",
            [calendar],
        )
        landed = {day: times for day, *times in cursor}
    inner = formulas.exchange(calendar)
    wanted = inner.schedule.loc["2023-01-01":"2025-01-31"]
    short = set(inner.early_closes) | set(inner.late_opens)
    assert list(landed) == [day.date() for day in wanted.index]
    for day, row in wanted.iterrows():
        found = landed[day.date()]
        times = [row[name] for name in ("open", "close", "break_start", "break_end")]
        assert found[:4] == [None if pd.isna(at) else at for at in times], day
        assert found[4] == (day in short)


def test_known_days(hourly: pd.DataFrame) -> None:
    with database.connect("tests") as conn:
        rows = conn.execute(
            "select session_date::text, is_half_day, extract(epoch from close_at - open_at) / 60,"
            " extract(epoch from open_at - session_date::timestamp at time zone 'UTC') / 3600"
            " from ref.exchange_sessions where calendar = 'XNYS'"
        ).fetchall()
    sessions = {day: (half, minutes, float(opens)) for day, half, minutes, opens in rows}
    for day in HALF_DAYS:
        assert sessions[day][:2] == (True, 210), day
    assert AD_HOC not in sessions
    assert {day: sessions[day][2] for day in DST} == DST
    for year, count in (("2023", 250), ("2024", 252)):
        assert sum(day.startswith(year) for day in sessions) == count


def test_clock_follows_the_exchange(hourly: pd.DataFrame) -> None:
    # 9:00 local is the first hour that overlaps the session, in winter and in summer.
    first = hourly[hourly["is_market_open"] == 1].groupby("day").first()
    assert set(first["hour"]) == {9}
    assert set(first["minutes_since_open"]) == {-30}
    last = hourly[hourly["is_market_open"] == 1].groupby("day").last()
    assert dict(last["hour"]) == {day: 12 if day in HALF_DAYS else 15 for day in last.index}
    assert set(last["minutes_to_close"]) == {0}
    assert AD_HOC not in first.index


def test_day_without_session(hourly: pd.DataFrame) -> None:
    closed = hourly[hourly["day"] == AD_HOC]
    assert len(closed) == 24
    assert (closed["is_market_open"] == 0).all()
    unknown = ["is_half_day", "session_minutes", "minutes_since_open", "minutes_to_close"]
    assert closed[[*unknown, "session_progress"]].isna().all(axis=None)


def test_every_calendar_feature_equals_its_oracle(hourly: pd.DataFrame) -> None:
    bars = hourly.reset_index(drop=True)
    bars["clock"] = pd.to_datetime(bars["timestamp"], utc=True)
    bars["session_date"] = pd.to_datetime(bars["session_date"])
    names = oracles.oracle_names(bars, "XNYS", 60)
    for feature, row in oracles.catalogue().items():
        if row["family"] == "calendar":
            expected = oracles.evaluate(feature, names)
            found = oracles.disagreement(feature, bars[feature].to_numpy(), expected, bars)
            assert found is None, f"{feature}: {found}"
