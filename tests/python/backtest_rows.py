"""Backtests of real bars, landed; and what becomes of one execution after another, by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from psycopg.types.json import Jsonb

from oracle_formulas import exchange
from schedules import Key, Schedule
from warehouse import database

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")
LATER = pd.Timestamp("2026-01-01", tz="UTC")

RUN = """
    insert into raw_backtest.backtest_runs (
        run_id, strategy, strategy_id, range_start, range_end, initial_capital, currency, status,
        n_trials, parent_search_id, metrics, created_at, finished_at
    ) values (%s, 'tested', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
TRADE = """
    insert into raw_backtest.backtest_trades (
        run_id, trade_no, symbol, side, quantity, price, commission, slippage, "timestamp"
    ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

Trade = tuple[str, pd.Timestamp, float, float, float]
"""Symbol, session, units with their sign, price, commission."""


def sessions(first: str, last: str) -> pd.DatetimeIndex:
    """Return the sessions of a range of dates."""
    return exchange("XNYS").sessions_in_range(first, last)


def opens(day: pd.Timestamp) -> datetime:
    """Return when a session begins."""
    return exchange("XNYS").opens[day]


def land_run(
    run: str, days: pd.DatetimeIndex, *, capital: float | None = 100_000, trials: int = 1,
    search: str | None = None, status: str = "completed", metrics: dict[str, Any] | None = None,
    created: pd.Timestamp = LATER, currency: str = "USD", strategy: str | None = None,
) -> None:  # fmt: skip
    """Land a run over some sessions, as it stands at the end."""
    calendar = exchange("XNYS")
    after = calendar.opens[calendar.next_session(days[-1])]
    ended = created if status in ("completed", "failed", "cancelled") else None
    with database.connect("tests") as conn:
        conn.execute(RUN, [
            run, strategy, calendar.opens[days[0]], after, capital, currency, status, trials,
            search, Jsonb(metrics or {}), created, ended,
        ])  # fmt: skip


def land_trades(
    run: str, trades: Iterable[Trade], *, first: int = 1, slippage: float | None = None
) -> None:
    """Land executions a minute after the open of their sessions."""
    with database.connect("tests") as conn, conn.cursor() as cursor:
        cursor.executemany(TRADE, [
            (
                run, number, symbol, "buy" if units > 0 else "sell", abs(units), price, commission,
                slippage, opens(day) + pd.Timedelta("1min"),
            )
            for number, (symbol, day, units, price, commission) in enumerate(trades, start=first)
        ])  # fmt: skip


def daily_bars(schedule: Schedule, key: Key) -> pd.DataFrame:
    """Return the landed bars of a series by session."""
    bars = schedule.bars[key].iloc[sorted(schedule.done[key])]
    return bars.set_index(pd.DatetimeIndex(bars["session_date"]))


def random_trades(
    bars: dict[str, pd.DataFrame], days: pd.DatetimeIndex, seed: int, share: float = 0.3
) -> list[Trade]:
    """Buy and sell at the open whenever the dice say so: to flat, through flat, and in parts."""
    dice = np.random.default_rng(seed)
    held = dict.fromkeys(bars, 0)
    trades: list[Trade] = []
    for day in days:
        for symbol, prices in bars.items():
            if day in prices.index and dice.random() < share:
                wanted = int(dice.integers(-4, 5)) * 100
                units = wanted - held[symbol]
                if units:
                    price = round(float(prices["open"][day]), 4)
                    trades.append((symbol, day, units, price, round(abs(units) * 0.01, 2)))
                held[symbol] = wanted
    return trades


@dataclass
class Book:
    """What an account holds, in the shares of the day, execution by execution."""

    capital: float
    units: dict[str, float] = field(default_factory=dict)
    cash: float = 0.0
    trips: dict[str, list[float]] = field(default_factory=dict)

    def split(self, symbol: str, ratio: float) -> None:
        """Have so many times the units from now on."""
        self.units[symbol] = self.units.get(symbol, 0.0) * ratio

    def execute(self, symbol: str, units: float, price: float, commission: float) -> None:
        """Buy or sell; what turns the position is two executions."""
        held = self.units.get(symbol, 0.0)
        if held * units < 0 and abs(units) > abs(held):
            self._leg(symbol, -held, price, commission * abs(held / units))
            units, commission = units + held, commission * abs((units + held) / units)
        self._leg(symbol, units, price, commission)

    def _leg(self, symbol: str, units: float, price: float, commission: float) -> None:
        flow = -units * price - commission
        self.cash += flow
        trips = self.trips.setdefault(symbol, [])
        if not self.units.get(symbol, 0.0):
            trips.append(0.0)
        trips[-1] += flow
        self.units[symbol] = self.units.get(symbol, 0.0) + units

    def closed(self) -> list[float]:
        """Return the profits of the round trips that came back to flat."""
        return [
            profit
            for symbol, trips in self.trips.items()
            for profit in (trips[:-1] if self.units[symbol] else trips)
        ]


def replayed(
    trades: Iterable[Trade], closes: dict[str, pd.Series], days: pd.DatetimeIndex,
    capital: float = 100_000, splits: dict[str, tuple[pd.Timestamp, float]] | None = None,
) -> tuple[pd.DataFrame, Book]:  # fmt: skip
    """Return the curve of a run and its book, session by session in the prices it traded at."""
    book = Book(capital)
    lines = []
    before = capital
    for day in days:
        for symbol, (ex_date, ratio) in (splits or {}).items():
            if day == ex_date:
                book.split(symbol, ratio)
        traded = 0.0
        for symbol, when, units, price, commission in trades:
            if when == day:
                book.execute(symbol, units, price, commission)
                traded += abs(units * price)
        values = [units * closes[symbol][day] for symbol, units in book.units.items() if units]
        equity = capital + book.cash + sum(values)
        gross = sum(abs(value) for value in values)
        lines.append((equity, equity / before - 1, gross / equity, traded / before, len(values)))
        before = equity
    names = ["equity", "session_return", "exposure", "turnover", "positions"]
    return pd.DataFrame(lines, index=days, columns=names), book
