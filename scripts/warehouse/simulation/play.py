"""Play a world: session after session, each knowing only what came before it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from warehouse.output import Progress
from warehouse.simulation.account import Account
from warehouse.simulation.agents import emit_agents, emit_signals
from warehouse.simulation.allocator import STRATEGIES, Allocator, Fused, emit_strategies
from warehouse.simulation.backtests import emit_backtests
from warehouse.simulation.broker import Broker
from warehouse.simulation.features import Features, features
from warehouse.simulation.logs import log_orders, log_session
from warehouse.simulation.models import Models
from warehouse.simulation.prop import Prop
from warehouse.simulation.risk import Risk
from warehouse.simulation.world import Market, World, plain

FEE_EVERY = 21
"""Sessions between the fees for market data."""
WITHDRAWAL_ON = 30
"""Number of the session in which a part of the money is taken out."""


def play(market: Market, *, seed: int, days: int, progress: Progress | None = None) -> World:
    """Return the world after so many sessions, with every row that it writes."""
    world = World(market, seed, days)
    stage = Stage(world)
    stage.open()
    for number, at in enumerate(world.span, start=1):
        stage.session(at)
        if progress:
            progress("simulate", number, days)
    stage.close()
    return world


class Stage:
    """Everybody who acts, and what they decided at the last close."""

    def __init__(self, world: World) -> None:
        """Set up the accounts and who watches them."""
        self.world = world
        self.allocator = Allocator(world)
        self.models = Models(world)
        self.prop = Prop(world)
        self.brokers: dict[str, Broker] = {}
        self.risks: dict[str, Risk] = {}
        self.known: dict[str, Features] = {}
        self.fused: dict[tuple[str, str], Fused] = {}
        for strategy in STRATEGIES:
            account = Account(world, f"{world.name}-{strategy.key}")
            self.brokers[strategy.key] = Broker(world, account, strategy.key)
            self.risks[strategy.key] = Risk(world, account.account_id)

    def open(self) -> None:
        """Write what is there before the first session."""
        emit_agents(self.world)
        emit_strategies(self.world)
        emit_backtests(self.world)
        opens = self.world.market.sessions[self.world.market.first].open_at
        for strategy in STRATEGIES:
            account = self.brokers[strategy.key].account
            account.move("deposit", strategy.deposit, opens - timedelta(hours=1), "first deposit")
            self.risks[strategy.key].emit_limits()

    def session(self, at: int) -> None:
        """Trade a session on what the last close told, then decide on what its own tells."""
        day = at - self.world.market.first
        for key, broker in self.brokers.items():
            self._move_money(broker.account, at, day)
            self.risks[key].before(at)
            if self.fused:
                own = {symbol: f for (name, symbol), f in self.fused.items() if name == key}
                broker.trade(at, own, self.known)
            self.risks[key].after(at, broker.account.snapshot(at))
        self.prop.advance(at)
        self._decide(at)

    def _move_money(self, account: Account, at: int, day: int) -> None:
        before = self.world.market.sessions[at].open_at - timedelta(minutes=30)
        if day and day % FEE_EVERY == 0:
            account.move("fee", Decimal("-150.00"), before, "market data")
            interest = round(max(account.cash, Decimal(0)) * Decimal("0.01") / 12, 2)
            if interest:
                account.move("interest", interest, before, "interest on cash, 1 % a year")
        if day == WITHDRAWAL_ON:
            part = round(account.equity * Decimal("0.02"), 2)
            if part > 0:
                account.move("withdrawal", -part, before, "2 % of equity")

    def _decide(self, at: int) -> None:
        """After the close: train what is due, predict, let agents speak, fuse."""
        self.models.advance(at)
        champion = self.models.champion(at)
        said = []
        self.known = {}
        for symbol in self.world.market.symbols:
            known = features(self.world.market, symbol, at)
            self.known[symbol] = known
            prediction_id, up = self.models.predict(at, symbol, known)
            inputs = {**known, "model_tilt": plain(2 * up - 1)}
            said += emit_signals(self.world, at, symbol, inputs, champion.model_id, prediction_id)
        self.fused = self.allocator.fuse(at, said)
        for strategy in STRATEGIES:
            modelled = "momentum_agent" in strategy.agents
            self.brokers[strategy.key].model_id = champion.model_id if modelled else None
        log_session(self.world, at, said)

    def close(self) -> None:
        """Write what has a state, as it is now."""
        self.models.emit_models(self.world.span[-1])
        self.prop.emit()
        everything = [order for broker in self.brokers.values() for order in broker.orders]
        everything.sort(key=lambda order: (order.created_at, order.order_id))
        orders = {order.order_id: order.row() for order in everything}
        self.world.rows["raw_trading.orders"] = list(orders.values())
        log_orders(self.world, self.world.rows.get("raw_trading.order_events", []), orders)
