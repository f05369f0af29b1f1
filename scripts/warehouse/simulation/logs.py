"""What an application would log meanwhile; correlation ids join the lines to decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from warehouse.simulation.agents import Signal
from warehouse.simulation.world import Row, World, plain

OPERATIONS = (("load_features", 40.0), ("predict", 12.0), ("emit_signals", 8.0), ("fuse", 5.0))
EVENTS = {
    "placed": "order_placed",
    "filled": "order_filled",
    "partially_filled": "order_filled",
    "rejected": "order_rejected",
    "cancelled": "order_cancelled",
    "expired": "order_expired",
}


def log_session(world: World, at: int, signals: Sequence[Signal]) -> None:
    """Log the work after the close of a session."""
    session = world.market.sessions[at]
    dice = world.random("logs", at)
    trace = f"{world.name}-{world.day(at)}-cycle"
    began = session.close_at + timedelta(minutes=1)
    _system(world, "INFO", "scheduler", began, f"Decision cycle of {session.day} begins", trace)
    for number, (operation, usual) in enumerate(OPERATIONS):
        duration = plain(usual * float(dice.lognormal(0, 0.4)))
        world.emit(
            "raw_logs.performance_logs",
            id=world.number(f"{trace}/{operation}"),
            timestamp=began + timedelta(minutes=2 * number),
            operation_name=operation,
            duration_ms=round(duration, 3),
            status="success",
            component="agents",
            correlation_id=trace,
            memory_usage_mb=round(float(dice.uniform(180, 260)), 1),
            cpu_usage_percent=round(float(dice.uniform(5, 80)), 1),
        )
    if dice.random() < 0.1:
        _trouble(world, at, trace)
    said: dict[str, list[Signal]] = {}
    for signal in signals:
        said.setdefault(signal.agent_id, []).append(signal)
        _event(
            world,
            f"{signal.signal_id}/generated",
            timestamp=session.close_at + timedelta(minutes=5),
            event_type="signal_generated",
            symbol=signal.symbol,
            strategy=signal.agent_id,
            correlation_id=world.decision(at, signal.symbol),
            metadata={"signal_id": signal.signal_id, "direction": signal.direction},
        )
    for agent_id, own in said.items():
        metrics = (
            ("latency_ms", round(float(dice.lognormal(2, 0.5)), 3), "ms"),
            ("signals", float(len(own)), None),
            ("mean_strength", plain(sum(abs(s.strength) for s in own) / len(own)), None),
        )
        for name, value, unit in metrics:
            world.emit(
                "raw_logs.agent_metrics",
                id=world.number(f"{trace}/{agent_id}/{name}"),
                timestamp=session.close_at + timedelta(minutes=6),
                agent_id=agent_id,
                metric_name=name,
                metric_value=value,
                unit=unit,
                correlation_id=trace,
            )


def _trouble(world: World, at: int, trace: str) -> None:
    """Log a failure that a second try mended."""
    when = world.market.sessions[at].close_at + timedelta(minutes=1, seconds=10)
    world.emit(
        "raw_logs.error_logs",
        id=world.number(f"{trace}/trouble"),
        timestamp=when,
        error_type="ConnectionError",
        error_message="The feature store did not answer within 5 s",
        component="agents",
        correlation_id=trace,
    )
    again = when + timedelta(seconds=5)
    _system(world, "WARNING", "features", again, "Feature store answered on the second try", trace)


def log_orders(world: World, events: Sequence[Row], orders: dict[str, Row]) -> None:
    """Log what happened to orders, as it happened."""
    for event in events:
        kind = EVENTS.get(event["event_type"])
        if kind is None:
            continue
        order = orders[event["order_id"]]
        name = f"{event['order_id']}/{event['seq']}"
        _event(
            world,
            name,
            timestamp=event["event_at"],
            event_type=kind,
            symbol=order["symbol"],
            side=order["side"],
            quantity=order["quantity"],
            price=order["price"] or order["stop_price"],
            order_id=event["order_id"],
            strategy=order["strategy_id"],
            correlation_id=event["correlation_id"],
            metadata=event["details"],
        )
        if kind == "order_rejected":
            reason = event["details"]["reason"]
            world.emit(
                "raw_logs.error_logs",
                id=world.number(f"{name}/rejected"),
                timestamp=event["event_at"],
                error_type="OrderRejected",
                error_message=f"Order {event['order_id']} was rejected: {reason}",
                component="execution",
                correlation_id=event["correlation_id"],
            )


def _event(world: World, name: str, **row: object) -> None:
    """Write a line of trading_events; every line has every column, empty or not."""
    empty = dict.fromkeys(("side", "quantity", "price", "order_id"))
    world.emit("raw_logs.trading_events", id=world.number(name), **(empty | row))


def _system(world: World, level: str, logger: str, when: object, message: str, trace: str) -> None:
    world.emit(
        "raw_logs.system_logs",
        id=world.number(f"{trace}/{message}"),
        timestamp=when,
        level=level,
        logger_name=logger,
        correlation_id=trace,
        message=message,
        module="simulation",
    )
