"""Payments of the prop application, and the webhooks of their providers: repeated, out of order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from warehouse.simulation.world import Row, World

PROVIDERS = {"stripe": "payment_intent", "paypal": "PAYMENT.CAPTURE"}


@dataclass
class Payment:
    """A payment at a provider: each step is a webhook."""

    world: World
    provider: str
    reference: str
    user_id: str
    challenge_id: str
    purpose: str
    amount: Decimal
    created_at: datetime
    status: str = "PENDING"
    refunded: Decimal = Decimal(0)
    completed_at: datetime | None = None
    webhooks: int = 0

    def run(self, dice: np.random.Generator, *, succeeds: bool) -> None:
        """Take it from its beginning to its end, within minutes."""
        last = "SUCCEEDED" if succeeds else "FAILED"
        rows = [
            self.webhook(status, self.created_at + timedelta(seconds=seconds))
            for status, seconds in (("PENDING", 0), ("PROCESSING", 20), (last, 95))
        ]
        overtakes, repeats = dice.random(2)
        if overtakes < 0.3:
            # The last word arrives before the one before it.
            rows[1]["received_at"] = rows[2]["received_at"] + timedelta(seconds=40)
        if repeats < 0.35:
            self.repeat(rows[-1])
        if succeeds:
            self.completed_at = self.created_at + timedelta(seconds=95)

    def refund(self, at: datetime) -> None:
        """Give all of it back."""
        self.refunded = self.amount
        self.webhook("REFUNDED", at)

    def webhook(self, status: str, at: datetime) -> Row:
        """Write what the provider tells of a step, and return the row."""
        self.webhooks += 1
        self.status = status
        moves = status in ("SUCCEEDED", "REFUNDED")
        self.world.emit(
            "raw_prop.payment_events",
            provider=self.provider,
            provider_event_id=f"evt-{self.reference}-{self.webhooks}",
            provider_payment_id=self.reference,
            event_type=f"{PROVIDERS[self.provider]}.{status.lower()}",
            status=status,
            amount=self.amount if moves else None,
            currency=self.world.market.currency if moves else None,
            occurred_at=at,
            received_at=at + timedelta(seconds=3),
            payload={"purpose": self.purpose, "attempt": 1},
        )
        return self.world.rows["raw_prop.payment_events"][-1]

    def repeat(self, row: Row) -> None:
        """Deliver a webhook a second time, the very same row."""
        self.world.emit("raw_prop.payment_events", **row)

    def emit(self) -> None:
        """Write the row as it is after the last session."""
        self.world.emit(
            "raw_prop.payments",
            id=self.world.uuid(self.reference),
            user_id=self.user_id,
            challenge_id=self.challenge_id,
            provider=self.provider,
            provider_payment_id=self.reference,
            purpose=self.purpose,
            status=self.status,
            amount=self.amount,
            currency=self.world.market.currency,
            refunded_amount=self.refunded,
            completed_at=self.completed_at,
            created_at=self.created_at,
        )
