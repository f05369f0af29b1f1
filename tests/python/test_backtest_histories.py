"""The law of incremental builds for backtests: whatever lands when, equal to a full refresh."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from backtest_rows import AAPL, IBM, daily_bars, land_run, land_trades, random_trades
from corrections import rename, withdraw
from mutants import Mutant, planted
from schedules import Schedule
from warehouse import config, database

RUNS = "models/intermediate/backtests/int_backtest_runs_this_run.sql"

MUTANT: Mutant = (RUNS, "moved.symbol = any(built.symbols)", "false")
"""Bars are not looked for again; the history below must show it."""


def land_test(
    schedule: Schedule, run: str, first: int, last: int, seed: int, **facts: object
) -> None:
    """Land a run over rows of AAPL, with executions."""
    bars = {"AAPL": daily_bars(schedule, AAPL)}
    days = pd.DatetimeIndex(schedule.bars[AAPL]["session_date"][first:last])
    land_run(run, days, **facts)  # type: ignore[arg-type]
    land_trades(run, random_trades(bars, days, seed))


def history(project: Path, folder: Path) -> Schedule:
    """Runs and bars; then what is late, corrected, completed or put elsewhere."""
    schedule = Schedule(folder, project)
    schedule.land(AAPL, list(range(75)))
    for trial in range(2):
        land_test(schedule, f"grid {trial}", 20, 70, trial, search="grid", trials=3)
    land_test(schedule, "alone", 20, 50, 10)
    land_test(schedule, "slow", 20, 50, 11, search="old", status="running")
    land_test(schedule, "bars to come", 60, 76, 12)
    land_run("executions to come", daily_bars(schedule, AAPL).index[20:60])
    schedule.build()
    schedule.correct(AAPL, [64], 0.25)
    schedule.land(AAPL, list(range(75, 80)))
    land_test(schedule, "grid 2", 20, 70, 2, search="grid", trials=3)
    days = daily_bars(schedule, AAPL).index[20:60]
    land_trades("executions to come", random_trades({"AAPL": daily_bars(schedule, AAPL)}, days, 13))
    with database.connect("tests") as conn:
        conn.execute(
            "update raw_backtest.backtest_runs set parent_search_id = 'new', status = 'completed',"
            " metrics = '{\"sharpe\": 1}', finished_at = created_at where run_id = 'slow'"
        )
    return schedule


def values(query: str) -> dict[str, object]:
    """Return what a query of two columns finds."""
    with database.connect("tests") as conn:
        return dict(conn.execute(query.encode()).fetchall())


def test_what_lands_later_reopens_what_it_must(fresh: str, tmp_path: Path) -> None:
    schedule = history(config.PROJECT, tmp_path)
    deflated = "select run_id, deflated_sharpe from marts.backtest_performance"
    reasons = "select run_id, not_judged_because from marts.backtest_performance"
    searches = "select search_id, not_judged_because from marts.backtest_overfitting"
    before = values(deflated)
    assert values(reasons) == {
        "grid 0": None, "grid 1": None, "alone": None, "slow": "not completed",
        "bars to come": "bars missing", "executions to come": "no executions",
    }  # fmt: skip
    assert values(searches) == {"grid": "trials missing", "old": "trials missing"}
    schedule.build()
    assert set(values("select run_id, is_known from intermediate.int_backtest_runs_this_run")) == {
        "grid 0", "grid 1", "grid 2", "slow", "bars to come", "executions to come",
    }  # fmt: skip
    after = values(deflated)
    assert set(values(reasons).values()) == {None}
    assert values(searches)["grid"] is None
    assert set(values(searches)) == {"grid", "new"}
    assert (after["alone"], before["alone"]) == (before["alone"], after["alone"])
    assert after["grid 0"] != before["grid 0"]
    # A split, a withdrawn bar, and a ticker that turns out to be another instrument's.
    schedule.action(AAPL, "split", schedule.day(AAPL, 77), ratio=2)
    withdraw(schedule, AAPL, [40])
    schedule.land(IBM, list(range(20)))
    days = pd.DatetimeIndex(schedule.bars[IBM]["session_date"][:25])
    schedule.change_ticker("IBM", schedule.day(IBM, 20))
    schedule.land(IBM, list(range(20, 26)))
    land_run("renamed", days)
    price = float(schedule.bars[IBM]["open"][2])
    land_trades("renamed", [("IBM", days[2], 100, price, 1.0)])
    land_trades("renamed", [("IBM2", days[22], -100, float(schedule.bars[IBM]["open"][22]), 1.0)],
                first=2)  # fmt: skip
    schedule.build()
    assert values(reasons) == {
        "grid 0": "bars missing", "grid 1": "bars missing", "grid 2": "bars missing",
        "alone": "bars missing", "slow": "bars missing", "executions to come": "bars missing",
        "bars to come": None, "renamed": "bars missing",
    }  # fmt: skip
    rename(schedule, "IBM", *schedule.tickers["IBM"])
    schedule.compare()
    assert values(reasons)["renamed"] is None


def test_a_mutant_is_caught(fresh: str, tmp_path: Path) -> None:
    # The second mart decides which runs are looked at again, without a ref().
    marts = ("backtest_performance", "backtest_live_gap")
    schedule = history(planted(MUTANT, tmp_path / "mutant", *marts), tmp_path)
    with pytest.raises(AssertionError, match="in full refresh"):
        schedule.compare()
