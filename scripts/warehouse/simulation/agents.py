"""The agents: each turns features into a strength that is the sum of its explained parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from warehouse.simulation.features import Features
from warehouse.simulation.world import World, plain

HORIZON = 5
ALLOCATOR = "portfolio_allocator"
FLAT = 0.1
"""Below this strength a signal says: no position."""


@dataclass(frozen=True)
class Agent:
    """A linear agent: weight times the squashed feature, weights summing to 1 at most."""

    agent_id: str
    description: str
    weights: Mapping[str, float]
    squash: float = 1.0

    def explain(self, known: Features) -> dict[str, float]:
        """Return what each feature adds to the strength."""
        return {
            name: plain(weight * math.tanh(known[name] / self.squash))
            for name, weight in self.weights.items()
        }


AGENTS = (
    Agent(
        "momentum_agent",
        "Follows the return of the last month and week, tilted by the champion model.",
        {"return_20": 0.5, "return_5": 0.3, "model_tilt": 0.2},
    ),
    Agent(
        "mean_reversion_agent",
        "Bets against the distance from the mean of 20 sessions and against the last return.",
        {"zscore_20": -0.7, "return_1": -0.3},
        squash=1.5,
    ),
    Agent(
        "breakout_agent",
        "Follows closes near the edge of the channel of 55 sessions.",
        {"channel_55": 0.8, "return_5": 0.2},
        squash=0.8,
    ),
    Agent(
        "noise_agent",
        "Throws dice: the control that no method should find skill in.",
        {"dice": 1.0},
    ),
)


@dataclass(frozen=True)
class Signal:
    """What an agent says of a symbol at a close."""

    signal_id: str
    agent_id: str
    symbol: str
    strength: float
    """Signed: -1 sells with all force, 1 buys with all force."""

    @property
    def direction(self) -> str:
        """Return long, short or flat."""
        return direction(self.strength)


def direction(strength: float) -> str:
    """Return what a strength asks for."""
    if abs(strength) < FLAT:
        return "flat"
    return "long" if strength > 0 else "short"


def emit_agents(world: World) -> None:
    """Write the agents themselves; they are the same in every world."""
    for agent in AGENTS:
        world.emit(
            "raw_signals.agents",
            agent_id=agent.agent_id,
            name=agent.agent_id.replace("_", " "),
            agent_type="signal",
            description=agent.description,
            config={"weights": dict(agent.weights), "squash": agent.squash},
        )
    world.emit(
        "raw_signals.agents",
        agent_id=ALLOCATOR,
        name="portfolio allocator",
        agent_type="allocator",
        description="Fuses signals, weighting each agent by how often it was right of late.",
        config={},
    )


def emit_signals(
    world: World, at: int, symbol: str, known: Features, model_id: str, prediction_id: str
) -> list[Signal]:
    """Write what every agent says of a symbol after the close of session `at`."""
    when = world.market.sessions[at].close_at + timedelta(minutes=5)
    dice = float(world.random(f"dice/{symbol}", at).normal())
    inputs = {**known, "dice": plain(dice)}
    signals = []
    for agent in AGENTS:
        parts = agent.explain(inputs)
        strength = plain(sum(parts.values()))
        signal = Signal(
            f"{world.decision(at, symbol)}-{agent.agent_id}", agent.agent_id, symbol, strength
        )
        signals.append(signal)
        modelled = "model_tilt" in agent.weights
        world.emit(
            "raw_signals.signals",
            signal_id=signal.signal_id,
            agent_id=agent.agent_id,
            symbol=symbol,
            signal_ts=when,
            horizon=HORIZON,
            direction=signal.direction,
            strength=abs(strength),
            confidence=plain(0.5 + abs(strength) / 4),
            model_id=model_id if modelled else None,
            prediction_id=prediction_id if modelled else None,
            correlation_id=world.decision(at, symbol),
            explanation={
                "score": strength,
                "inputs": {name: inputs[name] for name in agent.weights},
                "contributions": parts,
                "squash": agent.squash,
            },
        )
    return signals
