"""Every feature against its oracle, on the real bars of the files themselves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import feature_oracles as oracles
from conftest import TEMPLATE
from databases import cloned_database
from dbt_runs import dbt
from feature_oracles import CASES, Case
from warehouse.config import Home
from warehouse.landing.samples import land_samples

CASES_BY_NAME = {case.name: case for case in CASES}


@pytest.fixture(scope="module")
def mart(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Every series landed and built once."""
    with cloned_database(home, "test_oracles", TEMPLATE) as name:
        land_samples()
        for case in CASES:
            if not case.shipped:
                oracles.land_case(case, tmp_path_factory.mktemp("splits"))
        dbt("build")
        yield name
    _published.cache_clear()
    _oracle.cache_clear()


@lru_cache
def _published(name: str) -> pd.DataFrame:
    case = CASES_BY_NAME[name]
    return oracles.published(case.symbol, case.timeframe)


@lru_cache
def _oracle(name: str) -> tuple[pd.DataFrame, dict[str, object]]:
    case = CASES_BY_NAME[name]
    bars = case.bars()
    return bars, oracles.oracle_names(bars, case.calendar, case.minutes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_bars_are_those_of_the_file(mart: str, case: Case) -> None:
    rows, (bars, _) = _published(case.name), _oracle(case.name)
    assert list(pd.to_datetime(rows["timestamp"], utc=True)) == list(bars["clock"])
    assert list(pd.to_datetime(rows["session_date"])) == list(bars["session_date"])
    assert list(rows["bar_number"]) == list(range(1, len(bars) + 1))
    for name in [*oracles.PRICES, "volume"]:
        np.testing.assert_allclose(rows[name], bars[name], rtol=1e-14, err_msg=name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
@pytest.mark.parametrize("feature", oracles.catalogue())
def test_feature_equals_oracle(mart: str, case: Case, feature: str) -> None:
    bars, names = _oracle(case.name)
    actual = _published(case.name)[feature].to_numpy()
    found = oracles.disagreement(feature, actual, oracles.evaluate(feature, names), bars)
    assert found is None, f"{feature} of {case.name}: {found}"


@pytest.mark.parametrize("feature", oracles.catalogue())
def test_catalogue_tells_range_and_first_bar(mart: str, feature: str) -> None:
    row = oracles.catalogue()[feature]
    low, high = (float(row[end] or np.nan) for end in ("range_low", "range_high"))
    for case in CASES:
        values = _published(case.name)[feature].to_numpy()
        slack = 1e-9 * (1 + np.nan_to_num(np.abs([low, high])).max())
        assert not (values < low - slack).any(), f"{case.name}: {np.nanmin(values)}"
        assert not (values > high + slack).any(), f"{case.name}: {np.nanmax(values)}"
        bar_numbers = np.flatnonzero(~np.isnan(values)) + 1
        assert (bar_numbers >= int(row["first_valid_bar"])).all(), case.name
    daily = _published("daily IBM")[feature].to_numpy()
    whole_day = "bars of a day or longer" in row["null_rule"]
    first = np.flatnonzero(~np.isnan(daily)) + 1
    assert (not len(first)) if whole_day else first[0] == int(row["first_valid_bar"])


def test_splits_are_those_that_were_landed() -> None:
    assert set(oracles.known_splits()) == {
        (case.symbol, day) for case in oracles.SHIPPED for day, _ in case.splits
    }
