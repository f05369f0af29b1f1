"""How fast signals are judged against pandas with alphalens; how often luck looks like skill."""

from __future__ import annotations

import exchange_calendars
import numpy as np
import pandas as pd
import polars as pl

from benchmarks import workspace
from benchmarks.peers import alphalens_way
from benchmarks.results import Section, seconds
from benchmarks.workspace import Workspace, connect, dbt_build, model_seconds, say, timed
from warehouse.landing.bars import land_frame
from warehouse.landing.profile import parse_profile

AGENTS, INSTRUMENTS, SESSIONS = 20, 500, 504
"""Five million signals: the scale that the design asks for."""
LUCKY_AGENTS, LUCKY_INSTRUMENTS, LUCKY_SESSIONS = 4_000, 4, 250
HOLDING = 0.95
"""Autocorrelation of an agent's scores from one session to the next: opinions last for weeks."""
NIGHTS = 3
BUILD = "+signal_performance"
COPY = """
    copy raw_signals.signals (agent_id, signal_id, symbol, signal_ts, horizon, direction, strength)
    from stdin csv
"""
PROFILE = {
    "source": "benchmark", "timeframe": "1d", "timezone": "UTC", "calendar": "XNYS",
    "adjusted": "splits",
    "columns": {n: n for n in ("symbol", "timestamp", "open", "high", "low", "close", "volume")},
}  # fmt: skip
SHARES = """
    select
        horizon,
        avg((erfc(abs(return_t_naive) / sqrt(2)) < 0.05)::integer)::float8,
        avg((erfc(abs(return_t_newey_west) / sqrt(2)) < 0.05)::integer)::float8,
        avg((return_p_value < 0.05)::integer)::float8,
        avg((0 not between return_low and return_high)::integer)::float8,
        max(return_degrees)
    from build.signal_performance
    where period = 'all'
    group by horizon
    order by horizon
"""


def run(space: Workspace, scale: float) -> list[Section]:
    """Measure both in fresh databases."""
    return [speed(space, scale), luck(space, scale)]


def speed(space: Workspace, scale: float) -> Section:
    """Judge everything, then a night at a time; let the peer judge the same history."""
    section = Section("Judging signals")
    agents, names = AGENTS, max(10, round(INSTRUMENTS * scale))
    prices, scores = market(names, SESSIONS + NIGHTS), opinions(agents, names, SESSIONS + NIGHTS)
    with space.fresh("bench_signals"):
        land(prices.iloc[:SESSIONS], scores[:, :SESSIONS])
        workspace.settle()
        full, full_models = build("full build", full_refresh=True)
        count = agents * names * SESSIONS
        section.add(f"full build of {count:,} signals, two marts", seconds(full))
        workspace.settle()
        say("signals: pandas with alphalens")
        peer = timed(alphalens_way.judge)
        section.add("pandas and alphalens, read and written", seconds(peer))
        section.add("full build against it", "", ratio=full / peer, most=0.2)
        different = alphalens_way.difference()
        section.add("largest difference of what both compute", f"{different:.1e}")
        # Until all have been built once, nothing is trusted and every build is of everything.
        say("signals: the other marts")
        dbt_build()
        clocks, models = [], []
        for night in range(SESSIONS, SESSIONS + NIGHTS):
            land(prices.iloc[night : night + 1], scores[:, night : night + 1], first=night)
            clock, spent = build(f"night {night - SESSIONS + 1}")
            clocks.append(clock)
            models.append(spent)
            # What a part of the marts has taken in stays dirty until the others have.
            dbt_build()
        night, spent = float(np.median(clocks)), float(np.median(models))
        section.add("one session more, clock", seconds(night), ratio=night / full, most=0.02)
        section.add(
            "one session more, models", seconds(spent), ratio=spent / full_models, most=0.02
        )
    return section


def luck(space: Workspace, scale: float) -> Section:
    """Judge agents that know nothing: five of a hundred may look significant at 5 %."""
    section = Section("Luck")
    agents = max(20, round(LUCKY_AGENTS * scale))
    with space.fresh("bench_luck"):
        land(
            market(LUCKY_INSTRUMENTS, LUCKY_SESSIONS),
            opinions(agents, LUCKY_INSTRUMENTS, LUCKY_SESSIONS),
        )
        build("agents that know nothing", full_refresh=True)
        with connect() as session:
            rows = session.execute(SHARES).fetchall()
    for horizon, naive, newey_west, ours, outside, degrees in rows:
        interval = "none: too few sessions" if outside is None else f"{outside:.1%}"
        section.add(
            f"{agents:,} agents by chance, horizon {horizon}: significant at 5 %, points off",
            f"{ours:.1%} with {degrees} degrees of freedom"
            f" (naive t {naive:.1%}, Newey-West {newey_west:.1%}, interval {interval})",
            ratio=abs(ours - 0.05) * 100,
            most=1,
            unit="",
        )
    section.notes += [
        "Scores have nothing to do with the prices, and those are random walks; scores of one"
        f" session and the next correlate with {HOLDING}.",
    ]
    return section


def market(names: int, sessions: int) -> pd.DataFrame:
    """Return closes by session and ticker: random walks."""
    random = np.random.default_rng(11)
    steps = random.normal(0, 0.02, (sessions, names))
    closes = np.round(100 * np.exp(np.cumsum(steps, axis=0)).clip(0.01, 1000), 4)
    calendar = exchange_calendars.get_calendar("XNYS")
    days = calendar.sessions[calendar.closes < pd.Timestamp.now("UTC")][-sessions:]
    return pd.DataFrame(closes, index=days, columns=[f"S{n:04}" for n in range(names)])


def opinions(agents: int, names: int, sessions: int) -> np.ndarray:
    """Return scores by agent, session and ticker, normal before they are cut at 1."""
    random = np.random.default_rng(12)
    scores = np.empty((agents, sessions, names))
    scores[:, 0] = random.normal(size=(agents, names))
    for session in range(1, sessions):
        news = random.normal(size=(agents, names)) * np.sqrt(1 - HOLDING**2)
        scores[:, session] = HOLDING * scores[:, session - 1] + news
    return np.round((scores / 4).clip(-1, 1), 6)


def land(prices: pd.DataFrame, scores: np.ndarray, *, first: int = 0) -> None:
    """Land daily bars, and what agents said on the day before each close."""
    say(f"signals: landing {prices.size:,} bars and {scores.size:,} signals")
    bars = prices.stack().rename("close").rename_axis(["timestamp", "symbol"]).reset_index()
    bars = bars.assign(
        timestamp=bars["timestamp"].dt.date, open=bars["close"], high=bars["close"],
        low=bars["close"], volume=1000.0,
    )  # fmt: skip
    landed = land_frame(bars, profile=parse_profile(PROFILE, where="benchmark"))
    if landed.accepted != len(bars):
        raise RuntimeError(f"{landed.accepted} of {len(bars)} bars accepted: {landed.rules}")
    said = np.char.add(prices.index.strftime("%Y-%m-%dT").to_numpy(str), "15:00:00Z")
    with connect() as session:
        for number, agent in enumerate(scores):
            flat = agent.ravel()
            frame = pl.DataFrame(
                {
                    "agent": f"agent{number:04}",
                    "id": np.arange(first * agent.shape[1], first * agent.shape[1] + flat.size),
                    "symbol": np.tile(prices.columns.to_numpy(str), len(prices)),
                    "at": np.repeat(said, agent.shape[1]),
                    "horizon": 5,
                    "direction": np.select([flat > 0, flat < 0], ["long", "short"], "flat"),
                    "strength": abs(flat),
                }
            )
            session.execute(
                "insert into raw_signals.agents (agent_id, name) values (%s, %s)"
                " on conflict do nothing",
                [f"agent{number:04}", "benchmark"],
            )
            with session.cursor().copy(COPY) as copy:
                copy.write(frame.write_csv(include_header=False))


def build(what: str, *, full_refresh: bool = False) -> tuple[float, float]:
    """Build the marts of signals; return the seconds by the clock and those of the models."""
    workspace.settle()
    clock = dbt_build(BUILD, full_refresh=full_refresh)
    models = sum(model_seconds().values())
    say(f"signals: {what}: {seconds(clock)} (models {seconds(models)})")
    return clock, models
