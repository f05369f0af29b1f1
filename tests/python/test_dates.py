"""Time zones of sessions, days on which clocks change and leap days change no number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest

from comparison import differences, freeze, incremental_models
from databases import cloned_database
from feature_oracles import PRICES, SHIPPED, frame_profile
from schedules import Schedule
from warehouse import config, database
from warehouse.config import Home
from warehouse.landing.bars import land_frame

ZONES = ("UTC", "America/New_York", "Asia/Kolkata")
ROUND_THE_CLOCK = ("2024-02-28", "2024-03-09", "2024-11-02", "2024-12-30")
"""Three days each of hourly bars: a leap day, both changes of New York's clock, the year's end."""

IBM, LEAP = ("IBM", "1d"), "2008-02-29"
AAPL = ("AAPL", "1h")


def hours() -> pd.DataFrame:
    """Return bars of every hour of those days, with prices made of the row's number."""
    clock = pd.DatetimeIndex(
        [hour for day in ROUND_THE_CLOCK for hour in pd.date_range(day, periods=72, freq="h")]
    )
    middle = 100 + 10 * np.sin(np.arange(len(clock)) / 7)
    frame = pd.DataFrame({"time": clock.tz_localize("UTC"), "symbol": "COIN"})
    frame[PRICES] = np.column_stack([middle, middle + 1, middle - 1, middle + 0.5]).round(4)
    return frame.assign(volume=1000.0 + np.arange(len(clock)) % 24)


@pytest.fixture(scope="module")
def base(
    home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Half of each series landed and built."""
    with cloned_database(home, "test_dates", built_on_nothing) as name:
        schedule = history(tmp_path_factory.mktemp("dates"))
        for key, bars in schedule.bars.items():
            schedule.land(key, list(range(len(bars) // 2)))
        land_hours(slice(0, 150))
        schedule.build()
        yield name


def history(folder: Path) -> Schedule:
    """Return daily bars about a leap day, and hourly ones about a change of the clock."""
    schedule = Schedule(folder)
    daily = SHIPPED[1].read().query("'2007-10-01' <= session_date <= '2008-04-30'")
    hourly = SHIPPED[4].read()
    around = hourly["clock"].between("2024-10-20", "2024-11-20")
    schedule.bars = {
        IBM: daily.reset_index(drop=True),
        AAPL: hourly[around].reset_index(drop=True),
    }
    schedule.done = {key: set() for key in schedule.bars}
    return schedule


def land_hours(rows: slice) -> None:
    result = land_frame(hours()[rows], profile=frame_profile(timeframe="1h", calendar="24/7"))
    assert result.quarantined == 0, result


@pytest.mark.parametrize("zone", ZONES)
def test_marts_are_the_same_in_every_zone(home: Home, base: str, tmp_path: Path, zone: str) -> None:
    """Built in steps in one zone, they equal what a full refresh in UTC gives."""
    with cloned_database(home, "test_zone", base) as name:
        with database.connect("tests", autocommit=True) as conn:
            conn.execute(f"alter database {name} set timezone = '{zone}'")
        with psycopg.connect(config.connection().url()) as conn:
            assert conn.execute("show timezone").fetchone() == (zone,)
        schedule = history(tmp_path)
        for key, bars in schedule.bars.items():
            schedule.land(key, list(range(len(bars))))
        land_hours(slice(100, None))
        schedule.correct(AAPL, [len(schedule.bars[AAPL]) // 2], 0.5)
        schedule.build(instant="2024-11-04T00:30:00Z")
        models = incremental_models()
        freeze(models)
        with database.connect("tests", autocommit=True) as conn:
            conn.execute(f"alter database {name} set timezone = 'UTC'")
        schedule.build("--full-refresh", instant="2024-11-04T00:30:00Z")
        assert differences(models) == []
        check_days()


def check_days() -> None:
    """Check the days themselves, by the exchange's clock and by UTC."""
    with database.connect("tests") as conn:
        leap = conn.execute(
            "select day_of_month, month, day_of_year, days_since_previous_session"
            " from marts.feature_engineered_data where symbol = 'IBM' and session_date = %s",
            [LEAP],
        ).fetchall()
        assert leap == [(29, 2, 60, 1)]
        # The clock went back on 3 November 2024: the first bar of a session is at 9 by New York.
        first = conn.execute(
            'select distinct hour, extract(hour from "timestamp")::integer'
            " from marts.feature_engineered_data where symbol = 'AAPL' and timeframe = '1h'"
            " and is_first_bar_of_session and session_date between '2024-11-01' and '2024-11-05'"
        ).fetchall()
        assert sorted(first) == [(9, 13), (9, 14)]
        days = conn.execute(
            "select count(*), min(records), max(records) from intermediate.int_features_daily"
            " inner join ref.instruments using (instrument_id) where instruments.symbol = 'COIN'"
        ).fetchone()
        assert days == (12, 24, 24)
        year = conn.execute(
            "select min(day_of_year), max(day_of_year) from marts.feature_engineered_data"
            " where symbol = 'COIN' and session_date between '2024-12-31' and '2025-01-01'"
        ).fetchone()
        assert year == (1, 366)
