"""The marts of backtests against other people's code, fed from what landed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from purgedcv import deflated_sharpe_ratio_full, probability_of_backtest_overfitting
from scipy import stats

from backtest_oracles import measured, probability, ratio, round_trips
from backtest_rows import (
    AAPL,
    IBM,
    Book,
    Trade,
    daily_bars,
    land_run,
    land_trades,
    random_trades,
    replayed,
    sessions,
)  # fmt: skip
from databases import cloned_database
from dbt_runs import dbt
from schedules import Schedule
from warehouse import database
from warehouse.config import Home

DAYS = sessions("2000-04-03", "2000-12-20")
EX_DATE = pd.Timestamp("2000-06-21")
MISSING = pd.Timestamp("2001-01-03")
"""A session of AAPL whose bar has not landed."""
TRIALS = 6
BLOCKS = 10

Runs = dict[str, tuple[pd.DataFrame, Book]]


def frame(query: str) -> pd.DataFrame:
    """Return what a query finds."""
    with database.connect("tests") as conn:
        cursor = conn.execute(query.encode())
        names = [column.name for column in cursor.description or []]
        return pd.DataFrame(cursor.fetchall(), columns=names)


@pytest.fixture(scope="module")
def built(
    home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, Runs]]:
    """Both marts by key, and what was expected of the runs that can be judged."""
    with cloned_database(home, "test_backtests", built_on_nothing):
        schedule = Schedule(tmp_path_factory.mktemp("backtests"))
        expected = land(schedule)
        dbt("build")
        runs = frame("select * from marts.backtest_performance").set_index("run_id")
        searches = frame("select * from marts.backtest_overfitting").set_index("search_id")
        yield runs, searches, expected


def land(schedule: Schedule) -> Runs:
    """Land bars with a true split, and runs that trade in every awkward way."""
    missing = int(np.flatnonzero(schedule.bars[AAPL]["session_date"] == MISSING)[0])
    schedule.land(AAPL, [row for row in range(260) if row != missing])
    schedule.land(IBM, list(range(150)))
    schedule.action(AAPL, "split", str(EX_DATE.date()), ratio=2)
    schedule.action(AAPL, "cash_dividend", "2000-09-01", amount=0.5)
    traded = {key[0]: daily_bars(schedule, key) for key in (AAPL, IBM)}
    adjusted = traded | {"AAPL": traded["AAPL"].copy()}
    before = adjusted["AAPL"].index < EX_DATE
    adjusted["AAPL"].loc[before, ["open", "high", "low", "close"]] /= 2
    expected: Runs = {}

    def run(
        name: str, bars: dict[str, pd.DataFrame], trades: list[Trade], days: pd.DatetimeIndex,
        splits: dict[str, tuple[pd.Timestamp, float]] | None = None,
        slippage: float | None = None, **facts: object,
    ) -> None:  # fmt: skip
        land_run(name, days, **facts)  # type: ignore[arg-type]
        land_trades(name, trades, slippage=slippage)
        closes = {symbol: prices["close"] for symbol, prices in bars.items()}
        expected[name] = replayed(trades, closes, days, splits=splits)

    for trial in range(TRIALS):
        days = DAYS[7:] if trial == 2 else DAYS
        # One stands still after its first weeks.
        trading = days[:25] if trial == 3 else days
        trades = random_trades(adjusted, trading, trial)
        if trial == 3:
            held = {s: sum(t[2] for t in trades if t[0] == s) for s in ("AAPL", "IBM")}
            out = days[25]
            trades += [
                (s, out, -n, float(adjusted[s]["close"][out]), 1.0) for s, n in held.items() if n
            ]
        run(f"grid {trial}", adjusted, trades, days, search="grid", trials=TRIALS, slippage=0.01)
    # Prices as they were traded, through the split.
    run(
        "traded", traded, [
            ("AAPL", DAYS[3], 100, float(traded["AAPL"]["open"][DAYS[3]]), -1.5),
            ("IBM", DAYS[90], -50, float(traded["IBM"]["open"][DAYS[90]]), 2.0),
            ("AAPL", DAYS[100], -300, float(traded["AAPL"]["open"][DAYS[100]]), 3.0),
            ("AAPL", DAYS[120], 70, float(traded["AAPL"]["open"][DAYS[120]]), 4.0),
        ], DAYS, splits={"AAPL": (EX_DATE, 2.0)},
        metrics={"net_profit": 1000, "sharpe": 1.5, "max_drawdown": 0.2, "win_rate": "half"},
    )  # fmt: skip
    # Made before anybody knew of the split; all it tested was before it, too.
    early = DAYS[DAYS < EX_DATE]
    trades = random_trades({"AAPL": traded["AAPL"]}, early, 50)
    run("early", traded, trades, early, created=EX_DATE.tz_localize("UTC") - pd.Timedelta("2D"))
    for trial in range(3):
        run(f"luck {trial}", adjusted, random_trades(adjusted, DAYS[:40], 60 + trial), DAYS[:40],
            search="luck", trials=20)  # fmt: skip
    for trial in range(2):
        run(f"failing {trial}", adjusted, random_trades(adjusted, DAYS, 70 + trial), DAYS,
            search="failing", trials=4)  # fmt: skip
    land_run("failing 2", DAYS, search="failing", trials=4, status="failed")
    land_run("failing 3", DAYS, search="failing", trials=4)
    for trial in range(2):
        run(f"short {trial}", adjusted, random_trades(adjusted, DAYS[:15], 80 + trial), DAYS[:15],
            search="short", trials=2)  # fmt: skip
    one: Trade = ("AAPL", DAYS[0], 10, float(adjusted["AAPL"]["open"][DAYS[0]]), 0.0)
    run("one session", adjusted, [one], DAYS[:1])
    land_spoilt(one, traded)
    return expected


def land_spoilt(good: Trade, traded: dict[str, pd.DataFrame]) -> None:
    """Land runs that nobody can judge; each is named after the reason."""
    symbol, day, units, price, _ = good
    land_run("not completed", DAYS, status="running")
    land_trades("not completed", [good])
    land_run("no executions", DAYS)
    land_run("no initial capital", DAYS, capital=None)
    land_trades("no initial capital", [good])
    land_run("unknown instruments", DAYS)
    land_trades("unknown instruments", [good, ("NOBODY", day, units, price, 0.0)])
    land_run("another currency", DAYS, currency="EUR")
    land_trades("another currency", [good])
    with database.connect("tests") as conn:
        conn.execute("update ref.instruments set currency = 'USD'")
    after = sessions("2000-12-26", "2001-01-10")
    land_run("bars missing", after)
    land_trades(
        "bars missing", [(symbol, after[0], units, float(traded[symbol]["open"][after[0]]), 0.0)]
    )
    land_run("prices off the market", DAYS)
    land_trades("prices off the market", [good, (symbol, DAYS[90], -units, price * 5, 0.0)])
    land_run("ruined", DAYS, capital=1_000)
    land_trades("ruined", [(symbol, day, 1000, price, 0.0)])


def test_curves_are_those_of_a_replay(built: tuple[pd.DataFrame, pd.DataFrame, Runs]) -> None:
    runs, _, expected = built
    daily = frame("select * from intermediate.int_backtest_daily").set_index("run_id")
    assert set(daily.index) == {*expected, "ruined"}
    for name, (curve, _) in expected.items():
        rows = daily.loc[[name]].sort_values("session_date")
        assert list(pd.DatetimeIndex(rows["session_date"])) == list(curve.index), name
        np.testing.assert_allclose(rows["equity"], curve["equity"], rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(
            rows["session_return"], curve["session_return"], rtol=1e-9, atol=1e-13, err_msg=name
        )
        row = runs.loc[name]
        assert (row["first_session"], row["last_session"]) == (
            curve.index[0].date(), curve.index[-1].date(),
        )  # fmt: skip


def test_numbers_are_those_of_empyrical_and_scipy(
    built: tuple[pd.DataFrame, pd.DataFrame, Runs],
) -> None:
    runs, _, expected = built
    for name, (curve, book) in expected.items():
        row = runs.loc[name]
        for column, value in (measured(curve) | round_trips(book)).items():
            where = f"{column} of {name}"
            if value is None or np.isnan(value):
                assert pd.isna(row[column]), where
            else:
                np.testing.assert_allclose(
                    float(row[column]), value, rtol=1e-9, atol=1e-12, err_msg=where
                )
    traded = runs.loc["traded"]
    # 100 became 200 by the split, 300 were sold: flat once, short then, and short at the end.
    assert (traded["round_trips"], traded["open_trips"], traded["commissions"]) == (1, 2, 7.5)
    assert pd.isna(traded["slippage_cost"])
    shares = frame("select sum(quantity) * 0.01 from raw_backtest.backtest_trades"
                   " where run_id = 'grid 0'").iloc[0, 0]  # fmt: skip
    assert runs.loc["grid 0", "slippage_cost"] == float(shares)


def test_sharpe_ratios_are_deflated_by_their_trials(
    built: tuple[pd.DataFrame, pd.DataFrame, Runs],
) -> None:
    runs, _, expected = built
    of_search: dict[str, list[float]] = {}
    for name, (curve, _) in expected.items():
        search = runs.loc[name, "search_id"]
        if search and len(curve) > 1:
            of_search.setdefault(search, []).append(ratio(curve["session_return"]))
    for name, (curve, _) in expected.items():
        row, returns = runs.loc[name], curve["session_return"].to_numpy()
        if len(returns) < 2:
            assert row[["probabilistic_sharpe", "deflated_sharpe"]].isna().all()
            continue
        complete = row["search_id"] in ("grid", "failing", "short")
        variance = (
            np.var(of_search[row["search_id"]], ddof=1) if complete else 1 / (len(returns) - 1)
        )
        assert row["is_trial_variance_measured"] == complete
        np.testing.assert_allclose(row["trial_variance"], variance, rtol=1e-9)
        trials = {"grid": TRIALS, "failing": 4, "short": 2, "luck": 20}.get(row["search_id"], 1)
        assert row["trials"] == trials
        luckiest = (
            deflated_sharpe_ratio_full(returns, trials, variance).sr_star if trials > 1 else 0.0
        )
        np.testing.assert_allclose(
            row["deflation_benchmark"], luckiest * np.sqrt(252), rtol=1e-9, atol=1e-12
        )
        for column, benchmark in (("probabilistic_sharpe", 0.0), ("deflated_sharpe", luckiest)):
            np.testing.assert_allclose(row[column], probability(returns, benchmark), rtol=1e-9)
        if ratio(curve["session_return"]) > 0:
            # So many sessions would make the probability that the ratio is above 0 just 95 %.
            needed = probability(returns, 0.0, observations=row["minimum_track_record"])
            np.testing.assert_allclose(needed, 0.95, rtol=1e-9)
        else:
            assert pd.isna(row["minimum_track_record"])


def test_overfitting_is_that_of_purgedcv(built: tuple[pd.DataFrame, pd.DataFrame, Runs]) -> None:
    _, searches, expected = built
    for search, trials in (("grid", TRIALS), ("failing", 2)):
        returns = pd.DataFrame({
            name: curve["session_return"]
            for name, (curve, _) in expected.items() if name.startswith(search)
        }).dropna()  # fmt: skip
        kept = returns.iloc[len(returns) % BLOCKS :]
        assert len(kept) < len(returns)
        oracle = probability_of_backtest_overfitting(kept.to_numpy().T, BLOCKS)
        row = searches.loc[search]
        assert (row["ranked_trials"], row["sessions"], row["combinations"]) == (
            trials, len(returns), oracle.n_combos,
        )  # fmt: skip
        np.testing.assert_allclose(row["logits"], np.sort(oracle.logits), rtol=1e-9, atol=1e-12)
        assert row["overfitting_probability"] == np.mean(oracle.logits <= 1e-12)
        chosen, judged = oracle.is_oos_performance.T
        fit = stats.linregress(chosen, judged)
        for column, value in (
            ("loss_probability", np.mean(judged < 0)),
            ("degradation_slope", oracle.slope),
            ("degradation_r2", fit.rvalue**2),
            ("mean_chosen_sharpe", chosen.mean() * np.sqrt(252)),
            ("mean_judged_sharpe", judged.mean() * np.sqrt(252)),
        ):
            np.testing.assert_allclose(row[column], value, rtol=1e-9, err_msg=column)
    reasons = searches["not_judged_because"]
    assert reasons.astype(object).where(reasons.notna(), None).to_dict() == {
        "grid": None, "failing": None, "luck": "trials missing", "short": "too few common sessions",
    }  # fmt: skip
    assert searches.loc["luck", "combinations"] is None or pd.isna(
        searches.loc["luck", "combinations"]
    )


def test_what_cannot_be_judged_says_why(built: tuple[pd.DataFrame, pd.DataFrame, Runs]) -> None:
    runs, _, expected = built
    assert runs.loc[list(expected), "not_judged_because"].isna().all()
    spoilt = runs.drop(list(expected)).drop(index=["failing 2", "failing 3"])
    assert spoilt["not_judged_because"].to_dict() == {name: name for name in spoilt.index}
    numbers = ["total_return", "sharpe", "deflated_sharpe", "hit_rate", "max_drawdown"]
    assert spoilt[numbers].isna().all(axis=None)
    assert spoilt["net_profit"].dropna().index.tolist() == ["ruined"]
    assert spoilt.loc["prices off the market", "executions_off_market"] == 1
    assert spoilt.loc["bars missing", "unpriced_positions"] == 1
    assert spoilt.loc["unknown instruments", "unknown_executions"] == 1


def test_claims_are_set_against_what_was_recomputed(
    built: tuple[pd.DataFrame, pd.DataFrame, Runs],
) -> None:
    row = built[0].loc["traded"]
    assert row["net_profit_gap"] == row["net_profit"] - 1000
    assert row["sharpe_gap"] == row["sharpe"] - 1.5
    assert row["max_drawdown_gap"] == row["max_drawdown"] + 0.2
    assert pd.isna(row["hit_rate_gap"]), "not a number, so nothing is claimed"
    assert pd.isna(row["cagr_gap"])
