"""Ticks through the loader; signals, fills and challenge events as an application writes them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg

from benchmarks import workspace
from benchmarks.results import Section
from benchmarks.workspace import Workspace, connect, say, timed
from warehouse.landing.records import land_files
from warehouse.landing.records.profile import record_profile

TICKS = 2_000_000
BATCHES = 100
SINGLES = 1_000
FIRST = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
BARE_TICKS = """
    create table bare_ticks (
        symbol text, tick_ts timestamptz, seq bigint, price numeric, size numeric, aggressor text
    )
"""
USER = "11111111-1111-4111-8111-111111111111"
CHALLENGE = "22222222-2222-4222-8222-222222222222"
PARENTS = (
    "insert into raw_signals.agents (agent_id, name) values ('agent', 'Agent')",
    "insert into raw_trading.accounts (account_id, currency) values ('account', 'USD')",
    f"insert into raw_prop.user_accounts (id) values ('{USER}')",
    f"""
    insert into raw_prop.challenges (
        id, user_id, challenge_type, initial_balance, max_daily_drawdown_percent,
        max_total_drawdown_percent, profit_target_percent, current_equity, max_equity_ever,
        daily_start_equity, daily_max_equity, daily_min_equity
    )
    values ('{CHALLENGE}', '{USER}', 'one', 1000, 0.05, 0.1, 0.1, 1000, 1000, 1000, 1000, 1000)
    """,
)
SIGNALS = """
    insert into raw_signals.signals (
        agent_id, signal_id, symbol, signal_ts, horizon, direction, strength, confidence,
        explanation
    )
    select
        'agent', id, 'AAPL', at, 5, 'long', 0.5, 0.75,
        jsonb_build_object('why', 'momentum', 'weights', array[0.1, 0.2, 0.3])
    from unnest(%s::text [], %s::timestamptz []) as s (id, at)
"""
FILLS = """
    insert into raw_trading.fills (
        fill_id, account_id, symbol, side, quantity, price, currency, "timestamp"
    )
    select
        id, 'account', 'S' || right(id, 1), (array['buy', 'sell'])[1 + mod(n, 2)]::types.side,
        1 + mod(n, 7), 100 + mod(n, 10), 'USD', at
    from unnest(%s::text [], %s::timestamptz [], %s::integer []) as f (id, at, n)
"""
EVENT = f"""
    insert into raw_prop.challenge_events (
        challenge_id, sequence_number, event_type, event_data, occurred_at
    )
    values ('{CHALLENGE}', %s, 'NOTE', '{{"text": "checked"}}', %s)
"""


def run(space: Workspace, scale: float) -> list[Section]:
    """Measure in fresh databases: the loader against a bare COPY, single rows by their p95."""
    section = Section("Landing any table")
    path = space.folder / "ticks.csv"
    count = max(10_000, int(TICKS * scale))
    write_ticks(path, count)
    with space.fresh("bench_tables"):
        workspace.settle()
        say(f"ticks: bare COPY of {count:,}")
        bare = count / timed(lambda: bare_copy(path))
        workspace.settle()
        say("ticks: warehouse land ticks")
        ours = count / timed(lambda: land(path, count))
        section.add(f"bare COPY of {count:,} ticks", f"{bare:,.0f} rows/s")
        section.add("land ticks", f"{ours:,.0f} rows/s ({ours / bare:.2f} of bare)")
        section.add(
            "land ticks, thousand rows/s", f"{ours:,.0f}", ratio=ours / 1000, least=150, unit=""
        )
    path.unlink()
    with space.fresh("bench_tables"), connect() as session:
        for statement in PARENTS:
            session.execute(statement)
        say("signals, fills and challenge events")
        rate = per_second(session, SIGNALS, 1_000)
        section.add(
            "signals in batches of 1,000, thousand rows/s",
            f"{rate:,.0f} rows/s",
            ratio=rate / 1000,
            least=10,
            unit="",
        )
        rate = per_second(session, FILLS, 100)
        section.add(
            "fills in batches of 100, thousand rows/s",
            f"{rate:,.0f} rows/s",
            ratio=rate / 1000,
            least=1,
            unit="",
        )
        last = BATCHES * 100
        fills = [([f"single{n}"], [moment(last + n)], [n]) for n in range(SINGLES)]
        found = p95(session, FILLS, fills)
        section.add("one fill, p95", f"{found:.2f} ms", ratio=found, most=5, unit=" ms")
        late = [([f"late{n}"], [moment(n)], [n]) for n in range(SINGLES // 10)]
        found = p95(session, FILLS, late)
        section.add(
            f"one fill before {last // 10:,} others of its position, p95", f"{found:.2f} ms"
        )
        events = [(n + 1, moment(n)) for n in range(SINGLES)]
        found = p95(session, EVENT, events)
        section.add("one challenge event, p95", f"{found:.2f} ms", ratio=found, most=5, unit=" ms")
    return [section]


def write_ticks(path: Path, count: int) -> None:
    """Write ticks of eight symbols in the order of their times."""
    random = np.random.default_rng(7)
    micros = np.cumsum(random.integers(1, 2_000, count)) + int(FIRST.timestamp() * 1e6)
    pl.DataFrame(
        {
            "symbol": random.choice([f"COIN{n}" for n in range(8)], count),
            "tick_ts": pl.Series(micros).cast(pl.Datetime("us")).dt.strftime("%FT%T%.6fZ"),
            "seq": np.arange(count),
            "price": np.round(40_000 + np.cumsum(random.normal(0, 1, count)).clip(-30_000), 2),
            "size": np.round(random.random(count) + 0.0001, 6),
            "aggressor": random.choice(["buy", "sell"], count),
        }
    ).write_csv(path)


def bare_copy(path: Path) -> None:
    """COPY a file into a heap without key, checks or triggers."""
    with connect() as session, path.open("rb") as file:
        session.execute(BARE_TICKS)
        with session.cursor().copy("copy bare_ticks from stdin csv header") as copy:
            while block := file.read(1 << 20):
                copy.write(block)


def land(path: Path, count: int) -> None:
    """Land the file and insist that every tick was accepted."""
    profile = record_profile(
        {"table": "raw_market.ticks", "source": "benchmark", "calendar": "24/7"}, where="benchmark"
    )
    (batch,) = land_files([path], profile=profile)
    if batch.accepted != count:
        raise RuntimeError(f"{batch.accepted} of {count} ticks accepted: {batch.rules}")


def moment(number: int) -> datetime:
    """Return the time of a row."""
    return FIRST + timedelta(milliseconds=number)


def per_second(session: psycopg.Connection[Any], statement: str, size: int) -> float:
    """Insert batches, each in a transaction of its own; return rows per second."""
    began = time.perf_counter()
    for batch in range(BATCHES):
        numbers = [*range(batch * size, (batch + 1) * size)]
        values = [[f"row{n}" for n in numbers], [moment(n) for n in numbers], numbers]
        session.execute(statement, values[: statement.count("%s")])
    return BATCHES * size / (time.perf_counter() - began)


def p95(session: psycopg.Connection[Any], statement: str, rows: Iterable[Any]) -> float:
    """Insert rows one by one, each in a transaction; return the 95th percentile in ms."""
    found = []
    for row in rows:
        began = time.perf_counter()
        session.execute(statement, row)
        found.append(time.perf_counter() - began)
    return float(np.quantile(found, 0.95)) * 1000
