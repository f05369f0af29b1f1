"""The law of incremental builds for live against backtest: equal to a full refresh."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from backtest_rows import AAPL, IBM, daily_bars, land_run, land_trades, opens, random_trades
from corrections import rename
from dbt_runs import needed_project
from live_rows import correct_fill, land_account, land_fills, state_capital
from mutants import Mutant, planted
from schedules import Schedule
from warehouse import database

RUNS = "models/intermediate/backtests/int_backtest_runs_this_run.sql"

MUTANTS: dict[str, Mutant] = {
    "a correction is looked for at its own time": (
        RUNS, 'min(least(fills."timestamp", corrected."timestamp"))', 'min(fills."timestamp")',
    ),
    "bars of what only live traded are not looked for": (
        RUNS, "moved.symbol = any(traded.symbols)", "false",
    ),
}  # fmt: skip


def begun(project: Path, folder: Path) -> Schedule:
    """A backtest of AAPL, traded live with IBM on one account, and on others without capital."""
    schedule = Schedule(folder, project)
    schedule.land(AAPL, list(range(200)))
    schedule.land(IBM, list(range(80)))
    bars = {key[0]: daily_bars(schedule, key) for key in (AAPL, IBM)}
    both = bars["IBM"].index.intersection(bars["AAPL"].index)
    for account in ("real", "paper", "later"):
        land_account(account)
    land_run("test", both[5:60], strategy="s")
    land_trades("test", random_trades({"AAPL": bars["AAPL"]}, both[5:60], 1))
    land_fills("real", random_trades(bars, both[:60], 2))
    land_fills("paper", random_trades(bars, both[10:50], 3))
    state_capital("real", opens(both[0]) - pd.Timedelta("1D"), 80_000)
    state_capital("later", opens(both[0]), 50_000, strategy="")
    schedule.build()
    return schedule


def days(schedule: Schedule) -> pd.DatetimeIndex:
    """Return the sessions that both series have."""
    return daily_bars(schedule, IBM).index.intersection(daily_bars(schedule, AAPL).index)


def corrected(schedule: Schedule) -> None:
    """Take a fill back after the end of the test, in a correction of that time."""
    correct_fill("real", 5, None, at=days(schedule)[75])


def asked() -> set[str]:
    """Return which backtests the last build judged anew."""
    with database.connect("tests") as conn:
        found = conn.execute("select run_id from intermediate.int_backtest_runs_this_run")
        return {run for (run,) in found.fetchall()}


def reasons() -> dict[str, str | None]:
    """Return why accounts are not compared."""
    with database.connect("tests") as conn:
        query = "select account_id, not_compared_because from marts.backtest_live_gap"
        return dict(conn.execute(query).fetchall())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The part of the project that makes the mart: half of the models in half of the time."""
    return needed_project(tmp_path / "needed", "backtest_live_gap")


def test_what_lands_later_reopens_what_it_must(fresh: str, tmp_path: Path, project: Path) -> None:
    schedule = begun(project, tmp_path)
    assert reasons() == {"real": None, "paper": "no capital stated"}
    both = days(schedule)
    # Nothing of this is about the test: fills, capital and bars after its end.
    land_fills("real", [("IBM", both[70], 5.0, 110.0, 0.0)], first=900)
    state_capital("real", opens(both[70]), 1)
    schedule.land(IBM, list(range(80, 90)))
    schedule.build()
    assert asked() == set()
    corrected(schedule)
    # Capital that is stated late and stated anew, fills that come late, another account.
    state_capital("paper", opens(both[0]), 30_000)
    state_capital("real", opens(both[30]), 70_000)
    state_capital("real", opens(both[30]), 75_000, revision=1)
    land_fills("later", [("AAPL", both[20], 10.0, 25.0, 1.0)])
    schedule.correct(IBM, [40], 0.25)
    schedule.compare()
    assert reasons() == {"real": None, "paper": None, "later": None}


def test_what_is_known_of_accounts_and_instruments_counts(
    fresh: str, tmp_path: Path, project: Path
) -> None:
    schedule = begun(project, tmp_path)
    both = days(schedule)
    land_fills("later", [("AAPL", both[20], 10.0, 25.0, 1.0)])
    # Somebody else trades on the account, so that its worth is not the strategy's.
    land_account("other", strategies=("else",))
    land_fills("later", [("AAPL", both[21], 10.0, 25.0, 1.0)], strategy="else", first=2)
    schedule.action(IBM, "split", str(both[40].date()), ratio=2)
    schedule.change_ticker("IBM", str(both[30].date()))
    rename(schedule, "IBM", *schedule.tickers["IBM"])
    with database.connect("tests") as conn:
        conn.execute("update raw_trading.accounts set account_type = 'paper'")
        conn.execute("update ref.instruments set currency = 'EUR' where symbol = 'IBM'")
    schedule.compare(keep=True)
    assert (reasons()["later"], reasons()["real"]) == ("no capital stated", "another currency")
    schedule.compare(as_of="2020-01-01T00:00:00Z")
    assert reasons() == {}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_caught(fresh: str, tmp_path: Path, mutant: str) -> None:
    project = planted(MUTANTS[mutant], tmp_path / mutant.replace(" ", "_"), "backtest_live_gap")
    schedule = begun(project, tmp_path)
    if mutant.startswith("a correction"):
        corrected(schedule)
    else:
        schedule.correct(IBM, list(range(30, 50)), 0.25)
    with pytest.raises(AssertionError, match="in full refresh"):
        schedule.compare()
