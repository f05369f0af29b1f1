"""How good signals were, against alphalens, scipy and statsmodels, from what was landed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests

from databases import cloned_database
from dbt_runs import dbt
from label_oracles import HORIZONS, forward_returns, frame
from signal_rows import CLOSES, SYMBOLS, Speaker, land_agents, land_market, opinions
from significance_oracles import block_interval, block_of, cosine_test, resampled_error
from test_seed_statements import SEARCH_PATH, only
from warehouse import database
from warehouse.config import Home

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from alphalens import performance, utils

AGENTS = ("smooth_agent", "momentum_agent", "constant_agent", "lonely_agent", "seer_agent",
          "silent_agent")  # fmt: skip
MISSING = (("S2", 30), ("S2", 31), ("S5", 77))
DAILY = "select * from marts.signal_performance_daily"
MART = "select * from marts.signal_performance where period = 'all'"
EXACT = {"rtol": 1e-9, "atol": 1e-12}


@pytest.fixture(scope="module")
def judged(home: Home, built_on_nothing: str) -> Iterator[pd.DataFrame]:
    """The opinions of six agents, judged in two builds; yields them with their labels."""
    with cloned_database(home, "test_signals", built_on_nothing):
        land_agents(*AGENTS)
        speaker = Speaker()
        land_market(list(range(90)), but=MISSING)
        speaker.rounds("smooth_agent", list(range(60)))
        speaker.rounds("momentum_agent", list(range(60)), digits=1)
        speaker.many([("constant_agent", s, CLOSES[n], 0.5) for n in range(40) for s in SYMBOLS])
        speaker.many([("lonely_agent", "S1", CLOSES[n], (-1) ** n * 0.3) for n in range(40)])
        speaker.foresee("seer_agent", list(range(60)))
        dbt("run")
        land_market(list(range(90, 110)))
        speaker.rounds("smooth_agent", list(range(60, 100)))
        speaker.rounds("momentum_agent", list(range(60, 108)), digits=1)
        # Said again before the close; of an unknown ticker; on a Saturday; after the last bar.
        speaker.say("momentum_agent", "S3", CLOSES[21] - pd.Timedelta("1h"), 0.9)
        speaker.say("momentum_agent", "XYZ", CLOSES[21], 0.9)
        speaker.say("momentum_agent", "S4", pd.Timestamp("2024-02-10 12:00Z"), -0.9)
        speaker.say("momentum_agent", "S4", CLOSES[109], 0.9)
        dbt("run")
        said = opinions().dropna(subset=["instrument_id", "entry"])
        parts = []
        for horizon in HORIZONS:
            labels = forward_returns(horizon).stack().rename("label").reset_index()
            labels.columns = pd.Index(["entry", "instrument_id", "label"])
            labels["instrument_id"] = labels["instrument_id"].astype(float)
            both = said.astype({"instrument_id": float}).merge(
                labels.dropna(), on=["entry", "instrument_id"]
            )
            parts.append(both.assign(horizon=horizon))
        yield pd.concat(parts)


def daily_of(agent: str, horizon: int) -> pd.DataFrame:
    rows = frame(
        f"{DAILY} where agent_id = '{agent}' and horizon = {horizon} order by session_date"
    )
    return rows.set_index(pd.to_datetime(rows["session_date"]))


def row_of(agent: str, horizon: int) -> pd.Series:
    return frame(f"{MART} and agent_id = '{agent}' and horizon = {horizon}").iloc[0]


def cases(judged: pd.DataFrame, agent: str, horizon: int) -> pd.DataFrame:
    chosen = judged[(judged["agent_id"] == agent) & (judged["horizon"] == horizon)]
    return chosen.sort_values(["entry", "instrument_id"])


def factor_data(chosen: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """What alphalens calls clean factor data, its own quantiles included."""
    data = chosen.rename(columns={"entry": "date", "instrument_id": "asset", "label": f"{horizon}D",
                                  "score": "factor"})  # fmt: skip
    data = data.set_index(["date", "asset"])[[f"{horizon}D", "factor"]]
    data["factor_quantile"] = utils.quantize_factor(data, quantiles=5, no_raise=True)
    return data


@pytest.mark.parametrize("horizon", HORIZONS)
def test_alphalens_says_the_same(judged: pd.DataFrame, horizon: int) -> None:
    chosen = cases(judged, "smooth_agent", horizon)
    data = factor_data(chosen, horizon)
    assert data["factor_quantile"].notna().all()
    ours, row = daily_of("smooth_agent", horizon), row_of("smooth_agent", horizon)
    ours = ours[ours["matured"] > 0]
    name = f"{horizon}D"
    ic = performance.factor_information_coefficient(data)[name]
    np.testing.assert_allclose(ours["rank_ic"].astype(float), ic, **EXACT)
    np.testing.assert_allclose(row["rank_ic_mean"], ic.mean(), **EXACT)
    icir = ic.mean() / ic.std() * np.sqrt(252 / horizon)
    np.testing.assert_allclose(row["rank_ic_ir"], icir, **EXACT)

    by_date, _ = performance.mean_return_by_quantile(data, by_date=True, demeaned=False)
    table = by_date[name].unstack("factor_quantile")
    np.testing.assert_allclose(np.array(list(ours["quantile_returns"]), float), table, **EXACT)
    np.testing.assert_allclose(row["quantile_returns"], table.mean(), **EXACT)
    # Alphalens halves it: half of the money on either side.
    spread, _ = performance.compute_mean_returns_spread(by_date, 5, 1)
    np.testing.assert_allclose(row["quantile_spread"], 2 * spread[name].mean(), **EXACT)
    monotonicity = stats.spearmanr(range(5), table.mean()).statistic
    np.testing.assert_allclose(row["monotonicity"], monotonicity, **EXACT)

    for quantile, column in ((5, "top_turnover"), (1, "bottom_turnover")):
        turnover = performance.quantile_turnover(data["factor_quantile"], quantile)
        np.testing.assert_allclose(ours[column].astype(float), turnover, **EXACT)
        np.testing.assert_allclose(row[column], turnover.mean(), **EXACT)
    autocorrelation = performance.factor_rank_autocorrelation(data)
    np.testing.assert_allclose(ours["rank_autocorrelation"].astype(float), autocorrelation, **EXACT)
    assert len(ours) > 80


@pytest.mark.parametrize("agent", AGENTS[:5])
@pytest.mark.parametrize("horizon", HORIZONS)
def test_counts_returns_and_correlations(judged: pd.DataFrame, agent: str, horizon: int) -> None:
    """Ties, constant scores and sessions of one name included: what is not defined is NULL."""
    chosen = cases(judged, agent, horizon)
    ours, row = daily_of(agent, horizon), row_of(agent, horizon)
    chosen = chosen.assign(gain=chosen["side"] * chosen["label"])
    told = chosen[chosen["side"] != 0]
    assert row["matured"] == len(chosen) > 0
    assert row["directional"] == len(told)
    assert row["hits"] == (told["gain"] > 0).sum()
    np.testing.assert_allclose(
        row["hit_rate"], (told["gain"] > 0).sum() / (told["gain"] != 0).sum()
    )
    np.testing.assert_allclose(row["mean_return"], told["gain"].mean(), **EXACT)
    np.testing.assert_allclose(row["net_mean_return"], told["gain"].mean() - 0.001, **EXACT)

    days = ours[ours["matured"] > 0]
    by_day = chosen.groupby("entry")
    assert list(days.index) == list(by_day.groups)
    for at, group in by_day:
        theirs = [np.nan, np.nan]
        if group["score"].nunique() > 1 and group["label"].nunique() > 1:
            theirs = [
                stats.pearsonr(group["score"], group["label"]).statistic,
                stats.spearmanr(group["score"], group["label"]).statistic,
            ]
        np.testing.assert_allclose(days.loc[at, ["ic", "rank_ic"]].astype(float), theirs, **EXACT)
        try:
            bins = pd.qcut(group["score"], 5, labels=False)
            quantiles = group["label"].groupby(bins).mean().reindex(range(5))
            np.testing.assert_allclose(
                np.array(days.loc[at, "quantile_returns"], float), quantiles, **EXACT
            )
        except ValueError:
            assert days.loc[at, "quantile_returns"] is None
    if agent in ("constant_agent", "lonely_agent"):
        assert row[["ic_mean", "rank_ic_mean", "quantile_returns", "monotonicity"]].isna().all()


@pytest.mark.parametrize("horizon", HORIZONS)
def test_scipy_and_statsmodels_are_as_sure(judged: pd.DataFrame, horizon: int) -> None:
    p_values = {}
    for agent in AGENTS[:5]:
        row = row_of(agent, horizon)
        told = cases(judged, agent, horizon)
        told = told[told["side"] != 0]
        returns = (told["side"] * told["label"]).groupby(told["entry"]).mean()
        assert row["sessions"] == len(returns)
        sharpe = returns.mean() / returns.std() * np.sqrt(252 / horizon)
        np.testing.assert_allclose(row["sharpe"], sharpe, **EXACT)
        naive = stats.ttest_1samp(returns, 0).statistic
        np.testing.assert_allclose(row["return_t_naive"], naive, **EXACT)
        fitted = sm.OLS(returns.to_numpy(), np.ones(len(returns))).fit(
            cov_type="HAC", cov_kwds={"maxlags": horizon - 1, "use_correction": True}
        )
        np.testing.assert_allclose(row["return_t_newey_west"], fitted.tvalues[0], **EXACT)
        degrees, t, p_value = cosine_test(returns.to_numpy(), horizon)
        found = row[["return_degrees", "return_t", "return_p_value"]].astype(float)
        np.testing.assert_allclose(found, [degrees, t, p_value], **EXACT)
        interval = block_interval(returns.to_numpy(), horizon)
        found = row[["return_low", "return_high"]].astype(float)
        np.testing.assert_allclose(found, interval, **EXACT)
        days = daily_of(agent, horizon)["rank_ic"].dropna().astype(float)
        if len(days) > 1:
            interval = block_interval(days.to_numpy(), horizon)
            found = row[["rank_ic_low", "rank_ic_high"]].astype(float)
            np.testing.assert_allclose(found, interval, **EXACT)
            _, t, p_value = cosine_test(days.to_numpy(), horizon)
            found = row[["rank_ic_t", "rank_ic_p_value"]].astype(float)
            np.testing.assert_allclose(found, [t, p_value], **EXACT)
        if pd.notna(row["return_p_value"]):
            p_values[agent] = row["return_p_value"]
    assert len(p_values) == (5 if horizon <= 10 else 2)
    q_values = multipletests(list(p_values.values()), method="fdr_bh")[1]
    ours = [row_of(agent, horizon)["return_q_value"] for agent in p_values]
    np.testing.assert_allclose(ours, q_values, **EXACT)


@pytest.mark.parametrize("horizon", HORIZONS[:2])
def test_the_interval_is_what_resampling_finds(judged: pd.DataFrame, horizon: int) -> None:
    """By 20,000 draws of arch, which know an error to 0.5 %: three deviations are 1.5 %."""
    returns = daily_of("smooth_agent", horizon)["mean_return"].dropna().astype(float).to_numpy()
    row, length = row_of("smooth_agent", horizon), block_of(len(returns), horizon)
    assert length is not None
    width = stats.t.ppf(0.975, len(returns) / length - 1)
    error = (row["return_high"] - row["return_low"]) / 2 / width
    np.testing.assert_allclose(error, resampled_error(returns, horizon, 20_000), rtol=0.015)


def test_half_lives(judged: pd.DataFrame) -> None:
    rows = frame("select agent_id, period, horizon, rank_ic_mean, rank_ic_half_life"
                 " from marts.signal_performance where rank_ic_mean is not null"
                 " order by agent_id, period, horizon")  # fmt: skip
    found = {"known": 0, "unknown": 0}
    for _, group in rows.groupby(["agent_id", "period"]):
        means = group["rank_ic_mean"].astype(float)
        theirs = np.nan
        if len(group) > 1 and means.abs().min() > 0 and np.sign(means).nunique() == 1:
            slope = stats.linregress(group["horizon"].astype(float), np.log(means.abs())).slope
            theirs = np.log(2) / -slope if slope < 0 else np.nan
        np.testing.assert_allclose(group["rank_ic_half_life"].astype(float), theirs, **EXACT)
        found["unknown" if np.isnan(theirs) else "known"] += 1
    assert min(found.values()) > 0


def test_quantiles_of_student(judged: pd.DataFrame) -> None:
    for degrees in (1, 1.3, 2, 3.7, 10, 61.5, 1e4):
        for probability in (1e-6, 0.025, 0.4, 0.5, 0.6, 0.975, 0.9999):
            with database.connect("tests") as conn:
                ours = conn.execute(
                    "select indicators.student_t_quantile(%s::float8, %s::float8)",
                    [probability, degrees],
                ).fetchone()
            assert ours is not None
            np.testing.assert_allclose(
                ours[0], stats.t.ppf(probability, degrees), rtol=1e-9, atol=1e-12
            )
    with database.connect("tests") as conn:
        bad = conn.execute(
            "select indicators.student_t_quantile(p::float8, d::float8)"
            " from (values (0, 5), (1, 5), (-1, 5), (0.5, 0.5), (null, 5)) as t (p, d)"
        ).fetchall()
    assert bad == [(None,)] * 5


def test_nothing_said_is_lost(judged: pd.DataFrame) -> None:
    landed = frame("select agent_id, count(*) as said from raw_signals.signals group by 1")
    rows = frame(MART)
    for agent, said in landed.itertuples(index=False):
        mine = rows[rows["agent_id"] == agent]
        assert (mine["signals"] == said).all()
        parts = mine[["superseded", "unpriced", "open", "matured"]].sum(axis=1)
        assert (parts == said).all()
    mine = rows[rows["agent_id"] == "momentum_agent"]
    assert (mine["superseded"] > 0).all()
    assert (mine["unpriced"] > 0).all()
    assert "silent_agent" not in set(rows["agent_id"])


def test_months_add_up(judged: pd.DataFrame) -> None:
    sums = frame(
        "select agent_id, horizon, period = 'all' as whole, sum(signals) as signals,"
        " sum(matured) as matured, sum(hits) as hits from marts.signal_performance group by 1, 2, 3"
    )
    whole = sums[sums["whole"]].drop(columns="whole").reset_index(drop=True)
    months = sums[~sums["whole"].astype(bool)].drop(columns="whole").reset_index(drop=True)
    key = ["agent_id", "horizon"]
    pd.testing.assert_frame_equal(
        whole.sort_values(key, ignore_index=True), months.sort_values(key, ignore_index=True)
    )


def test_function_says_what_the_mart_says(judged: pd.DataFrame) -> None:
    shared = (
        "agent_id, horizon, first_session, last_session, signals, matured, directional, hit_rate"
    )
    ours = frame(f"select {shared}, mean_return, sharpe, rank_ic from"
                 " marts.calculate_signal_performance('momentum_agent', 100000)")  # fmt: skip
    mart = frame(f"select {shared}, mean_return, sharpe, rank_ic_mean as rank_ic from"
                 " marts.signal_performance where period = 'all' and agent_id = 'momentum_agent'"
                 " order by horizon")  # fmt: skip
    pd.testing.assert_frame_equal(ours, mart, check_exact=False, rtol=1e-12)
    latest = frame("select * from marts.calculate_signal_performance('momentum_agent', 30)")
    days = pd.to_datetime(latest["last_session"]) - pd.to_datetime(latest["first_session"])
    assert len(latest) == len(HORIZONS)
    assert (days < pd.Timedelta(days=30)).all()
    assert (latest["signals"] < ours["signals"]).all()
    assert frame("select * from marts.calculate_signal_performance('nobody', 30)").empty


def test_the_statement_of_the_design_runs_as_it_stands(judged: pd.DataFrame) -> None:
    statement = only("multi_strategy", "SELECT * FROM calculate_signal_performance(").text
    with database.connect("tests") as conn:
        conn.execute(f"set search_path = {SEARCH_PATH['multi_strategy']}")
        conn.execute("set role trading_readonly")
        rows = conn.execute(statement.encode()).fetchall()
    assert [row[:2] for row in rows] == [("momentum_agent", horizon) for horizon in HORIZONS]
