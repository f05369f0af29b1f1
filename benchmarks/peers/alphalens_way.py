"""Signals judged in pandas by alphalens and statsmodels, from landed rows to a table."""

from __future__ import annotations

import warnings

import adbc_driver_postgresql.dbapi as adbc
import exchange_calendars
import numpy as np
import pandas as pd
import statsmodels.api as sm

from benchmarks.workspace import connect
from warehouse import config

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from alphalens import performance, utils

HORIZONS = (1, 5, 10, 21)
QUANTILES = 5
SIGNALS = """
    select
        agent_id, signal_id, symbol, signal_ts, direction::text as direction,
        strength::float8 as strength
    from raw_signals.signals
"""
BARS = "select symbol, bar_ts, close::float8 from raw_market.bars where timeframe = '1d'"
TABLE = """
    create table peers.signal_performance (
        agent_id text, horizon integer, matured bigint, hit_rate float8, mean_return float8,
        sharpe float8, t float8, rank_ic_mean float8, quantile_spread float8, top_turnover float8,
        bottom_turnover float8, rank_autocorrelation float8
    )
"""
DIFFERENCE = """
    select max(greatest(
        abs(theirs.mean_return - ours.mean_return),
        abs(theirs.rank_ic_mean - ours.rank_ic_mean),
        abs(theirs.quantile_spread - ours.quantile_spread),
        abs(theirs.top_turnover - ours.top_turnover),
        abs(theirs.rank_autocorrelation - ours.rank_autocorrelation),
        abs(theirs.hit_rate - ours.hit_rate),
        abs(theirs.sharpe - ours.sharpe),
        abs(theirs.t - ours.return_t_newey_west)
    )), count(*), (select count(*) from build.signal_performance where period = 'all')
    from peers.signal_performance as theirs
    join build.signal_performance as ours using (agent_id, horizon)
    where ours.period = 'all' and theirs.matured = ours.matured
"""


def judge() -> None:
    """Read what landed, judge each agent at each horizon, write one row of each."""
    with adbc.connect(config.connection().url()) as session, session.cursor() as cursor:
        said = cursor.execute(SIGNALS).fetch_arrow_table().to_pandas()
        bars = cursor.execute(BARS).fetch_arrow_table().to_pandas()
    closes = bars.pivot_table(index="bar_ts", columns="symbol", values="close")
    calendar = exchange_calendars.get_calendar("XNYS")
    ends = pd.DatetimeIndex(calendar.closes.loc[closes.index.tz_localize(None)])
    at = ends.searchsorted(said["signal_ts"], side="right")
    said = said[at < len(ends)].assign(date=closes.index[at[at < len(ends)]])
    said["side"] = said["direction"].map({"long": 1.0, "short": -1.0, "flat": 0.0})
    said["factor"] = said["side"] * said["strength"]
    said = said.sort_values(["signal_ts", "signal_id"])
    said = said.drop_duplicates(["agent_id", "symbol", "date"], keep="last")
    rows = []
    for horizon in HORIZONS:
        label = (closes.shift(-horizon) / closes - 1).stack().rename(f"{horizon}D")
        label = label.rename_axis(["date", "symbol"])
        for agent, mine in said.groupby("agent_id"):
            data = mine.set_index(["date", "symbol"])[["factor", "side"]].join(label).dropna()
            data = data.rename_axis(["date", "asset"]).sort_index()
            rows.append((agent, horizon, *_judged(data, horizon)))
    with connect() as session:
        session.execute("create schema if not exists peers")
        session.execute(TABLE)
        with session.cursor().copy("copy peers.signal_performance from stdin") as copy:
            for row in rows:
                copy.write_row(row)


def _judged(data: pd.DataFrame, horizon: int) -> tuple[float, ...]:
    """Return the measures of one agent and horizon."""
    name = f"{horizon}D"
    told = data[data["side"] != 0]
    gain = told["side"] * told[name]
    daily = gain.groupby(level="date").mean()
    fitted = sm.OLS(daily.to_numpy(), np.ones(len(daily))).fit(
        cov_type="HAC", cov_kwds={"maxlags": horizon - 1, "use_correction": True}
    )
    data = data.drop(columns="side")
    data["factor_quantile"] = utils.quantize_factor(data, quantiles=QUANTILES, no_raise=True)
    ic = performance.factor_information_coefficient(data)[name]
    by_date, _ = performance.mean_return_by_quantile(data, by_date=True, demeaned=False)
    table = by_date[name].unstack("factor_quantile")
    turnover = [
        performance.quantile_turnover(data["factor_quantile"], quantile).mean()
        for quantile in (QUANTILES, 1)
    ]
    return (
        len(data),
        (gain > 0).sum() / (gain != 0).sum(),
        gain.mean(),
        daily.mean() / daily.std() * np.sqrt(252 / horizon),
        fitted.tvalues[0],
        ic.mean(),
        (table[QUANTILES] - table[1]).mean(),
        *turnover,
        performance.factor_rank_autocorrelation(data).mean(),
    )


def difference() -> float:
    """Return how far both are from each other; refuse to compare what is not the same work."""
    with connect() as session:
        row = session.execute(DIFFERENCE).fetchone()
    if row is None or row[1] != row[2] or row[0] is None or row[0] > 1e-9:
        raise RuntimeError(f"largest difference, rows compared, rows of the mart: {row}")
    return float(row[0])
