"""The pass over a series against the aggregates, from the start and from any state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest

from conftest import TEMPLATE
from databases import cloned_database
from warehouse import database
from warehouse.config import Home

BARS = 320
CUTS = (0, 1, 13, 14, 15, 21, 26, 27, 33, 34, 43, 44, 45, 64, 103, 199, 200, 201, 256)
"""Bars after which the pass goes on from a state: around every seeding, and within a session."""

AGGREGATES = {
    "ema_state": "ema_ladder(null, close)",
    "macd_state": "macd(null, close)",
    "rsi_state": "rsi(null, close)",
    "trix_state": "triple_ema(null, close)",
    "directional_state": "directional(null, high, low, close)",
    "volume_state": "volume_flow(null, high, low, close, volume)",
    "session_state": "session(null, session, is_regular, high, low, close, volume)",
}
COLUMNS = ("high", "low", "close", "volume", "session", "is_regular")
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def conn(home: Home) -> Iterator[psycopg.Connection[Any]]:
    """Bars of a series: calm for a while, some without volume, seven to a session of six."""
    random = np.random.default_rng(5)
    close = np.round(50 + np.cumsum(random.normal(0, 0.4, BARS)), 2)
    close[220:260] = close[220]
    spread = np.where(close == np.roll(close, 1), 0, np.round(random.uniform(0, 0.5, BARS), 2))
    volume = [None if n % 41 == 5 else float(n * 37 % 1000) for n in range(BARS)]
    with cloned_database(home, "test_recursive", TEMPLATE), database.connect("tests") as session:
        session.execute(
            "create temp table bars (n integer, high float8, low float8, close float8,"
            " volume float8, session float8, is_regular boolean)"
        )
        with session.cursor() as cursor:
            cursor.executemany(
                "insert into bars values (%s, %s, %s, %s, %s, %s, %s)",
                [
                    (n + 1, float(c + s), float(c - s), float(c), volume[n], n // 7, n % 7 < 6)
                    for n, (c, s) in enumerate(zip(close, spread, strict=True))
                ],
            )
        yield session


@pytest.fixture(scope="module")
def expected(conn: psycopg.Connection[Any]) -> list[Row]:
    """Every state after every bar, by the aggregates."""
    states = ", ".join(f"indicators.{call} over bar" for call in AGGREGATES.values())
    return conn.execute(f"select {states} from bars window bar as (order by n)").fetchall()


@pytest.mark.parametrize("cut", CUTS)
def test_pass_equals_aggregates(
    conn: psycopg.Connection[Any], expected: list[Row], cut: int
) -> None:
    arrays = ", ".join(f"array_agg({name} order by n)" for name in COLUMNS)
    series = conn.execute(f"select {arrays} from bars where n > %s", [cut]).fetchone()
    assert series is not None
    seeds = expected[cut - 1] if cut else (None,) * len(AGGREGATES)
    rows = conn.execute(
        f"select bar, {', '.join(AGGREGATES)} from indicators.recursive("
        " 1, %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::boolean[],"
        " %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[],"
        " %s::float8[])",
        [*series, *seeds],
    ).fetchall()
    assert [row[0] for row in rows] == list(range(1, BARS - cut + 1))
    for number, (row, wanted) in enumerate(zip(rows, expected[cut:], strict=True), cut + 1):
        assert row[1:] == wanted, f"bar {number}"


def test_states_come_every_so_many_bars(conn: psycopg.Connection[Any], expected: list[Row]) -> None:
    arrays = ", ".join(f"array_agg({name} order by n) as {name}" for name in COLUMNS)
    rows = conn.execute(
        f"select bar, ema_state, session_state from (select {arrays} from bars) as series,"
        f" lateral indicators.recursive(64, {', '.join(COLUMNS)}, {', '.join(['null'] * 7)})"
    ).fetchall()
    assert [bar for bar, state, _ in rows if state is not None] == [64, 128, 192, 256, 320]
    assert [row[1:] for row in rows[63::64]] == [(row[0], row[6]) for row in expected[63::64]]
