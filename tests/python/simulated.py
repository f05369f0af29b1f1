"""A made-up market for simulations without a database, and what a world says, as text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from warehouse.simulation.play import play
from warehouse.simulation.run import landings
from warehouse.simulation.world import HISTORY, Bar, Market, Session, World

SYMBOLS = ("AAA", "BBB", "CCC")


def made_up_market(sessions: int = 320, seed: int = 1) -> Market:
    """Random walks on weekdays; the first simulated session is the 161st."""
    days = [date(2020, 1, 1) + timedelta(days=n) for n in range(3 * sessions)]
    days = [day for day in days if day.weekday() < 5][:sessions]
    dice = np.random.default_rng(seed)
    return Market(
        "XNYS",
        "USD",
        SYMBOLS,
        SYMBOLS,
        tuple(_session(day) for day in days),
        {symbol: tuple(_walk(dice, sessions)) for symbol in SYMBOLS},
        HISTORY + 40,
    )


def _session(day: date) -> Session:
    at = datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC)
    return Session(day, at, at + timedelta(hours=6, minutes=30))


def _walk(dice: np.random.Generator, count: int) -> list[Bar]:
    bars = []
    price = 50.0
    for _ in range(count):
        path = price * np.exp(np.cumsum(dice.normal(0, 0.006, 8)))
        cents = [Decimal(str(round(float(p), 2))) for p in path]
        bars.append(Bar(cents[0], max(cents), min(cents), cents[-1], Decimal(1_000_000)))
        price = float(path[-1])
    return bars


def other_future(market: Market, after: int) -> Market:
    """The same market up to a session, and another one after it."""
    other = made_up_market(len(market.sessions), seed=99)
    bars = {s: market.bars[s][: after + 1] + other.bars[s][after + 1 :] for s in market.symbols}
    return replace(market, bars=bars)


def told(world: World) -> str:
    """Every row in the order in which it lands, byte for byte."""
    return "\n".join(
        json.dumps([table, row], default=str, sort_keys=True)
        for table, rows in landings(world)
        for row in rows
    )


def lines(world: World, table: str) -> list[str]:
    """The rows of a table, as text."""
    rows = world.rows.get(table, []) + (world.late if table == "raw_trading.fills" else [])
    return [json.dumps(row, default=str, sort_keys=True) for row in rows]


def played(days: int, seed: int = 7, market: Market | None = None) -> World:
    """A world on the made-up market."""
    return play(market or made_up_market(), seed=seed, days=days)
