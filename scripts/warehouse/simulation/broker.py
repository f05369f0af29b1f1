"""The broker of one account: orders from fused signals, executed in the next bar."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import numpy as np

from warehouse.simulation.account import Account
from warehouse.simulation.allocator import Fused
from warehouse.simulation.features import Features
from warehouse.simulation.orders import Fill, Order
from warehouse.simulation.world import Bar, World, quoted

PATIENCE = timedelta(days=2)
"""How long a limit order stands after the close of its first session."""
LEVERAGE = Decimal("1.3")
"""Gross exposure per equity above which the broker refuses an order."""


@dataclass
class Broker:
    """Works the orders of one account, session by session."""

    world: World
    account: Account
    key: str
    model_id: str | None = None
    orders: list[Order] = field(default_factory=list)
    arrived: list[Fill] = field(default_factory=list)
    reported: int = 0

    @property
    def working(self) -> list[Order]:
        """Orders that can still be filled."""
        return [order for order in self.orders if order.is_working]

    def trade(self, at: int, fused: dict[str, Fused], known: dict[str, Features]) -> None:
        """Trade session `at` on what was known at the close before it."""
        dice = self.world.random(f"broker/{self.key}", at)
        self.arrived = []
        close = self.world.market.sessions[at].close_at
        for order in self.working:
            if order.expires_at and order.expires_at < close:
                order.close("expired", order.expires_at)
        waiting = self.working
        decided = [
            self._decide(at, symbol, fused[symbol], known[symbol], dice)
            for symbol in self.world.market.symbols
        ]
        fresh = [order for order in decided if order]
        for order in waiting + fresh:
            if order.is_working:
                self._execute(at, order, dice)
        self._report(dice)
        self.account.book(self._in_force())
        self._protect(fresh, known, dice)
        self._end(at)

    def _decide(
        self, at: int, symbol: str, fused: Fused, known: Features, dice: np.random.Generator
    ) -> Order | None:
        session = self.world.market.sessions[at]
        close = self.world.market.bars[symbol][at - 1].close
        share = self.account.equity / len(self.world.market.symbols)
        strength = Decimal(str(min(max(2 * fused.strength, -1.0), 1.0)))
        wanted = int(share * strength / close)
        change = wanted - self.account.held(symbol)
        patience, kind, offset, refusal = dice.random(4)
        if share <= 0 or abs(change) * close < share * Decimal("0.3") or patience < 0.1:
            return None
        placed = session.open_at - timedelta(minutes=8, seconds=-self._place(symbol))
        for order in self.working:
            if order.symbol == symbol:
                order.close("cancelled", placed - timedelta(seconds=5), reason="new decision")
        limit = None
        if kind < 0.4:
            step = Decimal(str(round(known["volatility_20"] * float(offset), 6))) * close
            limit = quoted(close - step if change > 0 else close + step)
        order = Order(
            self.world,
            f"{fused.fused_id}-entry",
            self.account.account_id,
            symbol,
            "buy" if change > 0 else "sell",
            abs(change),
            "limit" if limit else "market",
            placed,
            fused.correlation_id,
            fused.fused_id,
            model_id=self.model_id,
            price=limit,
            time_in_force="gtd" if limit else "day",
            expires_at=session.close_at + PATIENCE if limit else None,
        )
        self.orders.append(order)
        order.place(self._refusal(at, symbol, wanted, float(refusal)))
        return order

    def _refusal(self, at: int, symbol: str, wanted: int, dice: float) -> str | None:
        bars = self.world.market.bars
        gross = abs(wanted) * bars[symbol][at - 1].close
        for other, position in self.account.positions.items():
            if other != symbol:
                gross += abs(position.quantity) * bars[other][at - 1].close
        if gross > self.account.equity * LEVERAGE:
            return "insufficient buying power"
        return "outside the price band" if dice < 0.03 else None

    def _place(self, symbol: str) -> int:
        """Seconds between the orders of a session, so that each has a time of its own."""
        return 10 * self.world.market.symbols.index(symbol)

    def _execute(self, at: int, order: Order, dice: np.random.Generator) -> None:
        """Fill an order as far as the bar allows, in one to three parts."""
        bar = self.world.market.bars[order.symbol][at]
        price = _reached(order, bar)
        whole, parts, *when = dice.random(5)
        if price is None:
            return
        quantity = order.remaining
        if order.order_type == "stop":
            held = self.account.held(order.symbol)
            quantity = min(quantity, max(held if order.side == "sell" else -held, 0))
        elif order.order_type == "limit" and whole < 0.35:
            quantity = max(1, quantity // 2)
        if not quantity:
            return
        count = 1 + int(3 * parts) if quantity >= 30 else 1
        session = self.world.market.sessions[at]
        span = (session.close_at - session.open_at).total_seconds() - 120
        moments = sorted(float(share) for share in when[:count])
        if order.order_type == "market":
            moments[0] = 0.0
        pieces = [quantity // count + (quantity % count if i == 0 else 0) for i in range(count)]
        drift = (bar.close - price) * Decimal("0.1")
        for i, (piece, moment) in enumerate(zip(pieces, moments, strict=True)):
            paid = bar.clip(price + drift * i) if order.order_type == "market" else price
            at_time = session.open_at + timedelta(
                seconds=int(moment * span) + self._place(order.symbol) // 5 + i
            )
            liquidity = "maker" if order.order_type == "limit" else "taker"
            self.arrived.append(order.fill(piece, paid, at_time, liquidity))
        self._correct(at, order, bar, dice)

    def _correct(self, at: int, order: Order, bar: Bar, dice: np.random.Generator) -> None:
        """Now and then a price was reported wrongly, or an execution that never was."""
        luck, moves = dice.random(2)
        last = self.arrived[-1]
        closing = self.world.market.sessions[at].close_at
        noon = last.at + (closing - last.at) / 2
        if luck < 0.04:
            better = bar.clip(last.price + Decimal(str(round(float(moves) - 0.5, 2))))
            self.arrived.append(order.replace(last, better, noon))
        elif luck < 0.06:
            self.arrived.append(order.bust(last, noon))
            again = noon + timedelta(seconds=30)
            self.arrived.append(order.fill(last.quantity, last.price, again, last.liquidity))

    def _protect(
        self, fresh: list[Order], known: dict[str, Features], dice: np.random.Generator
    ) -> None:
        """Put a stop under what an order of this session opened; it works from the next one."""
        for order in fresh:
            held = self.account.held(order.symbol)
            wish = dice.random()
            if not order.filled or not held or wish < 0.3:
                continue
            last = max(order.in_force, key=lambda f: f.at)
            reach = Decimal(str(round(2.0 * known[order.symbol]["volatility_20"], 6)))
            level = last.price * (1 - reach if held > 0 else 1 + reach)
            stop = Order(
                self.world,
                f"{order.signal_id}-stop",
                order.account_id,
                order.symbol,
                "sell" if held > 0 else "buy",
                abs(held),
                "stop",
                last.at + timedelta(seconds=2),
                order.correlation_id,
                order.signal_id,
                model_id=order.model_id,
                stop_price=quoted(level),
                time_in_force="gtc",
                parent_order_id=order.order_id,
            )
            self.orders.append(stop)
            stop.place()

    def _in_force(self) -> list[Fill]:
        gone = {fill.corrects for fill in self.arrived if fill.corrects}
        return [f for f in self.arrived if f.fill_id not in gone and not f.is_cancel]

    def _end(self, at: int) -> None:
        """What the close ends: orders of the day, and stops with nothing left to protect."""
        close = self.world.market.sessions[at].close_at
        for order in self.working:
            if order.order_type == "stop":
                if not self.account.held(order.symbol):
                    order.close("cancelled", close, reason="nothing left to protect")
            elif order.time_in_force == "day":
                order.close("expired", close)

    def _report(self, dice: np.random.Generator) -> None:
        """Write the session's fills; some arrive after all the others."""
        late = dice.random(len(self.arrived)) < 0.06
        named = {fill.corrects for fill in self.arrived if fill.corrects}
        for fill, is_late in zip(self.arrived, late, strict=True):
            self.reported += 1
            fill.arrival = self.reported
            row = fill.order.fill_row(fill)
            if is_late and fill.fill_id not in named and not fill.corrects:
                self.world.late.append(row)
            else:
                self.world.emit("raw_trading.fills", **row)


def _reached(order: Order, bar: Bar) -> Decimal | None:
    """Return the price at which a bar fills an order, or None."""
    buys = order.side == "buy"
    if order.order_type == "market":
        return bar.open
    if order.price is not None:
        if (bar.low if buys else -bar.high) > (order.price if buys else -order.price):
            return None
        return min(bar.open, order.price) if buys else max(bar.open, order.price)
    if order.stop_price is None or (
        bar.high < order.stop_price if buys else bar.low > order.stop_price
    ):
        return None
    return max(bar.open, order.stop_price) if buys else min(bar.open, order.stop_price)
