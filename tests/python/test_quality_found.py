"""Planted defects: each is found, and nothing else is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from quality_bars import clean, findings, found, land, minutes, sessions, vendor
from warehouse import database as db
from warehouse.landing.bars import land_frame
from warehouse.quality import gate

DAYS = sessions("2024-01-02", "2024-03-28")

PLANTED: list[tuple[str, int, dict[str, Any]]] = [
    ("null_ohlc", 3, {"open": None}),
    ("non_finite", 5, {"close": np.inf}),
    ("non_finite", 7, {"volume": -np.inf}),
    ("out_of_range", 9, {"volume": 1e15}),
    ("non_positive_price", 11, {"low": -1.0}),
    ("high_lt_max_open_close", 15, {"close": 120.0}),
    ("low_gt_min_open_close", 17, {"open": 80.0}),
    ("negative_volume", 19, {"volume": -5.0}),
    ("null_volume", 21, {"volume": None}),
    ("zero_volume", 23, {"volume": 0.0}),
    ("flat_bar", 25, {"open": 107.0, "high": 107.0, "low": 107.0, "close": 107.0}),
]


def test_planted_defects_are_all_found_and_nothing_else(database: str) -> None:
    frame = pd.concat([clean(DAYS, "CLEAN"), clean(DAYS, "BAD"), clean(DAYS, "OTHER")])
    frame = frame.astype({"volume": "float64"}).reset_index(drop=True)
    first = len(DAYS)
    expected = set()
    for rule, position, values in PLANTED:
        for name, value in values.items():
            frame.loc[first + position, name] = value
        expected.add((rule, "BAD", f"{DAYS[position]:%Y-%m-%d}"))
    # Missing are two sessions in a row, and one.
    frame = frame.drop(index=[first + 30, first + 31, first + 40])
    expected |= {("missing_session", "BAD", f"{DAYS[i]:%Y-%m-%d}") for i in (30, 40)}
    # On a Saturday, and 50 % up and down again.
    frame.loc[first + 45, "time"] = pd.Timestamp("2024-03-09")
    expected.add(("non_session_day", "BAD", "2024-03-09"))
    expected.add(("missing_session", "BAD", f"{DAYS[45]:%Y-%m-%d}"))
    frame.loc[first + 50, ["open", "high", "low", "close"]] = [160.0, 161.0, 159.0, 160.0]
    expected |= {("jump_gt_40pct", "BAD", f"{DAYS[50]:%Y-%m-%d}")}

    batch = land(frame)
    counts = found(batch)

    got = findings()
    assert {each for each in got if each[1] != "BAD"} == set()
    assert got == expected
    assert counts["missing_session"] == 4
    assert counts["non_finite"] == 2


def test_high_below_low_breaks_every_rule_it_breaks(database: str) -> None:
    frame = clean(DAYS, "BAD")
    low, high = frame.loc[4, "low"], frame.loc[4, "high"]
    frame.loc[4, "high"], frame.loc[4, "low"] = float(low), float(high)
    day = f"{DAYS[4]:%Y-%m-%d}"
    assert found(land(frame)) == {
        "high_lt_low": 1,
        "high_lt_max_open_close": 1,
        "low_gt_min_open_close": 1,
    }
    assert {each[2] for each in findings()} == {day}


def test_nan_as_text_is_not_positive(database: str) -> None:
    frame = clean(DAYS, "BAD").astype({"close": "object"})
    frame.loc[4, "close"] = "NaN"
    frame.loc[5, "close"] = "inf"
    batch = land(frame.astype({"close": "string"}))
    assert found(batch) == {"non_finite": 2}


def test_unreadable_rows_are_counted(database: str) -> None:
    frame = clean(DAYS, "BAD").astype({"time": "string", "close": "string"})
    frame.loc[4, "time"] = "soon"
    frame.loc[5, "symbol"] = ""
    frame.loc[6, "close"] = "dear"
    counts = found(land(frame))
    assert counts["bad_time"] == counts["missing_symbol"] == counts["not_a_number"] == 1
    # A row without a readable key cannot fill its place in the series.
    assert counts["missing_session"] == 2


def test_conflicting_duplicates_are_counted(database: str) -> None:
    frame = clean(DAYS, "BAD")
    other = frame.iloc[[4]].assign(volume=7)
    assert found(land(pd.concat([frame, other]))) == {"conflicting_duplicate": 2}


def test_oil_may_be_negative(database: str) -> None:
    days = sessions("2020-04-16", "2020-04-24", "CMES")
    frame = clean(days, "CL", 20.0)
    frame.loc[2, ["open", "high", "low", "close"]] = [17.73, 17.85, -40.32, -37.63]
    assert f"{days[2]:%Y-%m-%d}" == "2020-04-20"
    allowed = land(frame, calendar="CMES", allow_negative_price=True)
    result = gate.check([allowed], docs=False)
    assert result.success
    assert "non_positive_price" not in {each.rule for each in result.results if each.found}
    assert {each[0] for each in findings()} == {"jump_gt_40pct"}

    share = land(frame.assign(symbol="SHARE"), calendar="CMES", source="other")
    assert found(share)["non_positive_price"] == 1


@pytest.mark.parametrize(
    ("day", "bars"),
    [
        ("2024-03-08", 13),  # before clocks go forward
        ("2024-03-11", 13),
        ("2024-11-01", 13),  # before clocks go back
        ("2024-11-04", 13),
        ("2024-11-29", 7),  # half-days
        ("2024-07-03", 7),
        ("2024-12-24", 7),
    ],
)
def test_sessions_follow_the_exchange(database: str, day: str, bars: int) -> None:
    times = minutes(f"{day} 09:00", f"{day} 16:00", "30min")
    assert found(land(clean(times), timeframe="30m")) == {"outside_session": len(times) - bars}


def test_clocks_change_between_two_bars(database: str) -> None:
    times = [
        *minutes("2024-03-08 09:30", "2024-03-08 15:30", "30min"),
        *minutes("2024-03-11 09:30", "2024-03-11 15:30", "30min"),
    ]
    assert found(land(clean(times), timeframe="30m")) == {}
    without = [each for each in times if f"{each:%d %H:%M}" not in ("08 15:30", "11 09:30")]
    assert found(land(clean(without, "GAP"), timeframe="30m")) == {"missing_bar": 2}


def test_closure_for_mourning(database: str) -> None:
    days = pd.to_datetime(["2025-01-07", "2025-01-08", "2025-01-09", "2025-01-10"])
    assert found(land(clean(list(days)))) == {"non_session_day": 1}
    assert found(land(clean([days[0], days[1], days[3]], "XYZ"))) == {}


def test_no_bars_are_expected_at_lunch(database: str) -> None:
    morning = minutes("2024-05-07 09:00", "2024-05-07 11:00", "30min")
    afternoon = minutes("2024-05-07 12:30", "2024-05-07 14:30", "30min")
    tokyo = {"timeframe": "30m", "calendar": "XTKS", "timezone": "Asia/Tokyo"}
    assert found(land(clean(morning + afternoon), **tokyo)) == {}
    assert found(land(clean(morning[:-1] + afternoon[1:], "GAP"), **tokyo)) == {"missing_bar": 2}
    at_lunch = [*morning, pd.Timestamp("2024-05-07 11:30"), *afternoon]
    assert found(land(clean(at_lunch, "LUNCH"), **tokyo)) == {"outside_session": 1}


@pytest.mark.parametrize("start", ["09:00", "09:30"])
def test_hours_from_midnight_and_from_the_open_are_on_the_grid(database: str, start: str) -> None:
    times = minutes(f"2024-05-07 {start}", "2024-05-07 15:59", "60min")
    assert found(land(clean(times), timeframe="1h")) == {}


def test_off_grid_and_future_times(database: str) -> None:
    times = minutes("2024-05-07 09:30", "2024-05-07 12:30", "30min")
    frame = clean([*times, pd.Timestamp("2024-05-07 13:07"), pd.Timestamp("2199-05-07 10:00")])
    counts = found(land(frame, timeframe="30m"))
    assert counts["off_grid_time"] == counts["future_time"] == 1


def test_a_known_split_explains_its_jump(database: str) -> None:
    frame = clean(DAYS)
    frame.loc[20:, ["open", "high", "low", "close"]] /= 4
    batch = land(frame)
    assert found(batch) == {"jump_gt_40pct": 1}
    with db.connect() as conn:
        conn.execute(
            "insert into ref.corporate_actions"
            " (instrument_id, action_type, ex_date, source, split_ratio, batch_id)"
            " select instrument_id, 'split', %s, 'acme', 4, 1 from ref.instruments",
            [DAYS[20].date()],
        )
    assert found(batch) == {}
    # A source that has adjusted for it already must not jump.
    assert found(land(frame, source="wrong", adjusted="splits")) == {"jump_gt_40pct": 1}


def test_one_new_day_is_compared_with_the_day_before(database: str) -> None:
    frame = clean(DAYS)
    frame.loc[30, ["open", "high", "low", "close"]] *= 2
    land(frame.iloc[:30])
    assert found(land(frame.iloc[[30]])) == {"jump_gt_40pct": 1}
    assert found(land(frame.iloc[[33]])) == {"jump_gt_40pct": 1, "missing_session": 2}
    # Days that come late are seen between their neighbours.
    assert found(land(frame.iloc[[31, 32]])) == {"jump_gt_40pct": 1}
    # A correction is compared with the bar before it, not with what it replaces.
    assert found(land(frame.iloc[[30]].assign(volume=7))) == {"jump_gt_40pct": 1}
    gate.check(docs=False)
    assert findings("table") == {("jump_gt_40pct", "ABC", f"{DAYS[i]:%Y-%m-%d}") for i in (30, 31)}


def test_the_same_series_under_two_symbols(database: str) -> None:
    old, new = clean(DAYS, "OLD"), clean(DAYS, "OLD").assign(symbol="RENAMED")
    batch = land(pd.concat([old, new, clean(DAYS, "OTHER")]))
    assert found(batch) == {"twin_series": len(DAYS)}
    assert findings() == {("twin_series", "RENAMED", f"{DAYS[0]:%Y-%m-%d}")}


def test_sources_that_disagree(database: str) -> None:
    mine = clean(DAYS)
    land(mine)
    theirs = mine.copy()
    theirs.loc[5, ["high", "close"]] = [120.0, 120.0]
    theirs.loc[6, "close"] += 0.25
    batch = land(theirs, source="other")
    assert found(batch) == {"sources_disagree": 1}
    adjusted = land_frame(theirs, profile=vendor(source="third", adjusted="splits"))
    assert found(adjusted.batch_id) == {}


def test_quotes_have_no_volume(database: str) -> None:
    columns = {name: name for name in ("symbol", "open", "high", "low", "close")}
    frame = clean(DAYS).drop(columns="volume")
    assert found(land(frame, columns={**columns, "timestamp": "time"})) == {}
