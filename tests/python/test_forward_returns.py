"""Labels against pandas, from the landing zone; that they are re-opened is test_stateful.py's."""

from __future__ import annotations

from collections.abc import Iterator

import exchange_calendars as xcals
import numpy as np
import pandas as pd
import pytest

from corrections import withdraw
from databases import cloned_database
from dbt_runs import dbt, dbt_failures
from label_oracles import HORIZONS, forward_returns, frame
from schedules import Schedule
from warehouse.config import Home

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")
GONE = range(60, 63)

LABELS = """
    select instrument_id, session_date, horizon, entry_at, label_end_at, fwd_ret, is_mature
    from intermediate.int_forward_returns
"""


@pytest.fixture(scope="module")
def labels(home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
           ) -> Iterator[pd.DataFrame]:  # fmt: skip
    """Labels of two series with holes, a split, a dividend and a corrected bar, in two builds."""
    with cloned_database(home, "test_labels", built_on_nothing):
        schedule = Schedule(tmp_path_factory.mktemp("labels"))
        schedule.land(AAPL, [*range(40), *range(41, 150)])
        schedule.land(IBM, list(range(120)))
        schedule.land(("AAPL", "1h"), list(range(30)))
        schedule.action(AAPL, "split", schedule.day(AAPL, 90), ratio=2)
        schedule.action(IBM, "cash_dividend", schedule.day(IBM, 50), amount=0.37)
        dbt("run", "--select", "+int_forward_returns")
        withdraw(schedule, IBM, list(GONE), source="oracle", ticker="IBM")
        schedule.correct(AAPL, [70], 0.25)
        schedule.land(IBM, list(range(120, 130)))
        dbt("run", "--select", "+int_forward_returns")
        yield frame(LABELS)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_pandas_says_the_same(labels: pd.DataFrame, horizon: int) -> None:
    expected = forward_returns(horizon)
    ours = labels[labels["horizon"] == horizon].pivot(
        index="session_date", columns="instrument_id", values="fwd_ret"
    )
    ours.index = pd.to_datetime(ours.index)
    ours = ours.astype(float).reindex(expected.index)
    np.testing.assert_allclose(ours.to_numpy(), expected.to_numpy(), rtol=1e-11, atol=1e-13)
    assert ours.notna().sum().sum() > 200


def test_a_label_ends_at_a_close_and_is_open_until_then(labels: pd.DataFrame) -> None:
    closes = xcals.get_calendar("XNYS", start="1990-01-01").closes
    sessions = pd.DatetimeIndex(closes.index)
    assert (labels["is_mature"] == labels["label_end_at"].notna()).all()
    assert (labels["is_mature"] == labels["fwd_ret"].notna()).all()
    assert labels["is_mature"].mean() < 1
    at = sessions.get_indexer(pd.to_datetime(labels["session_date"]))
    assert (pd.to_datetime(labels["entry_at"], utc=True) == closes.iloc[at].to_numpy()).all()
    mature = labels["is_mature"].to_numpy(bool)
    ends = closes.iloc[(at + labels["horizon"].to_numpy(int))[mature]].to_numpy()
    assert (pd.to_datetime(labels["label_end_at"][mature], utc=True) == ends).all()


def test_every_daily_bar_has_every_label_and_no_other_bar_has_one(labels: pd.DataFrame) -> None:
    assert len(labels) == (149 + 130 - len(GONE)) * len(HORIZONS)
    assert sorted(labels["horizon"].unique()) == list(HORIZONS)


def test_horizons_are_judged(labels: pd.DataFrame) -> None:
    twice = ("--vars", "{label_horizons: [5, 5]}")
    _, bad = dbt_failures("run", "--select", "int_forward_returns", *twice)
    assert "different whole numbers of sessions" in " ".join(bad)
