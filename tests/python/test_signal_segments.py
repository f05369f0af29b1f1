"""Signals by sector and by regime of the market, against pandas, scipy and statsmodels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from databases import cloned_database
from dbt_runs import dbt, dbt_failures
from label_oracles import HORIZONS, forward_returns, frame, total_return_prices
from schedules import Schedule
from signal_rows import (
    CALENDAR,
    SYMBOLS,
    Speaker,
    land_agents,
    land_market,
    say_what_they_are,
)  # fmt: skip
from significance_oracles import block_interval, cosine_test
from warehouse.config import Home

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")
AGENTS = ("real_agent", "smooth_agent", "momentum_agent")
KEY = ["agent_id", "horizon", "segment_kind", "segment"]
EXACT = {"rtol": 1e-9, "atol": 1e-12}
SECTORS = {"AAPL": "Technology", "IBM": "Technology", "S0": "Technology", "S1": "Technology",
           "S2": "Technology", "S3": "Energy", "S4": "Energy", "S6": ""}  # fmt: skip
MOVED = {**SECTORS, "S2": "Energy", "S5": "Energy"}


def speak_of_two(schedule: Schedule, rows: range) -> None:
    """Land scores of AAPL and IBM before each close of real sessions."""
    dice = np.random.default_rng(rows[0])
    days = pd.DatetimeIndex(schedule.bars[AAPL]["session_date"].iloc[list(rows)])
    closes = pd.DatetimeIndex(CALENDAR.closes.loc[days])
    Speaker().many([
        ("real_agent", symbol, at - pd.Timedelta("1h"), round(dice.uniform(-1, 1), 6))
        for at in closes for symbol in ("AAPL", "IBM")
    ])  # fmt: skip


@pytest.fixture(scope="module")
def judged(
    home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[pd.DataFrame]:
    """Opinions of real and made-up bars, judged in two builds, sectors changed in between."""
    folder = tmp_path_factory.mktemp("segments")
    with cloned_database(home, "test_segments", built_on_nothing):
        schedule = Schedule(folder)
        land_agents(*AGENTS)
        speaker = Speaker()
        schedule.land(AAPL, list(range(400)))
        schedule.land(IBM, list(range(330)))
        land_market(list(range(60)))
        say_what_they_are(SECTORS, folder)
        speak_of_two(schedule, range(340))
        speaker.rounds("smooth_agent", list(range(60)))
        dbt("run")
        schedule.land(AAPL, list(range(400, 420)))
        land_market(list(range(60, 100)))
        speaker.rounds("momentum_agent", list(range(30, 90)), digits=1)
        say_what_they_are(MOVED, folder)
        dbt("run")
        yield opinions()


def opinions() -> pd.DataFrame:
    """Return every judged opinion with its segments, by pandas, from what landed."""
    said = frame(
        "select s.agent_id, s.signal_id, s.signal_ts, s.direction::text as direction,"
        " s.strength::float8 as strength, i.instrument_id, i.symbol"
        " from raw_signals.signals as s inner join ref.instruments as i using (symbol)"
    )
    side = said["direction"].map({"long": 1, "short": -1, "flat": 0})
    said = said.assign(side=side, score=side * said["strength"])
    closes = pd.DatetimeIndex(CALENDAR.closes)
    at = closes.searchsorted(pd.to_datetime(said["signal_ts"], utc=True), side="right")
    said["entry"] = CALENDAR.sessions[at]
    said = said.sort_values(["signal_ts", "signal_id"])
    said = said.drop_duplicates(["agent_id", "instrument_id", "entry"], keep="last")
    said["sector"] = said["symbol"].map(MOVED).replace("", None)
    said = said.merge(regimes(), left_on="entry", right_index=True, how="left")
    parts = []
    for horizon in HORIZONS:
        labels = forward_returns(horizon).stack().rename("label").dropna().reset_index()
        labels.columns = pd.Index(["entry", "instrument_id", "label"])
        parts.append(said.merge(labels, on=["entry", "instrument_id"]).assign(horizon=horizon))
    judged = pd.concat(parts, ignore_index=True)
    cases = [
        judged[judged[kind].notna()].assign(segment_kind=kind, segment=judged[kind])
        for kind in ("sector", "volatility", "trend")
    ]
    return pd.concat(cases).sort_values([*KEY, "entry", "instrument_id"], ignore_index=True)


def regimes() -> pd.DataFrame:
    """Return the regimes of each session, window by window."""
    prices = total_return_prices()
    moves = [np.log(prices[name].dropna()).diff() for name in prices]
    market = pd.concat(moves, axis=1).mean(axis=1).dropna()
    deviations = np.array([
        np.std(market.iloc[n - 20 : n + 1], ddof=1) if n >= 20 else np.nan
        for n in range(len(market))
    ])  # fmt: skip
    levels = market.cumsum().to_numpy()
    volatility, trend = [], []
    for n in range(len(market)):
        year = deviations[max(n - 251, 0) : n + 1]
        year = year[~np.isnan(year)]
        is_known = len(year) >= 63
        wild = "turbulent" if is_known and deviations[n] > year.mean() else "calm"
        volatility.append(wild if is_known else None)
        up = "rising" if levels[n] > levels[max(n - 199, 0) : n + 1].mean() else "falling"
        trend.append(up if n >= 199 else None)
    return pd.DataFrame({"volatility": volatility, "trend": trend}, index=market.index)


def test_regimes(judged: pd.DataFrame) -> None:
    ours = frame("select * from intermediate.int_market_regimes order by session_date")
    theirs = regimes()
    assert list(pd.to_datetime(ours["session_date"])) == list(theirs.index)
    for kind in ("volatility", "trend"):
        assert ours[kind].fillna("").tolist() == theirs[kind].fillna("").tolist()
        assert ours[kind].value_counts().min() > 10
        assert ours[kind].nunique() == 2


def test_every_segment_is_there(judged: pd.DataFrame) -> None:
    ours = frame("select * from marts.signal_performance_by_segment where period = 'all'")
    assert set(ours[KEY].itertuples(index=False)) == set(judged[KEY].itertuples(index=False))
    assert set(ours["segment"]) == {
        "Technology", "Energy", "calm", "turbulent", "rising", "falling",
    }  # fmt: skip


@pytest.mark.parametrize("period", ["all", "month"])
def test_numbers(judged: pd.DataFrame, period: str) -> None:
    ours = frame("select * from marts.signal_performance_by_segment")
    ours = ours[(ours["period"] == "all") == (period == "all")].set_index([*KEY, "period"])
    months = "all" if period == "all" else judged["entry"].dt.strftime("%Y-%m")
    known = 0
    for key, group in judged.assign(period=months).groupby([*KEY, "period"]):
        row, horizon = ours.loc[key], key[1]
        gains = group["side"] * group["label"]
        told = gains[group["side"] != 0]
        assert row["matured"] == len(group)
        assert row["directional"] == len(told)
        assert row["hits"] == (told > 0).sum()
        assert (row["first_session"], row["last_session"]) == (
            group["entry"].min().date(), group["entry"].max().date(),
        )  # fmt: skip
        np.testing.assert_allclose(row["hit_rate"], (told > 0).sum() / (told != 0).sum())
        np.testing.assert_allclose(row["mean_return"], told.mean(), **EXACT)
        np.testing.assert_allclose(row["net_mean_return"], told.mean() - 0.001, **EXACT)
        days = told.groupby(group["entry"]).mean()
        assert row["sessions"] == len(days)
        if len(days) > 1:
            year = np.sqrt(252 / horizon)
            np.testing.assert_allclose(row["sharpe"], days.mean() / days.std() * year, **EXACT)
            np.testing.assert_allclose(
                row["net_sharpe"], (days.mean() - 0.001) / days.std() * year, **EXACT
            )
            sure = row[["return_degrees", "return_t", "return_p_value"]].astype(float)
            np.testing.assert_allclose(sure, cosine_test(days.to_numpy(), horizon), **EXACT)
            interval = row[["return_low", "return_high"]].astype(float)
            np.testing.assert_allclose(interval, block_interval(days.to_numpy(), horizon), **EXACT)
            known += int(sure.notna().all())
        correlations = group.groupby("entry").apply(_correlations, include_groups=False)
        ics = correlations.dropna()
        if len(ics) > 1:
            year = np.sqrt(252 / horizon)
            for name, prefix in (("ic", "ic"), ("rank_ic", "rank_ic")):
                mean, deviation = ics[name].mean(), ics[name].std()
                np.testing.assert_allclose(row[f"{prefix}_mean"], mean, **EXACT)
                if deviation > 1e-9:
                    ratio = mean / deviation * year
                    np.testing.assert_allclose(row[f"{prefix}_ir"], ratio, **EXACT)
            _, t, p_value = cosine_test(ics["rank_ic"].to_numpy(), horizon)
            sure = row[["rank_ic_t", "rank_ic_p_value"]].astype(float)
            np.testing.assert_allclose(sure, [t, p_value], **EXACT)
        elif not len(ics):
            assert row[["ic_mean", "rank_ic_mean"]].isna().all()
    assert known > (30 if period == "all" else 5)


def _correlations(day: pd.DataFrame) -> pd.Series:
    if day["score"].nunique() < 2 or day["label"].nunique() < 2:
        return pd.Series({"ic": np.nan, "rank_ic": np.nan})
    return pd.Series({
        "ic": stats.pearsonr(day["score"], day["label"]).statistic,
        "rank_ic": stats.spearmanr(day["score"], day["label"]).statistic,
    })  # fmt: skip


def test_q_values(judged: pd.DataFrame) -> None:
    rows = frame(
        "select * from marts.signal_performance_by_segment"
        " where period = 'all' and return_p_value is not null"
    )
    sizes = []
    for _, group in rows.groupby(KEY[1:]):
        theirs = multipletests(group["return_p_value"].astype(float), method="fdr_bh")[1]
        np.testing.assert_allclose(group["return_q_value"].astype(float), theirs, **EXACT)
        sizes.append(len(group))
    assert max(sizes) == len(AGENTS)


def test_unknown_sectors_are_in_none(judged: pd.DataFrame) -> None:
    rows = frame(
        "select s.matured as sectors, a.matured as everything from ("
        "  select sum(matured) as matured from marts.signal_performance_by_segment"
        "  where period = 'all' and segment_kind = 'sector' and agent_id = 'momentum_agent') as s,"
        " (select sum(matured) as matured from marts.signal_performance"
        "  where period = 'all' and agent_id = 'momentum_agent') as a"
    )
    # S6 is of no sector, S7 is no company that anybody describes.
    assert rows["sectors"][0] * len(SYMBOLS) == rows["everything"][0] * (len(SYMBOLS) - 2)


@pytest.mark.parametrize("value", ["''", "x", "'XNYS; drop'"])
def test_a_wrong_calendar_is_refused(database: str, value: str) -> None:
    _, bad = dbt_failures("run", "--vars", f"{{regime_calendar: {value}}}")
    assert "regime_calendar" in "".join(bad)
