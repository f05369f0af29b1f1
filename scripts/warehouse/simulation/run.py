"""Simulate and land through the loaders that everybody uses, what is referred to first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from warehouse import database
from warehouse.errors import WarehouseError
from warehouse.landing.batches import BatchResult
from warehouse.landing.records import land_records
from warehouse.output import Progress
from warehouse.simulation.market import load_market
from warehouse.simulation.play import play
from warehouse.simulation.world import Row, World

SOURCE = "simulation"

BEFORE_ORDERS = (
    "raw_signals.agents",
    "raw_trading.strategies",
    "raw_trading.accounts",
    "raw_trading.cash_movements",
    "raw_risk.risk_limits",
    "raw_backtest.backtest_runs",
    "raw_backtest.backtest_trades",
    "raw_ml.models",
    "raw_ml.model_training_runs",
    "raw_ml.predictions",
    "raw_signals.signals",
    "raw_signals.fused_signals",
    "raw_signals.fusion_inputs",
)
AFTER_ORDERS = (
    "raw_risk.risk_alert_events",
    "raw_prop.challenge_rules",
    "raw_prop.user_accounts",
    "raw_prop.users_pii",
    "raw_prop.challenges",
    "raw_prop.trades",
    "raw_prop.challenge_events",
    "raw_prop.challenge_equity_ticks",
    "raw_prop.payment_events",
    "raw_prop.payments",
    "raw_prop.risk_alerts",
    "raw_logs.system_logs",
    "raw_logs.trading_events",
    "raw_logs.performance_logs",
    "raw_logs.error_logs",
    "raw_logs.user_action_logs",
    "raw_logs.agent_metrics",
    # Last: where a world has snapshots of a session, all before it has landed.
    "raw_trading.portfolio_snapshots",
)

REACHED = """
    select max(snapshot_ts), count(*) from raw_trading.portfolio_snapshots
    where account_id = %s and source = %s and revision = 0
"""


@dataclass
class Simulation:
    """What a simulation made, and what became of it."""

    world: str
    seed: int
    days: int
    first_session: date
    last_session: date
    symbols: list[str]
    batches: list[BatchResult] = field(default_factory=list)
    landed: int = 0
    accepted: int = 0
    known: int = 0
    quarantined: int = 0
    seconds: float = 0.0
    message: str = ""


def simulate(
    *,
    days: int,
    seed: int,
    symbols: Sequence[str] | None = None,
    start: date | None = None,
    if_needed: bool = False,
    progress: Progress | None = None,
) -> Simulation:
    """Simulate so many sessions and land every row; a second time all of them are known.

    With `if_needed`, what has landed already is not played again. Raises WarehouseError for
    impossible wishes, and when there are no bars to trade on.
    """
    began = time.monotonic()
    _check(days, seed)
    with database.connect("warehouse simulate", autocommit=True) as conn:
        market = load_market(conn, symbols=symbols, start=start, days=days)
        world = World(market, seed, days)
        last = market.sessions[world.span[-1]]
        row = conn.execute(REACHED, [f"{world.name}-ensemble", SOURCE]).fetchone()
    result = Simulation(
        world.name,
        seed,
        days,
        market.sessions[market.first].day,
        last.day,
        list(market.symbols),
    )
    reached, sessions = row if row else (None, 0)
    # Where more days are landed, what has a state (orders, challenges) is further than these say.
    if reached and (reached > last.close_at or (if_needed and reached == last.close_at)):
        result.message = f"nothing to add: {sessions} sessions of {world.name} are landed already"
        return result
    played = play(market, seed=seed, days=days, progress=progress)
    stages = list(landings(played))
    for number, (table, rows) in enumerate(stages, start=1):
        result.batches.append(land_records(table, rows, source=SOURCE, name=world.name))
        if progress:
            progress("land", number, len(stages))
    for batch in result.batches:
        result.landed += batch.landed
        result.accepted += batch.accepted
        result.known += batch.known
        result.quarantined += batch.quarantined
    result.seconds = round(time.monotonic() - began, 1)
    return result


def landings(world: World) -> Iterator[tuple[str, list[Row]]]:
    """Yield what to land, in an order in which no reference is missing.

    Orders land as they were placed, then what happened to them, then the state they ended in.
    """
    orders = world.rows.get("raw_trading.orders", [])
    placed = [{name: row[name] for name in row if name != "status"} for row in orders]
    stages = [(table, world.rows.get(table, [])) for table in BEFORE_ORDERS]
    stages += [
        ("raw_trading.orders", placed),
        ("raw_trading.order_events", world.rows.get("raw_trading.order_events", [])),
        ("raw_trading.fills", world.rows.get("raw_trading.fills", [])),
        ("raw_trading.fills", world.late),
        ("raw_trading.orders", orders),
    ]
    stages += [(table, world.rows.get(table, [])) for table in AFTER_ORDERS]
    return ((table, rows) for table, rows in stages if rows)


def _check(days: int, seed: int) -> None:
    if days < 1:
        raise WarehouseError(
            f"{days} days cannot be simulated.", do="ask for one or more: --days 60"
        )
    if seed < 0:
        raise WarehouseError(f"The seed {seed} is negative.", do="use 0 or more: --seed 7")
