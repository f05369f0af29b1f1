"""Times of vendors: dates, zones, offsets, epochs, labels, clock changes, sessions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from exchange_calendars import get_calendar

from landing_files import vendor
from warehouse.errors import WarehouseError
from warehouse.landing.calendars import calendar
from warehouse.landing.times import TimeReader, Times, distinct

NEW_YORK = {"timezone": "America/New_York", "timeframe": "1h"}


def read(values: list[Any] | pa.Array, **keys: Any) -> Times:
    profile = vendor(**keys)
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return TimeReader(profile, calendar(profile.calendar), "test").read(array)


def one(value: Any, **keys: Any) -> tuple[datetime | None, date | None, str]:
    """Read a single time: its start in UTC, its session, its rule."""
    times = read([value], **keys)
    start, session = times.starts.iloc[0], times.sessions.iloc[0]
    return (
        None if pd.isna(start) else start.to_pydatetime(),
        None if pd.isna(session) else session.date(),
        times.rules.iloc[0],
    )


@pytest.mark.parametrize(
    "value", ["2024-01-02", "20240102", "2024-01-02 16:00", "2024-01-02T05:00:00Z",
              "2024-01-02 23:59:59.999999-05:00", "2024-01-03T04:59:59+00:00"]
)  # fmt: skip
def test_daily_bars_are_their_session(value: str) -> None:
    assert one(value) == (datetime(2024, 1, 2), date(2024, 1, 2), "")


def test_daily_bars_labelled_at_the_end() -> None:
    for value in (
        "2024-01-02",
        "2024-01-02 16:00",
        "2024-01-03 00:00",
        "2024-01-03T00:00:00-05:00",
    ):
        assert one(value, label="end")[1] == date(2024, 1, 2)


def test_daily_bars_with_offset_need_no_zone() -> None:
    assert one("2024-01-02T05:00:00Z", timezone=None)[1] == date(2024, 1, 2)


@pytest.mark.parametrize(
    ("value", "keys", "hour"),
    [
        ("2024-01-02 09:30", {}, (14, 30)),
        ("2024-07-02 09:30:00", {}, (13, 30)),
        ("2024-01-02T09:30:00.000000", {}, (14, 30)),
        ("2024-01-02 09:30:00-05:00", {}, (14, 30)),
        ("2024-01-02T14:30:00Z", {}, (14, 30)),
        ("2024-01-02T14:30:00+0000", {}, (14, 30)),
        ("2024-01-02 14:30", {"timezone": "UTC"}, (14, 30)),
        ("2024-01-02 10:30", {"label": "end"}, (14, 30)),
        ("02.01.2024 09:30", {"timestamp_format": "%d.%m.%Y %H:%M"}, (14, 30)),
        ("02/01/2024 14:30 +0000", {"timestamp_format": "%d/%m/%Y %H:%M %z"}, (14, 30)),
        ("1704205800", {"timestamp_format": "epoch_s"}, (14, 30)),
        ("1704205800.0", {"timestamp_format": "epoch_s"}, (14, 30)),
        ("1704205800000", {"timestamp_format": "epoch_ms"}, (14, 30)),
        ("1704205800000000", {"timestamp_format": "epoch_us"}, (14, 30)),
        ("1704205800000000000", {"timestamp_format": "epoch_ns"}, (14, 30)),
        (1704205800000, {"timestamp_format": "epoch_ms"}, (14, 30)),
        (datetime(2024, 1, 2, 9, 30), {}, (14, 30)),
        (datetime(2024, 1, 2, 14, 30, tzinfo=UTC), {}, (14, 30)),
    ],
)
def test_intraday_starts(value: Any, keys: dict[str, Any], hour: tuple[int, int]) -> None:
    start, session, rule = one(value, **(NEW_YORK | keys))
    assert start is not None
    assert (start.hour, start.minute, rule) == (*hour, "")
    assert session == date(start.year, start.month, start.day)


def test_mixed_forms_keep_their_order() -> None:
    values = ["2024-01-02 09:30", "soon", "2024-01-02T14:30:00Z", "2024-01-02", None]
    times = read(pa.array(values), **NEW_YORK)
    assert list(times.rules) == ["", "bad_time", "", "", "bad_time"]
    assert times.starts[0] == times.starts[2]
    assert times.starts[3] == pd.Timestamp("2024-01-02 05:00")


def test_clocks_put_back_and_forward() -> None:
    assert one("2024-11-03 01:30", **NEW_YORK) == (None, None, "ambiguous_time")
    assert one("2024-03-10 02:30", **NEW_YORK) == (None, None, "nonexistent_time")
    assert one("2024-11-03 01:30:00-05:00", **NEW_YORK)[2] == ""
    assert one("2024-11-03 02:00", **NEW_YORK)[0] == datetime(2024, 11, 3, 7)
    assert one("2024-03-10 03:00", **NEW_YORK)[0] == datetime(2024, 3, 10, 7)


@pytest.mark.parametrize("layout", ["epoch_s", "epoch_ms", "epoch_us", "epoch_ns"])
@pytest.mark.parametrize("value", ["x", "", "9" * 18, "99999999999999999999", "1e5", "nan"])
def test_epochs_out_of_reason(value: str, layout: str) -> None:
    start, _, rule = one(value, timestamp_format=layout, timeframe="1h")
    assert rule == ("bad_time" if start is None else "")
    assert start is None or (value == "9" * 18 and layout == "epoch_ns")


def test_numbers_need_a_unit() -> None:
    with pytest.raises(WarehouseError, match="timestamp_format"):
        one(1704205800000, **NEW_YORK)


@pytest.mark.parametrize("keys", [{}, {"timestamp_format": "%Y-%m-%d %H:%M"}])
def test_naive_times_need_a_zone(keys: dict[str, str]) -> None:
    with pytest.raises(WarehouseError, match="no zone"):
        one("2024-01-02 10:00", timezone=None, timeframe="1h", **keys)


def test_futures_session_opens_the_evening_before() -> None:
    keys = {"timezone": "America/Chicago", "timeframe": "1m", "calendar": "CMES"}
    assert one("2024-01-03 16:59", **keys)[1] == date(2024, 1, 3)
    assert one("2024-01-03 17:00", **keys)[1] == date(2024, 1, 4)
    assert one("2024-01-04 09:00", **keys)[1] == date(2024, 1, 4)


@pytest.mark.parametrize("name", ["XNYS", "XHKG", "CMES", "24/7"])
def test_sessions_against_exchange_calendars(name: str) -> None:
    inner = get_calendar(name)
    rng = np.random.default_rng(7)
    stamps = pd.Timestamp("2023-01-01") + pd.to_timedelta(
        rng.integers(0, 2 * 365 * 1440, 500), "min"
    )
    ours = calendar(name).sessions_of(pd.Series(stamps.astype("datetime64[us]")))
    for stamp, session in zip(stamps, ours, strict=True):
        utc = stamp.tz_localize("UTC")
        if inner.is_open_on_minute(utc, ignore_breaks=True):
            assert session == inner.minute_to_session(utc)
        else:
            assert session == utc.tz_convert(inner.tz).tz_localize(None).normalize()


def test_distinct_values_keep_null() -> None:
    values, index = distinct(pa.array(["b", None, "a", "b"]))
    assert values.to_pylist() == ["b", None, "a"]
    assert index.to_pylist() == [0, 1, 2, 0]
