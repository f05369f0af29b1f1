"""The allocator: fuses what the agents say, for each strategy, and writes what it made of what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from warehouse.simulation.agents import ALLOCATOR, HORIZON, Signal, direction
from warehouse.simulation.world import World, plain

MEMORY = 20
"""Sessions over which the allocator judges an agent."""
ZEAL = 4.0
"""How much a hit rate moves a weight."""


@dataclass(frozen=True)
class Strategy:
    """Which agents a strategy listens to, and what its account begins with."""

    key: str
    strategy_type: str
    description: str
    agents: tuple[str, ...]
    deposit: Decimal


STRATEGIES = (
    Strategy(
        "ensemble",
        "multi_strategy",
        "All agents, weighted by how often each was right of late.",
        ("momentum_agent", "mean_reversion_agent", "breakout_agent", "noise_agent"),
        Decimal(1_000_000),
    ),
    Strategy(
        "trend",
        "trend_following",
        "Momentum and breakouts.",
        ("momentum_agent", "breakout_agent"),
        Decimal(400_000),
    ),
    Strategy(
        "reversion",
        "mean_reversion",
        "Mean reversion alone.",
        ("mean_reversion_agent",),
        Decimal(250_000),
    ),
)


@dataclass(frozen=True)
class Fused:
    """What a strategy makes of a symbol at a close."""

    fused_id: str
    strength: float
    correlation_id: str


@dataclass
class Allocator:
    """Remembers what agents said, to weight them by what became of it."""

    world: World
    said: dict[int, list[Signal]] = field(default_factory=dict)

    def weights(self, strategy: Strategy, at: int) -> dict[str, float]:
        """Return the weights at the close of `at`, by signals whose next close is known."""
        zeal = {
            agent: math.exp(ZEAL * (self._hit_rate(agent, at) - 0.5)) for agent in strategy.agents
        }
        total = sum(zeal.values())
        weights = {agent: plain(part / total) for agent, part in zeal.items()}
        last = strategy.agents[-1]
        weights[last] = plain(1 - sum(w for agent, w in weights.items() if agent != last))
        return weights

    def _hit_rate(self, agent: str, at: int) -> float:
        hits = calls = 0
        for session in range(max(at - MEMORY, self.world.market.first), at):
            for signal in self.said.get(session, []):
                if signal.agent_id == agent and signal.direction != "flat":
                    closes = self.world.market.closes[signal.symbol]
                    calls += 1
                    hits += (closes[session + 1] > closes[session]) == (signal.strength > 0)
        # Ten calls of a coin before the first one: no agent is judged by a single day.
        return (hits + 5) / (calls + 10)

    def fuse(self, at: int, signals: Sequence[Signal]) -> dict[tuple[str, str], Fused]:
        """Write the fused signals of a session; return them by strategy and symbol."""
        self.said[at] = list(signals)
        when = self.world.market.sessions[at].close_at + timedelta(minutes=10)
        result = {}
        for strategy in STRATEGIES:
            weights = self.weights(strategy, at)
            for symbol in self.world.market.symbols:
                heard = [s for s in signals if s.symbol == symbol and s.agent_id in weights]
                decision = self.world.decision(at, symbol)
                parts = {s.agent_id: plain(weights[s.agent_id] * s.strength) for s in heard}
                fused = Fused(f"{decision}-{strategy.key}", plain(sum(parts.values())), decision)
                result[strategy.key, symbol] = fused
                self.world.emit(
                    "raw_signals.fused_signals",
                    fused_id=fused.fused_id,
                    agent_id=ALLOCATOR,
                    strategy_id=f"{self.world.name}-{strategy.key}",
                    symbol=symbol,
                    signal_ts=when,
                    horizon=HORIZON,
                    direction=direction(fused.strength),
                    strength=abs(fused.strength),
                    confidence=plain(0.5 + abs(fused.strength) / 4),
                    method=f"weighted by hit rate of {MEMORY} sessions",
                    correlation_id=decision,
                    explanation={"score": fused.strength, "contributions": parts},
                )
                for signal in heard:
                    self.world.emit(
                        "raw_signals.fusion_inputs",
                        fused_id=fused.fused_id,
                        signal_id=signal.signal_id,
                        agent_id=signal.agent_id,
                        weight=weights[signal.agent_id],
                    )
        return result


def emit_strategies(world: World) -> None:
    """Write the strategies of the world, each with an account of its own."""
    opened = world.market.sessions[world.market.first].open_at - timedelta(hours=2)
    for strategy in STRATEGIES:
        name = f"{world.name}-{strategy.key}"
        world.emit(
            "raw_trading.strategies",
            strategy_id=name,
            name=f"{strategy.key} of {world.name}",
            strategy_type=strategy.strategy_type,
            description=strategy.description,
            config={"agents": list(strategy.agents), "memory_sessions": MEMORY, "zeal": ZEAL},
            status="active",
            created_at=opened,
        )
        world.emit(
            "raw_trading.accounts",
            account_id=name,
            name=f"Account of {strategy.key}",
            broker="simulated broker",
            account_type="paper",
            currency=world.market.currency,
            opened_at=opened,
        )
