"""One order: its life in events, and its fills, in the words of the landing tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from warehouse.simulation.world import Row, World

CENT = Decimal("0.01")
FEWEST = Decimal("1.00")
"""Least commission of a fill; above that half a cent per unit, but no more than SHARE."""
SHARE = Decimal("0.001")


@dataclass
class Fill:
    """One execution; `arrival` is when it was reported, which need not be the order of `at`."""

    fill_id: str
    order: Order
    quantity: int
    price: Decimal
    at: datetime
    arrival: int
    liquidity: str
    corrects: str | None = None
    is_cancel: bool = False

    @property
    def signed(self) -> int:
        """Units with their direction."""
        return self.quantity if self.order.side == "buy" else -self.quantity

    @property
    def commission(self) -> Decimal:
        """What the broker takes."""
        per_unit = min(Decimal("0.005"), self.price * SHARE)
        return max(FEWEST, (per_unit * self.quantity).quantize(CENT))


@dataclass
class Order:
    """An order on its way through its states; every step is an event with the next number."""

    world: World
    order_id: str
    account_id: str
    symbol: str
    side: str
    quantity: int
    order_type: str
    created_at: datetime
    correlation_id: str
    signal_id: str
    model_id: str | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: str = "day"
    expires_at: datetime | None = None
    parent_order_id: str | None = None
    status: str | None = None
    filled: int = 0
    events: int = 0
    fills: list[Fill] = field(default_factory=list)

    @property
    def is_working(self) -> bool:
        """True while it can still be filled."""
        return self.status in ("accepted", "partially_filled")

    @property
    def remaining(self) -> int:
        """Units not yet filled."""
        return self.quantity - self.filled

    def step(self, event: str, status: str, at: datetime, **details: object) -> None:
        """Write the next event, and log it as an application would."""
        self.events += 1
        self.world.emit(
            "raw_trading.order_events",
            order_id=self.order_id,
            seq=self.events,
            account_id=self.account_id,
            event_type=event,
            from_status=self.status,
            to_status=status,
            event_at=at,
            details=details,
            correlation_id=self.correlation_id,
        )
        self.status = status

    def place(self, rejected: str | None = None) -> None:
        """Send it to the exchange, which accepts or rejects it."""
        self.step("placed", "pending", self.created_at)
        if rejected:
            self.step("rejected", "rejected", self.created_at, reason=rejected)
        else:
            self.step("accepted", "accepted", self.created_at)

    def fill(self, quantity: int, price: Decimal, at: datetime, liquidity: str) -> Fill:
        """Execute a part of it."""
        fill = self._fill(quantity, price, at, liquidity)
        self.filled += quantity
        done = self.filled == self.quantity
        status = "filled" if done else "partially_filled"
        self.step(status, status, at, fill_id=fill.fill_id)
        return fill

    def replace(self, wrong: Fill, price: Decimal, at: datetime) -> Fill:
        """Report a fill again with another price: the new one stands in the place of the wrong."""
        fill = self._fill(wrong.quantity, price, wrong.at, wrong.liquidity)
        fill.corrects = wrong.fill_id
        status = self.status or "filled"
        self.step("fill_corrected", status, at, fill_id=fill.fill_id, corrects=wrong.fill_id)
        return fill

    def bust(self, wrong: Fill, at: datetime) -> Fill:
        """Take a fill back: it never happened."""
        fill = self._fill(wrong.quantity, wrong.price, wrong.at, wrong.liquidity)
        fill.corrects, fill.is_cancel = wrong.fill_id, True
        self.filled -= wrong.quantity
        status = "partially_filled" if self.filled else "accepted"
        self.step("fill_corrected", status, at, fill_id=fill.fill_id, corrects=wrong.fill_id)
        return fill

    def _fill(self, quantity: int, price: Decimal, at: datetime, liquidity: str) -> Fill:
        number = len(self.fills) + 1
        fill = Fill(f"{self.order_id}-{number}", self, quantity, price, at, 0, liquidity)
        self.fills.append(fill)
        return fill

    def close(self, event: str, at: datetime, **details: object) -> None:
        """End it unfilled, or partly filled: cancelled or expired."""
        if event == "cancelled":
            self.step("cancel_requested", self.status or "accepted", at, **details)
        self.step(event, event, at, **details)

    @property
    def in_force(self) -> list[Fill]:
        """Its fills, without what was corrected or taken back."""
        gone = {fill.corrects for fill in self.fills if fill.corrects}
        return [f for f in self.fills if f.fill_id not in gone and not f.is_cancel]

    def fill_row(self, fill: Fill) -> Row:
        """Return an execution as the broker reports it."""
        calendar = self.world.market.calendar
        return {
            "fill_id": fill.fill_id,
            "account_id": self.account_id,
            "order_id": self.order_id,
            "symbol": self.symbol,
            "side": self.side,
            "quantity": fill.quantity,
            "price": fill.price,
            "commission": fill.commission,
            "currency": self.world.market.currency,
            "timestamp": fill.at,
            "venue": calendar if len(calendar) == 4 and calendar.isalnum() else None,
            "liquidity": fill.liquidity,
            "strategy_id": self.account_id,
            "correlation_id": self.correlation_id,
            "corrects_fill_id": fill.corrects,
            "is_cancel": fill.is_cancel,
        }

    def row(self) -> Row:
        """Return the order as it is now."""
        return {
            "order_id": self.order_id,
            "account_id": self.account_id,
            "symbol": self.symbol,
            "side": self.side,
            "quantity": self.quantity,
            "order_type": self.order_type,
            "price": self.price,
            "stop_price": self.stop_price,
            "time_in_force": self.time_in_force,
            "expires_at": self.expires_at,
            "strategy_id": self.account_id,
            "model_id": self.model_id,
            "signal_id": self.signal_id,
            "parent_order_id": self.parent_order_id,
            "client_order_id": self.order_id,
            "correlation_id": self.correlation_id,
            "created_at": self.created_at,
            "status": self.status,
        }
