"""One account: positions by average cost, cash, and the snapshot at the end of each session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import numpy as np

from warehouse.simulation.orders import Fill
from warehouse.simulation.world import LOOKBACK, World

CENT = Decimal("0.01")
EXACT = Decimal("0.0000000001")


@dataclass
class Position:
    """Units held, negative when short, and what they cost."""

    quantity: int = 0
    cost: Decimal = Decimal(0)

    def add(self, units: int, price: Decimal) -> Decimal:
        """Book an execution; return the profit it realised, commissions apart."""
        realised = Decimal(0)
        if self.quantity * units < 0:
            closed = min(abs(units), abs(self.quantity)) * (1 if units > 0 else -1)
            share = (self.cost * -closed / self.quantity).quantize(EXACT)
            realised = -closed * price - share
            self.quantity += closed
            self.cost = self.cost - share if self.quantity else Decimal(0)
            units -= closed
        self.quantity += units
        self.cost += units * price
        return realised


@dataclass
class Account:
    """Cash and positions of one strategy's account."""

    world: World
    account_id: str
    cash: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)
    highest: Decimal = Decimal(0)
    equity: Decimal = Decimal(0)
    positions: dict[str, Position] = field(default_factory=dict)
    movements: int = 0

    def held(self, symbol: str) -> int:
        """Return the units held of a symbol."""
        return self.positions[symbol].quantity if symbol in self.positions else 0

    def move(self, kind: str, amount: Decimal, at: datetime, note: str) -> None:
        """Book money that comes or goes other than by trades."""
        self.movements += 1
        self.cash += amount
        self.world.emit(
            "raw_trading.cash_movements",
            movement_id=f"{self.account_id}-{self.movements}",
            account_id=self.account_id,
            kind=kind,
            amount=amount,
            currency=self.world.market.currency,
            moved_at=at,
            note=note,
        )

    def book(self, fills: Iterable[Fill]) -> None:
        """Book the executions in force of a session, in the order in which they happened."""
        for fill in sorted(fills, key=lambda f: (f.at, f.arrival)):
            position = self.positions.setdefault(fill.order.symbol, Position())
            self.realised += position.add(fill.signed, fill.price)
            self.cash -= fill.signed * fill.price + fill.commission

    def snapshot(self, at: int) -> dict[str, Decimal]:
        """Write what the account is worth at the close of session `at`, and return it."""
        market = self.world.market
        values = {
            symbol: position.quantity * market.bars[symbol][at].close
            for symbol, position in self.positions.items()
        }
        cost = sum((p.cost for p in self.positions.values()), Decimal(0))
        net = sum(values.values(), Decimal(0))
        gross = sum((abs(value) for value in values.values()), Decimal(0))
        before, self.equity = self.equity, self.cash + net
        self.highest = max(self.highest, self.equity)
        risk = self._value_at_risk(values, at)
        drawdown = round(1 - self.equity / self.highest, 6)
        largest = max((abs(value) for value in values.values()), default=Decimal(0))
        self.world.emit(
            "raw_trading.portfolio_snapshots",
            account_id=self.account_id,
            strategy_id="",
            snapshot_ts=market.sessions[at].close_at,
            currency=market.currency,
            equity=self.equity,
            cash=self.cash,
            gross_exposure=gross,
            net_exposure=net,
            realised_pnl=round(self.realised, 2),
            unrealised_pnl=round(net - cost, 2),
            margin_used=round(gross / 2, 2),
            value_at_risk=risk,
            leverage=round(gross / self.equity, 6),
            drawdown_frac=float(drawdown),
            risk_frac=float(round(risk / self.equity, 6)),
        )
        return {
            "leverage": round(gross / self.equity, 6),
            "drawdown": drawdown,
            "concentration": round(largest / self.equity, 6),
            "daily_loss": max(round(1 - self.equity / before, 6), Decimal(0))
            if before
            else Decimal(0),
            "value_at_risk": round(risk / self.equity, 6),
        }

    def _value_at_risk(self, values: dict[str, Decimal], at: int) -> Decimal:
        """Return the loss that one of twenty past sessions would have exceeded, held as today."""
        outcome = np.zeros(LOOKBACK)
        for symbol, value in values.items():
            closes = self.world.market.closes[symbol][at - LOOKBACK : at + 1]
            outcome += float(value) * (closes[1:] / closes[:-1] - 1)
        return max(Decimal(str(round(-float(np.quantile(outcome, 0.05)), 2))), Decimal(0))
