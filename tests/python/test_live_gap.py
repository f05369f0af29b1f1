"""What was earned live beside its backtest, against other people's code, fed from what landed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import empyrical
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtest_oracles import probability, ratio
from backtest_rows import (
    AAPL,
    IBM,
    Trade,
    daily_bars,
    land_run,
    land_trades,
    opens,
    random_trades,
    replayed,
    sessions,
)
from databases import cloned_database
from dbt_runs import dbt
from label_oracles import frame
from live_rows import correct_fill, land_account, land_fills, lived, state_capital
from schedules import Schedule
from significance_oracles import cosine_test
from warehouse import database
from warehouse.config import Home

LIVE = sessions("2000-04-03", "2000-12-20")
TESTED = LIVE[30:]
EX_DATE = pd.Timestamp("2000-06-21")
SPLITS = {"AAPL": (EX_DATE, 2.0)}
MISSING = pd.Timestamp("2001-01-03")
CLAIMED = 1.25


@dataclass
class Record:
    """Both sides of a comparison, session by session, and their trades in shares of the day."""

    live: pd.DataFrame
    backtest: pd.DataFrame
    live_trades: list[Trade]
    backtest_trades: list[Trade]


Built = tuple[pd.DataFrame, dict[str, Record]]


@pytest.fixture(scope="module")
def built(
    home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Built]:
    """The mart by account, and what was expected of those that can be compared."""
    with cloned_database(home, "test_live_gap", built_on_nothing):
        schedule = Schedule(tmp_path_factory.mktemp("live"))
        expected = land(schedule)
        dbt("build")
        mart = frame("select * from marts.backtest_live_gap")
        yield mart.set_index("account_id"), expected


def land(schedule: Schedule) -> dict[str, Record]:
    """Land bars with a true split, a backtest of a strategy, and accounts that traded it."""
    missing = int(np.flatnonzero(schedule.bars[AAPL]["session_date"] == MISSING)[0])
    schedule.land(AAPL, [row for row in range(260) if row != missing])
    schedule.land(IBM, list(range(150)))
    schedule.action(AAPL, "split", str(EX_DATE.date()), ratio=2)
    bars = {key[0]: daily_bars(schedule, key) for key in (AAPL, IBM)}
    closes = {symbol: prices["close"] for symbol, prices in bars.items()}
    for account in ("real", "alone", "short", "silent", "unknown", "missing", "poor"):
        land_account(account)
    land_account("paper", kind="paper")
    land_account("euro", currency="EUR")
    backtest = random_trades(bars, TESTED, 1)
    land_run("test", TESTED, strategy="s", metrics={"sharpe": CLAIMED}, created=created())
    land_trades("test", backtest)
    curve, _ = replayed(backtest, closes, TESTED, splits=SPLITS)
    curve["traded"], curve["commissions"] = 0.0, 0.0
    for _, day, units, price, commission in backtest:
        curve.loc[day, "traded"] += abs(units * price)
        curve.loc[day, "commissions"] += commission
    curve["capital"] = curve["equity"].shift(fill_value=100_000)
    curve["profit"] = curve["equity"] - curve["capital"]
    expected: dict[str, Record] = {}

    def compare(account: str, trades: list[Trade], statements: list[tuple[pd.Timestamp, float]],
                last: pd.Timestamp | None = None) -> None:  # fmt: skip
        days = LIVE[trades[0][1] <= LIVE]
        live = lived(trades, closes, days, statements, SPLITS)
        live = live[(live.index >= TESTED[0]) & (live.index <= (last or TESTED[-1]))]
        expected[account] = Record(live, curve.loc[live.index], trades, backtest)

    # Most of what the backtest does, in half of its size and at worse prices, after trades before
    # it began; money comes on the way.
    dice = np.random.default_rng(5)
    trades = random_trades(bars, LIVE[:25], 2) + [
        (symbol, day, units / 2, round(price * (1 + 0.002 * np.sign(units)), 4), commission)
        for symbol, day, units, price, commission in backtest
        if dice.random() < 0.8
    ]
    said = [(opens(LIVE[0]) - pd.Timedelta("1D"), 60_000.0), (opens(LIVE[70]), 90_000.0)]
    wrong = ("AAPL", trades[3][1], 1.0, trades[3][3], 0.0)
    landed = [*trades[:3], wrong, *trades[4:], ("AAPL", LIVE[60], 7.0, 50.0, 0.0)]
    # A correction keeps instrument and side.
    assert trades[3][0] == "AAPL"
    landed[3] = ("AAPL", trades[3][1], float(np.sign(trades[3][2])), trades[3][3], 0.0)
    land_fills("real", landed)
    correct_fill("real", 4, trades[3])
    correct_fill("real", len(landed), None, at=LIVE[80])
    land_fills("real", [("IBM", LIVE[60], 1000.0, 100.0, 5.0)], strategy=None, first=900)
    for at, equity in said:
        state_capital("real", at, equity)
    state_capital("real", opens(LIVE[40]), 1.0, strategy="")
    compare("real", trades, said)
    # Nothing else on the account, which is stated at every close; flat before the test ends.
    trades = random_trades({"IBM": bars["IBM"]}, LIVE[50:90], 3)
    held = sum(units for _, _, units, _, _ in trades)
    trades.append(("IBM", LIVE[95], -held, float(bars["IBM"]["open"][LIVE[95]]), -2.0))
    assert held
    land_fills("alone", trades)
    said = [(opens(day) + pd.Timedelta("8h"), 40_000.0 + n) for n, day in enumerate(LIVE[45:])]
    for at, equity in said:
        state_capital("alone", at, equity, strategy="")
    state_capital("alone", said[9][0], equity=41_000, strategy="", revision=1)
    said[9] = (said[9][0], 41_000.0)
    compare("alone", trades, said, LIVE[95])
    # So few sessions decide nothing.
    price = float(bars["AAPL"]["open"][LIVE[100]])
    trades = [("AAPL", LIVE[100], 10.0, price, 0.0), ("AAPL", LIVE[104], -10.0, price, 0.0)]
    for account in ("short", "paper", "poor", "euro", "silent"):
        # One pays more commission than it has.
        fee = 100.0 if account == "poor" else 0.0
        land_fills(account, [(*trade[:4], fee) for trade in trades])
        if account != "silent":
            state_capital(account, opens(LIVE[90]), 50 if account == "poor" else 5_000)
    for account in ("short", "paper"):
        compare(account, trades, [(opens(LIVE[90]), 5_000.0)], LIVE[104])
    land_fills("unknown", [*trades, ("NOBODY", LIVE[101], 1.0, 1.0, 0.0)])
    after = sessions("2001-01-03", "2001-01-10")
    land_account("gap", strategies=("m",))
    land_run("later", after, strategy="m")
    land_fills("gap", [("AAPL", after[0], 1.0, 15.0, 0.0)], strategy="m")
    land_trades("later", [("AAPL", after[1], 1.0, float(bars["AAPL"]["open"][after[1]]), 0.0)])
    land_account("idle", strategies=("e",))
    land_run("empty", TESTED, strategy="e")
    land_fills("idle", trades[:1], strategy="e")
    with database.connect("tests") as conn:
        conn.execute("update ref.instruments set currency = 'USD'")
    return expected


def created() -> pd.Timestamp:
    """Before the split: what is tested are prices as they were traded."""
    return EX_DATE.tz_localize("UTC") - pd.Timedelta("2D")


def numbers(record: Record, landed: pd.DataFrame) -> dict[str, float | None]:
    """Return what empyrical, scipy and pandas say of two records; None where NULL is right."""
    live, backtest = record.live["session_return"], record.backtest["session_return"]
    difference = live - backtest
    decides = len(live) >= 12
    values: dict[str, float | None] = {"sessions": len(live)}
    for side, rows in (("live", record.live), ("backtest", record.backtest)):
        returns = rows["session_return"]
        moves = returns[returns.abs() > 1e-15]
        values |= {
            f"{side}_net_profit": rows["profit"].sum(),
            f"{side}_total_return": float(empyrical.cum_returns_final(returns)),
            f"{side}_annual_volatility": float(empyrical.annual_volatility(returns)),
            f"{side}_sharpe": float(empyrical.sharpe_ratio(returns)),
            f"{side}_winning_sessions": float((moves > 0).mean()),
            f"{side}_commissions": rows["commissions"].sum(),
            f"{side}_commission_bps": 1e4 * rows["commissions"].sum() / rows["traded"].sum()
            if rows["traded"].sum() else None,
            f"{side}_annual_turnover": 252 * (rows["traded"] / rows["capital"]).mean(),
        }  # fmt: skip
    degrees, t, p = cosine_test(difference.to_numpy(), 1) if decides else (np.nan,) * 3
    gap = ratio(live) - ratio(backtest)
    pulls = influence(live) - influence(backtest)
    _, gap_t, _ = cosine_test(pulls + gap, 1) if decides else (np.nan,) * 3
    # The mean of the influences is not exactly 0: deviations are of n - 1.
    gap_t *= gap / float(np.mean(pulls + gap))
    share, price = prices(record, landed)
    values |= {
        "tracking_difference": values["live_total_return"] - values["backtest_total_return"],  # type: ignore[operator]
        "tracking_error": difference.std() * np.sqrt(252),
        "return_correlation": float(stats.pearsonr(live, backtest).statistic),
        "mean_difference": difference.mean(),
        "degrees": degrees,
        "difference_t": t,
        "difference_p_value": p,
        "sessions_to_decide": (stats.norm.ppf(0.975) * difference.std() / difference.mean()) ** 2,
        "sharpe_gap": gap * np.sqrt(252),
        "sharpe_gap_t": gap_t,
        "sharpe_gap_p_value": float(2 * stats.t.sf(abs(gap_t), degrees)) if decides else None,
        "matched_share": share,
        "price_gap_bps": price,
        "claimed_sharpe": CLAIMED,
        "claimed_sharpe_gap": ratio(live) * np.sqrt(252) - CLAIMED,
        "claimed_sharpe_probability": probability(live.to_numpy(), CLAIMED / np.sqrt(252))
        if decides else None,
    }  # fmt: skip
    return values


def influence(returns: pd.Series) -> np.ndarray:
    """By how much each return moves a Sharpe ratio."""
    scores = stats.zscore(returns.to_numpy(), ddof=1)
    return scores - ratio(returns) * (scores**2 - 1) / 2


def prices(record: Record, days: pd.DataFrame) -> tuple[float | None, float | None]:
    """Return the share of what was traded on both sides alike, and by how much dearer live."""

    def summed(trades: list[Trade]) -> pd.DataFrame:
        rows = pd.DataFrame(trades, columns=["symbol", "day", "units", "price", "commission"])
        rows = rows[rows["day"].isin(days.index)].assign(
            side=lambda r: np.sign(r["units"]), value=lambda r: (r["units"] * r["price"]).abs(),
            size=lambda r: r["units"].abs(),
        )  # fmt: skip
        return rows.groupby(["symbol", "day", "side"])[["value", "size"]].sum()

    live, backtest = summed(record.live_trades), summed(record.backtest_trades)
    if live.empty:
        return None, None
    both = live.join(backtest.add_suffix("_tested"), how="inner")
    share = both["value"].sum() / live["value"].sum()
    if both.empty:
        return float(share), None
    at_backtest = both["size"] * both["value_tested"] / both["size_tested"]
    side = both.index.get_level_values("side")
    gap = 1e4 * (side * (both["value"] - at_backtest)).sum() / at_backtest.sum()
    return float(share), float(gap)


def test_numbers_are_those_of_empyrical_scipy_and_pandas(built: Built) -> None:
    mart, expected = built
    assert set(expected) == {"real", "alone", "short", "paper"}
    for account, record in expected.items():
        row = mart.loc[account]
        assert row["not_compared_because"] is None or pd.isna(row["not_compared_because"]), account
        assert (row["first_session"], row["last_session"]) == (
            record.live.index[0].date(), record.live.index[-1].date(),
        )  # fmt: skip
        for column, value in numbers(record, record.live).items():
            where = f"{column} of {account}"
            if value is None or np.isnan(value):
                assert pd.isna(row[column]), where
            else:
                np.testing.assert_allclose(
                    float(row[column]), value, rtol=1e-9, atol=1e-12, err_msg=where
                )
    assert mart.loc["real", "first_session"] == TESTED[0].date(), "held from before"
    # Nothing but the spread that was planted parts the prices, up to the fourth digit.
    assert mart.loc["real", "matched_share"] == 1
    assert abs(mart.loc["real", "price_gap_bps"] - 20) < 1
    assert 0 < mart.loc["alone", "matched_share"] < 1


def test_few_sessions_decide_nothing(built: Built) -> None:
    mart, _ = built
    tests = ["degrees", "difference_p_value", "sharpe_gap_p_value", "claimed_sharpe_probability"]
    for account in ("short", "paper"):
        assert mart.loc[account, "sessions"] == 5
        assert mart.loc[account, tests].isna().all()
    assert mart.loc["real", tests].notna().all()


def test_what_cannot_be_compared_says_why(built: Built) -> None:
    mart, expected = built
    reasons = mart.drop(list(expected))["not_compared_because"].to_dict()
    assert reasons == {
        "silent": "no capital stated", "euro": "another currency", "poor": "ruined",
        "unknown": "unknown instruments", "gap": "bars missing", "idle": "backtest not judged",
    }  # fmt: skip
    assert mart.loc["silent", ["live_sharpe", "tracking_difference"]].isna().all()
    assert set(mart["tenant_id"]) == {"house"}
