"""The query of the designs, by many clients at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from typing import Any

from benchmarks import landing
from benchmarks.data import SEED, Bars
from benchmarks.results import Section
from benchmarks.workspace import Workspace, connect, dbt_build, say

CLIENTS = 20

QUERY = """\
SELECT symbol, timestamp, close, rsi_1d, price_ma_short
FROM feature_engineered_data
WHERE symbol = '{symbol}'
AND feature_version = '3.0'
AND timestamp >= NOW() - INTERVAL '30 days'
ORDER BY timestamp DESC;
"""
"""Word for word; only the symbol differs, so that clients do not all read the same page."""

COVERING = "marts.idx_features_symbol_version_covering"


def run(space: Workspace, bars: Bars, *, repeats: int) -> list[Section]:
    """Measure with the covering index and without it."""
    section = Section("Query")
    symbols = bars.history["symbol"].unique(maintain_order=True).to_list()
    with space.fresh("bench_query"):
        landing.land(bars.history, space.folder / "query.csv")
        say("query: full build")
        dbt_build("+feature_engineered_data", full_refresh=True)
        with connect() as session:
            # What autovacuum does a minute after a build; index-only scans need it.
            session.execute("vacuum (analyze) marts.feature_engineered_data")
            row = session.execute("select pg_get_indexdef(to_regclass(%s))", [COVERING]).fetchone()
        definition = str(row[0]) if row else ""
        with_index = _measure(section, "with the covering index", symbols, repeats)
        section.add(
            f"{CLIENTS} clients, server side, p95 (target in ms)",
            _pair(with_index["server"]),
            ratio=with_index["server"][1],
            most=1,
            unit=" ms",
        )
        section.add(f"{CLIENTS} clients, as a client sees it", _pair(with_index["client"]))
        with connect() as session:
            session.execute(f"drop index {COVERING}")
        without = _measure(section, "without it", symbols, max(1, repeats // 10))
        with connect() as session:
            session.execute(definition)
        section.add("without the covering index, server side", _pair(without["server"]))
        section.add("without the covering index, as a client sees it", _pair(without["client"]))
        section.notes.append(f"Rows of one answer: {with_index['rows']}.")
    return [section]


def _measure(section: Section, what: str, symbols: list[str], repeats: int) -> dict[str, Any]:
    """Return p50 and p95 in ms, on the server and at the client."""
    with connect() as session:
        session.execute("set search_path = marts, public")
        query = QUERY.format(symbol=symbols[0])
        rows = len(session.execute(query.encode()).fetchall())
        plan = [r[0] for r in session.execute(f"explain (costs off) {query}".encode()).fetchall()]
    section.notes.append(f"Plan {what}: `{' '.join(part.strip() for part in plan)}`.")
    say(f"query: {CLIENTS} clients {what}")
    server = _clients(symbols, repeats, _execution_time)
    client = _clients(symbols, repeats, _latency)
    return {"server": server, "client": client, "rows": rows}


def _clients(
    symbols: list[str], repeats: int, ask: Callable[[Any, str], float]
) -> tuple[float, float]:
    """Let every client ask for symbols of its own; return p50 and p95."""

    def client(number: int) -> list[float]:
        chosen = random.Random(SEED + number)  # noqa: S311 (no secret)
        with connect() as session:
            session.execute("set search_path = marts, public")
            ask(session, QUERY.format(symbol=chosen.choice(symbols)))
            return [
                ask(session, QUERY.format(symbol=chosen.choice(symbols))) for _ in range(repeats)
            ]

    with ThreadPoolExecutor(CLIENTS) as pool:
        found = [ms for own in pool.map(client, range(CLIENTS)) for ms in own]
    points = quantiles(found, n=20)
    return points[9], points[18]


def _execution_time(session: Any, query: str) -> float:  # noqa: ANN401
    """Return the server's own milliseconds for planning and execution."""
    text = f"explain (analyze, timing off, format json) {query}"
    ((found,),) = session.execute(text).fetchall()
    return float(found[0]["Planning Time"]) + float(found[0]["Execution Time"])


def _latency(session: Any, query: str) -> float:  # noqa: ANN401
    """Return the milliseconds until the client has all rows."""
    began = time.perf_counter()
    session.execute(query).fetchall()
    return 1000 * (time.perf_counter() - began)


def _pair(points: tuple[float, float]) -> str:
    """Return p50 and p95 for people."""
    return f"p50 {points[0]:.2f} ms, p95 {points[1]:.2f} ms"
