"""Backtests of each agent on the sessions before the simulated ones, every trial of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np

from warehouse.simulation.account import Position
from warehouse.simulation.agents import AGENTS, FLAT, Agent
from warehouse.simulation.features import Features, features
from warehouse.simulation.world import LOOKBACK, World, plain

GRID = (0.5, 1.0, 2.0, 4.0)
"""What each search tries: how soon an agent's strength saturates."""
SESSIONS = 120
"""Sessions that are tested, where there are as many."""
CAPITAL = Decimal(100_000)
COST = Decimal("0.0005")
"""Commission as a share of what is traded."""


def emit_backtests(world: World) -> None:
    """Write the runs and their trades; the trials of a search share its id and their number."""
    span = range(max(LOOKBACK, world.market.first - SESSIONS), world.market.first)
    known = {
        (symbol, at): features(world.market, symbol, at)
        for symbol in world.market.symbols
        for at in span
    }
    for agent in AGENTS:
        search = f"{world.name}-search-{agent.agent_id}"
        for number, squash in enumerate(GRID, start=1):
            _run(world, replace(agent, squash=squash), search, number, span, known)


def _run(
    world: World,
    agent: Agent,
    search: str,
    number: int,
    span: range,
    known: dict[tuple[str, int], Features],
) -> None:
    sessions = world.market.sessions
    run_id = f"{search}-{number}"
    began = sessions[world.market.first].open_at - timedelta(hours=6, minutes=-number)
    trades, daily = _trade(world, agent, run_id, span, known)
    deviation = float(np.std(daily, ddof=1)) if len(daily) > 1 else 0.0
    world.emit(
        "raw_backtest.backtest_runs",
        run_id=run_id,
        strategy=agent.agent_id,
        config={"squash": agent.squash, "weights": dict(agent.weights), "fill": "next open"},
        range_start=sessions[span.start].open_at,
        range_end=sessions[world.market.first].open_at,
        timeframe="1d",
        initial_capital=CAPITAL,
        currency=world.market.currency,
        status="completed",
        n_trials=len(GRID),
        parent_search_id=search,
        metrics={
            "trades": trades,
            "net_profit": round(float(np.sum(daily)) * float(CAPITAL), 2),
            "sharpe": plain(float(np.mean(daily)) / deviation * math.sqrt(252) if deviation else 0),
        },
        correlation_id=run_id,
        created_at=began,
        started_at=began,
        finished_at=began + timedelta(seconds=40),
    )


def _trade(
    world: World,
    agent: Agent,
    run_id: str,
    span: range,
    known: dict[tuple[str, int], Features],
) -> tuple[int, list[float]]:
    """Write the trades; return how many there were, and the return of each session."""
    market = world.market
    share = CAPITAL / len(market.symbols)
    held = {symbol: Position() for symbol in market.symbols}
    count = 0
    daily = []
    strength = _strength(world, agent, known)
    for at in range(span.start + 1, span.stop):
        result = Decimal(0)
        for symbol in market.symbols:
            bar, before = market.bars[symbol][at], market.bars[symbol][at - 1]
            position = held[symbol]
            result += position.quantity * (bar.close - before.close)
            score = strength(symbol, at - 1)
            side = 0 if abs(score) < FLAT else 1 if score > 0 else -1
            wanted = side * int(share / before.close)
            change = wanted - position.quantity
            if change == 0 or (side and position.quantity * side > 0):
                continue
            count += 1
            commission = round(abs(change) * bar.open * COST, 2)
            result += change * (bar.close - bar.open) - commission
            world.emit(
                "raw_backtest.backtest_trades",
                run_id=run_id,
                trade_no=count,
                symbol=symbol,
                side="buy" if change > 0 else "sell",
                quantity=abs(change),
                price=bar.open,
                commission=commission,
                realized_pnl=round(position.add(change, bar.open), 2),
                timestamp=market.sessions[at].open_at,
                reason="entry" if side else "exit",
            )
        daily.append(float(result / CAPITAL))
    return count, daily


def _strength(
    world: World, agent: Agent, known: dict[tuple[str, int], Features]
) -> Callable[[str, int], float]:
    def strength(symbol: str, at: int) -> float:
        # No model had been trained yet, and dice are thrown anew for every trial.
        dice = float(world.random(f"backtest/{agent.squash}/{symbol}", at).normal())
        inputs = {**known[symbol, at], "model_tilt": 0.0, "dice": dice}
        return sum(agent.explain(inputs).values())

    return strength
