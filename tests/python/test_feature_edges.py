"""Handmade series at the edges of what a market can do: every feature is still its oracle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

import feature_oracles as oracles
from conftest import TEMPLATE
from databases import cloned_database
from dbt_runs import dbt
from edge_bars import SERIES, land_edges
from warehouse import database
from warehouse.config import Home

Rows = dict[str, tuple[pd.DataFrame, pd.DataFrame]]


@pytest.fixture(scope="module")
def built(home: Home) -> Iterator[Rows]:
    """Published and landed rows by symbol."""
    with cloned_database(home, "test_edges", TEMPLATE):
        land_edges()
        dbt("build")
        landed = {
            symbol: bars.assign(clock=bars["session_date"].dt.tz_localize("UTC"))
            for symbol, bars in SERIES.items()
        }
        yield {symbol: (oracles.published(symbol, "1d"), landed[symbol]) for symbol in SERIES}


@pytest.mark.parametrize("symbol", SERIES)
def test_features_equal_oracles(built: Rows, symbol: str) -> None:
    rows, bars = built[symbol]
    names = oracles.oracle_names(bars, "24/7", 1440)
    wrong = {}
    with np.errstate(all="ignore"):
        for feature in oracles.catalogue():
            expected = oracles.evaluate(feature, names)
            found = oracles.disagreement(feature, rows[feature].to_numpy(), expected, bars)
            if found:
                wrong[feature] = found
    assert not wrong, "\n".join(f"{feature}: {found}" for feature, found in wrong.items())


def test_nothing_is_infinite_or_not_a_number(built: Rows) -> None:
    with database.connect("tests") as conn:
        for feature in oracles.catalogue():
            found = conn.execute(
                f'select symbol, "timestamp", {feature}::text from'
                f" marts.feature_engineered_data where {feature}::text"
                " in ('NaN', 'Infinity', '-Infinity') limit 1"
            ).fetchone()
            assert found is None, f"{feature}: {found}"
