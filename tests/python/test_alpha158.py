"""Alpha158 against its oracle: qlib's expressions on the bars of the files, values and NULLs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import alpha158_oracle as oracle
from databases import cloned_database
from dbt_runs import dbt
from edge_bars import SERIES, land_edges
from feature_oracles import PRICES, SHIPPED, land_case
from warehouse import database
from warehouse.config import Home

REAL = {case.name: case for case in (SHIPPED[0], *SHIPPED[4:])}
ALL = '{"factor_timeframes": ["1m", "1h", "1d"]}'
FLOOR = 1e-12


@pytest.fixture(scope="module")
def mart(
    home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Every series landed and built once."""
    with cloned_database(home, "test_alpha158", built_on_nothing) as name:
        for case in REAL.values():
            land_case(case, tmp_path_factory.mktemp("splits"))
        land_edges()
        dbt("run", "--select", "+features_alpha158", "--vars", ALL)
        yield name
    _built.cache_clear()
    _expected.cache_clear()


@lru_cache
def _built(symbol: str, timeframe: str) -> pd.DataFrame:
    with database.connect("tests") as conn:
        cursor = conn.execute(
            "select * from build.features_alpha158"
            ' where symbol = %s and timeframe = %s order by "timestamp"',
            [symbol, timeframe],
        )
        columns = [column.name for column in cursor.description or []]
        return pd.DataFrame(cursor.fetchall(), columns=columns)


@lru_cache
def _expected(name: str) -> pd.DataFrame:
    bars = REAL[name].bars() if name in REAL else SERIES[name]
    return oracle.evaluate(bars[[*PRICES, "volume"]].astype(float))


def disagreements(name: str) -> list[str]:
    """Say where the mart differs from the oracle, one line for each feature that does."""
    symbol, timeframe = (REAL[name].symbol, REAL[name].timeframe) if name in REAL else (name, "1d")
    built, expected = _built(symbol, timeframe), _expected(name)
    assert len(built) == len(expected)
    found = []
    for feature, row in oracle.catalogue().items():
        actual, wanted = built[feature].to_numpy(float), expected[feature].to_numpy()
        is_null = np.isnan(actual) != np.isnan(wanted)
        excess = np.abs(actual - wanted) - float(row["tolerance"]) * np.abs(wanted) - FLOOR
        wrong = is_null | (np.nan_to_num(excess, nan=-1.0) > 0) | np.isinf(actual)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            found.append(
                f"{feature} of {name}: {wrong.sum()} rows, first bar {at + 1}:"
                f" mart {actual[at]!r}, oracle {wanted[at]!r}"
            )
    return found


@pytest.mark.parametrize("name", [*REAL, *SERIES], ids=lambda name: name.replace(" ", "_"))
def test_equals_oracle(mart: str, name: str) -> None:
    found = disagreements(name)
    assert not found, "\n".join(found)


def test_a_wrong_value_is_noticed(mart: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = _built("AAPL", "1d").copy()
    wrong.loc[77, "resi20"] *= 1 + 1e-8
    wrong.loc[5, "roc5"] = None
    monkeypatch.setitem(globals(), "_built", lambda _symbol, _timeframe: wrong)
    assert [each.split()[0] for each in disagreements("daily AAPL")] == ["roc5", "resi20"]


def test_catalogue_is_sound() -> None:
    rows = oracle.catalogue()
    assert len(rows) == 158
    for name, row in rows.items():
        assert row["memory"] == "finite", name
        assert all(row[each] for each in ("formula", "unit", "null_rule", "description")), name


def test_lookback_is_enough(mart: str) -> None:
    """A feature of the last of so many bars is that of the whole series."""
    bars = REAL["daily AAPL"].bars()[[*PRICES, "volume"]].astype(float)
    whole = _expected("daily AAPL").iloc[-1]
    lengths = {int(row["lookback_bars"]) for row in oracle.catalogue().values()}
    for back in lengths:
        short = oracle.evaluate(bars.iloc[-back - 1 :]).iloc[-1]
        for name, row in oracle.catalogue().items():
            if int(row["lookback_bars"]) <= back:
                np.testing.assert_allclose(
                    short[name], whole[name], rtol=1e-9, atol=1e-12, err_msg=name
                )


def test_range_and_first_bar_are_as_catalogued(mart: str) -> None:
    for name, row in oracle.catalogue().items():
        values = _built("AAPL", "1d")[name].to_numpy(float)
        assert np.flatnonzero(~np.isnan(values))[0] + 1 == int(row["first_valid_bar"]), name
        low, high = (float(row[end] or np.nan) for end in ("range_low", "range_high"))
        assert not (values < low - 1e-9).any(), name
        assert not (values > high + 1e-9).any(), name
