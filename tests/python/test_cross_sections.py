"""Cross-sections against pandas, and the law of incremental builds for them and for Alpha158."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import feature_oracles as oracles
from corrections import rename, withdraw
from databases import cloned_database
from dbt_runs import dbt
from edge_bars import SERIES, land_edges
from feature_oracles import SHIPPED
from mutants import MUTANTS_OF_FACTORS, planted
from schedules import Schedule
from warehouse import config, database
from warehouse.config import Home

FEATURES = (
    "returns", "roc_5", "roc_20", "price_to_sma_50", "realized_vol_24", "volume_zscore_20",
    "dollar_volume_sma_20", "amihud_illiquidity_20",
)  # fmt: skip
MINIMUM = 3
AAPL, IBM, MSFT = ("AAPL", "1d"), ("IBM", "1d"), ("MSFT", "1d")


def rows_of(query: str) -> pd.DataFrame:
    """Return what a query finds."""
    with database.connect("tests") as conn:
        cursor = conn.execute(query.encode())
        return pd.DataFrame(cursor.fetchall(), columns=[each.name for each in cursor.description])


# -------------------------------------------------------------------------------- values


@pytest.fixture(scope="module")
def edges(home: Home, built_on_nothing: str) -> Iterator[str]:
    """Handmade daily series of overlapping dates, landed and built."""
    with cloned_database(home, "test_cross_edges", built_on_nothing) as name:
        land_edges()
        dbt("run", "--select", "+features_cross_section")
        yield name


def landed() -> pd.DataFrame:
    """Return the features of the landed bars by their oracles, in the order of time and symbol."""
    parts = []
    for symbol, bars in SERIES.items():
        clock = bars["session_date"].dt.tz_localize("UTC")
        names = oracles.oracle_names(bars.assign(clock=clock), "24/7", 1440)
        with np.errstate(all="ignore"):
            values = {name: oracles.evaluate(name, names) for name in FEATURES}
        parts.append(pd.DataFrame({"timestamp": clock, "symbol": symbol, **values}))
    return pd.concat(parts).sort_values(["timestamp", "symbol"], ignore_index=True)


def compared(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what pandas makes of values by time: who there is, distances and ranks."""
    groups = frame.groupby("timestamp")
    found = pd.DataFrame({"instruments": groups["symbol"].transform("size")})
    for name in FEATURES:
        values, by_time = frame[name], groups[name]
        enough = values.notna() & (by_time.transform("count") >= MINIMUM)
        demeaned = values - by_time.transform("mean")
        varies = by_time.transform("nunique") > 1
        found[f"{name}_demeaned"] = demeaned.where(enough)
        found[f"{name}_zscore"] = (demeaned / by_time.transform("std")).where(enough & varies)
        found[f"{name}_rank"] = by_time.rank(pct=True).where(enough)
    return found


def assert_equal(column: str, actual: pd.Series, wanted: pd.Series, floor: pd.Series) -> None:
    """Compare to nine digits, or to a floor below which rounding decides; NULLs exactly."""
    left, right = actual.to_numpy(float), wanted.to_numpy(float)
    assert (np.isnan(left) == np.isnan(right)).all(), column
    assert not np.isinf(left).any(), column
    wrong = np.abs(left - right) > 1e-9 * np.abs(right) + floor.to_numpy(float)
    assert not wrong.any(), f"{column}: {left[wrong][0]!r}, {right[wrong][0]!r}"


def test_cross_sections_equal_pandas(edges: str) -> None:
    built = rows_of("select * from build.features_cross_section where timeframe = '1d'")
    built["timestamp"] = pd.to_datetime(built["timestamp"], utc=True)
    built = built.sort_values(["timestamp", "symbol"], ignore_index=True)
    built[list(FEATURES)] = built[list(FEATURES)].astype(float)
    wanted = landed()
    assert list(built["symbol"]) == list(wanted["symbol"])
    assert list(built["timestamp"]) == list(wanted["timestamp"])
    for name in FEATURES:
        size = wanted[name].abs().cummax().ffill().fillna(0)
        assert_equal(name, built[name], wanted[name], 1e-12 * size)
    # Of the values as they were built: two that rounding parts have ranks that nothing could tell.
    for column, right in compared(built).items():
        largest = pd.Series(1.0, index=built.index)
        if column.endswith("_demeaned"):
            values = built[column.removesuffix("_demeaned")].abs()
            largest = values.groupby(built["timestamp"]).transform("max").fillna(0)
        assert_equal(column, built[column], right, 1e-12 * largest)
    assert built["returns_rank"].notna().sum() > 3000


# ------------------------------------------------------------------------------ histories


def begun(project: Path, folder: Path) -> Schedule:
    """Land three daily series of the same days and others, and build."""
    schedule = Schedule(folder, project)
    schedule.bars[MSFT] = SHIPPED[2].read().iloc[100:430].reset_index(drop=True)
    schedule.done[MSFT] = set()
    for key in (AAPL, IBM, MSFT):
        schedule.land(key, list(range(250)))
    schedule.land(("AAPL", "1h"), list(range(70)))
    schedule.build()
    return schedule


def written() -> dict[str, set[object]]:
    """Return by table the bar starts of the rows that the last transactions wrote, and forget."""
    found = {}
    for name in ("build.features_cross_section", "marts.features_cross_section"):
        rows = rows_of(
            f'select "timestamp", instrument_id from {name} as present'
            " where not exists (select from seen where seen.place = present.tableoid"
            " and seen.at = present.ctid and seen.by = present.xmin)"
        )
        found[name] = set(rows["timestamp"])
        total = rows_of(
            f'select count(*) from {name} where "timestamp" = any(select "timestamp" from {name}'
            " as present where not exists (select from seen where seen.place = present.tableoid"
            " and seen.at = present.ctid and seen.by = present.xmin))"
        )
        assert total.iloc[0, 0] == len(rows), "a cross-section was written in part"
    return found


def remember() -> None:
    """Note which rows there are, by where they are and who wrote them, and the features."""
    with database.connect("tests") as conn:
        conn.execute("drop table if exists seen, before")
        conn.execute("create table before as table build.feature_engineered_data")
        conn.execute(
            "create table seen as"
            " select tableoid as place, ctid as at, xmin as by from build.features_cross_section"
            " union all select tableoid, ctid, xmin from marts.features_cross_section"
        )


def differing() -> set[object]:
    """Return the bar starts at which a daily feature of the cross-sections is another now."""
    columns = ", ".join(["instrument_id", '"timestamp"', *FEATURES])
    both = [
        f"select {columns} from {table} where timeframe = '1d'"
        for table in ("before", "build.feature_engineered_data")
    ]
    ways = [f"({one} except {other})" for one, other in (both, both[::-1])]
    found = rows_of(f'select distinct "timestamp" from ({" union all ".join(ways)}) as changed')
    return set(found["timestamp"])


def test_one_bar_touches_its_cross_sections_and_nothing_else(fresh: str, tmp_path: Path) -> None:
    schedule = begun(config.PROJECT, tmp_path)
    remember()
    schedule.correct(IBM, [120], 0.25)
    schedule.build()
    touched = differing()
    # The longest look-back is 49 bars; 129 bars of the series come after the one that changed.
    assert len(touched) == 50
    assert written() == dict.fromkeys(written(), touched)
    # The open is in none of these features, though everything after it is built again.
    remember()
    schedule.land(IBM, [60], change=lambda bars: bars.assign(open=bars["low"]))
    schedule.build()
    assert differing() == set()
    assert written() == {name: set() for name in written()}
    window = rows_of("select count(*) from intermediate.int_run_window where timeframe = '1d'")
    assert window.iloc[0, 0] == 1
    # A new day of one of the three.
    remember()
    schedule.land(MSFT, [250])
    schedule.build()
    assert len(differing()) == 1
    assert written() == dict.fromkeys(written(), differing())
    # Another choice of timeframes leaves nothing of the one before.
    dbt("run", "--vars", '{"factor_timeframes": ["1h"], "cross_section_minimum": 2}')
    for mart in ("features_cross_section", "features_alpha158"):
        query = f"select timeframe, count(*) as bars from marts.{mart} group by timeframe"
        assert rows_of(query).to_numpy().tolist() == [["1h", 70]]
    ranked = rows_of("select count(returns_rank) from marts.features_cross_section")
    assert ranked.iloc[0, 0] == 0


def test_factors_equal_their_full_refresh(fresh: str, tmp_path: Path) -> None:
    """Corrected, withdrawn, split and renamed; a build in between is not published."""
    schedule = begun(config.PROJECT, tmp_path)
    schedule.correct(AAPL, [200], 0.25)
    schedule.build("--exclude", "feature_coverage")
    withdraw(schedule, IBM, [249])
    schedule.action(AAPL, "split", schedule.day(AAPL, 230), ratio=2)
    schedule.change_ticker("IBM", schedule.day(IBM, 250))
    schedule.land(IBM, list(range(250, 260)))
    schedule.build()
    rename(schedule, "IBM", *schedule.tickers["IBM"])
    withdraw(schedule, MSFT, list(range(330)))
    schedule.correct(AAPL, [100], 0.5)
    schedule.compare()


def not_published(schedule: Schedule) -> None:
    """Correct a bar; the first build that knows of it is not published."""
    schedule.correct(AAPL, [200], 0.25)
    schedule.build("--exclude", "feature_coverage")


def taken_back(schedule: Schedule) -> None:
    """Withdraw the last bar of a series and land more of another."""
    withdraw(schedule, IBM, [249])
    schedule.land(AAPL, [250])


CAUGHT_BY = {
    "what nobody has seen is not compared": not_published,
    "a value that went is no change": taken_back,
    "positions in the run instead of the series": taken_back,
}


@pytest.mark.parametrize("mutant", MUTANTS_OF_FACTORS)
def test_mutants_are_caught(fresh: str, tmp_path: Path, mutant: str) -> None:
    marts = ("features_alpha158", "features_cross_section", "feature_coverage")
    project = planted(MUTANTS_OF_FACTORS[mutant], tmp_path / mutant.replace(" ", "_"), *marts)
    schedule = begun(project, tmp_path)
    CAUGHT_BY[mutant](schedule)
    told = "not published" if mutant == "what nobody has seen is not compared" else "in full"
    with pytest.raises(AssertionError, match=told) as caught:
        schedule.compare()
    assert re.search("features_(alpha158|cross_section)", str(caught.value))


@pytest.mark.parametrize(
    "value", ['{"factor_timeframes": []}', '{"factor_timeframes": ["1x"]}',
              '{"factor_timeframes": "1d"}', '{"cross_section_minimum": 1}'],
)  # fmt: skip
def test_wrong_vars_are_refused(database: str, value: str) -> None:
    with pytest.raises(AssertionError, match=r"factor_timeframes|cross_section_minimum"):
        dbt("run", "--vars", value)
