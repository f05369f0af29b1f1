"""The prop-trading application: traders come, pay, trade, pass or fail, and are paid."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from warehouse.simulation.challenges import CENT, VERSIONS, Challenge, emit_rules, rules_on
from warehouse.simulation.payments import Payment
from warehouse.simulation.world import Row, World

EVERY = 3
"""A trader registers every so many sessions."""
BALANCES = (25_000, 50_000, 100_000)
COUNTRIES = ("DE", "FR", "GB", "IN", "US")


@dataclass
class Trader:
    """A user with a character: skill shifts the odds, risk is what a position is of equity."""

    world: World
    number: int
    registered: int
    user_id: str = ""
    skill: float = 0.0
    risk: float = 1.0
    provider: str = "stripe"
    balance: Decimal = Decimal(0)
    challenges: list[Challenge] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    alerts: list[Row] = field(default_factory=list)
    buys_at: int = 0

    def __post_init__(self) -> None:
        """Draw the character."""
        dice = self.world.random(f"trader/{self.number}", self.registered)
        self.user_id = self.world.uuid(f"user/{self.number}")
        self.skill = float(dice.uniform(-0.2, 0.3))
        self.risk = float(dice.choice([0.6, 1.5, 3.0]))
        self.provider = str(dice.choice(["stripe", "paypal"]))
        self.balance = Decimal(int(dice.choice(BALANCES)))
        self.buys_at = self.registered
        self._emit_user(str(dice.choice(COUNTRIES)))

    def _emit_user(self, country: str) -> None:
        joined = self.world.market.sessions[self.registered].open_at - timedelta(minutes=50)
        self.world.emit("raw_prop.user_accounts", id=self.user_id, role="USER", created_at=joined)
        self.world.emit(
            "raw_prop.users_pii",
            user_id=self.user_id,
            email=f"trader{self.number}@{self.world.name}.example",
            full_name=f"Trader {self.number}",
            country=country,
        )
        self._act("sign_up", "/register", joined)

    def advance(self, at: int) -> None:
        """Live through a session."""
        session = self.world.market.sessions[at]
        dice = self.world.random(f"life/{self.number}", at)
        current = self.challenges[-1] if self.challenges else None
        self._look_after_alerts(session.open_at)
        if at == self.buys_at:
            current = self._buy(at, session.open_at - timedelta(minutes=40), dice)
        elif current and current.status == "PENDING":
            self._pay(current, session.open_at - timedelta(minutes=45), dice, certain=True)
        if current and current.status == "PENDING" and self.payments[-1].status == "SUCCEEDED":
            current.activate(session.open_at - timedelta(minutes=5))
        if current and current.status == "ACTIVE":
            self._trade(at, current, dice)
        if self.number % 7 == 3 and at == self.registered + 4:
            for fee in [p for p in self.payments if p.purpose == "CHALLENGE_FEE"][:1]:
                if fee.status == "SUCCEEDED":
                    fee.refund(session.open_at + timedelta(hours=1))

    def _buy(self, at: int, when: datetime, dice: np.random.Generator) -> Challenge:
        number = len(self.challenges) + 1
        challenge = Challenge(
            self.world,
            self.world.uuid(f"user/{self.number}/challenge/{number}"),
            self.user_id,
            rules_on(at - self.world.market.first),
            self.balance,
            when,
        )
        self.challenges.append(challenge)
        challenge.create()
        # A fee that is paid the session after starts the challenge under the rules of that session.
        day = at - self.world.market.first
        is_last_call = rules_on(day) != rules_on(day + 1)
        self._pay(challenge, when + timedelta(minutes=1), dice, certain=is_last_call)
        return challenge

    def _pay(
        self,
        challenge: Challenge,
        when: datetime,
        dice: np.random.Generator,
        *,
        certain: bool = False,
    ) -> None:
        """Pay the fee; the first try fails now and then, the next session's does not."""
        self._begin(challenge, "CHALLENGE_FEE", (self.balance / 200).quantize(CENT), when)
        self.payments[-1].run(dice, succeeds=certain or dice.random() < 0.8)
        self._act("checkout", f"/challenges/{challenge.challenge_id}/pay", when)

    def _begin(self, challenge: Challenge, purpose: str, amount: Decimal, when: datetime) -> None:
        reference = f"{self.world.name}-pay-{self.number}-{len(self.payments) + 1}"
        self.payments.append(
            Payment(
                self.world,
                self.provider,
                reference,
                self.user_id,
                challenge.challenge_id,
                purpose,
                amount,
                when,
            )
        )

    def _trade(self, at: int, challenge: Challenge, dice: np.random.Generator) -> None:
        """Make a few round trips inside the ranges of the session's bars."""
        session = self.world.market.sessions[at]
        challenge.start_day(session.open_at)
        trips = int(dice.integers(0, 4))
        span = (session.close_at - session.open_at).total_seconds() - 600
        moments = np.sort(dice.random(2 * trips)) * span
        for trip in range(trips):
            begin, end = (
                session.open_at + timedelta(seconds=60 + int(moments[2 * trip + i]) + 2 * trip + i)
                for i in (0, 1)
            )
            self._round_trip(at, challenge, begin, end, dice)
            if challenge.status != "ACTIVE":
                break
        else:
            challenge.tick(session.close_at)
        if trips:
            self._act("api_call", "/api/orders", session.open_at + timedelta(seconds=55))
        if challenge.status == "ACTIVE" and challenge.daily_loss > Decimal("0.6"):
            self._alert(challenge, session.close_at + timedelta(minutes=1))
        self._after(at, challenge, session.close_at, float(dice.random()))

    def _round_trip(
        self,
        at: int,
        challenge: Challenge,
        begin: datetime,
        end: datetime,
        dice: np.random.Generator,
    ) -> None:
        symbols = self.world.market.symbols
        symbol = symbols[int(dice.integers(0, len(symbols)))]
        bar = self.world.market.bars[symbol][at]
        first, second, luck, wrong = (float(x) for x in dice.random(4))
        entry, leave = (
            bar.clip(bar.low + (bar.high - bar.low) * Decimal(str(round(x, 4))))
            for x in (first, second)
        )
        is_right = luck < 0.5 + self.skill
        buys = (leave > entry) == is_right
        units = max(1, int(challenge.equity * Decimal(str(self.risk)) / entry))
        sides = ("BUY", "SELL") if buys else ("SELL", "BUY")
        challenge.execute(symbol, sides[0], units, entry, Decimal(0), begin)
        profit = units * (leave - entry) if buys else units * (entry - leave)
        trade = challenge.execute(symbol, sides[1], units, leave, profit.quantize(CENT), end)
        if wrong < 0.03:
            better = bar.clip(leave + Decimal("0.05"))
            change = units * (better - leave) if buys else units * (leave - better)
            challenge.execute(
                symbol, sides[1], units, better, change.quantize(CENT), end, corrects=trade
            )
        challenge.mark(end)
        challenge.judge(end)

    def _after(self, at: int, challenge: Challenge, close: datetime, luck: float) -> None:
        """What follows an end: money for who passed, another try for some who failed."""
        if challenge.status == "FUNDED":
            profit = ((challenge.equity - challenge.balance) * Decimal("0.8")).quantize(CENT)
            self._begin(challenge, "PAYOUT", profit, close + timedelta(hours=1))
            dice = self.world.random(f"payout/{self.number}", at)
            self.payments[-1].run(dice, succeeds=True)
        elif challenge.status == "FAILED" and luck < 0.6:
            self.buys_at = at + 2

    def _alert(self, challenge: Challenge, when: datetime) -> None:
        self.alerts.append(
            {
                "id": self.world.uuid(f"{challenge.challenge_id}/alert/{when.isoformat()}"),
                "challenge_id": challenge.challenge_id,
                "user_id": self.user_id,
                "alert_type": "DAILY_DRAWDOWN_NEAR",
                "severity": "HIGH" if challenge.daily_loss > Decimal("0.8") else "MEDIUM",
                "status": "OPEN",
                "message": "Most of what the day may lose is lost",
                "observed": challenge.day_low,
                "threshold": (challenge.day_start * (1 - challenge.rules.daily)).quantize(CENT),
                "triggered_at": when,
                "acknowledged_at": None,
                "resolved_at": None,
            }
        )

    def _look_after_alerts(self, opens: datetime) -> None:
        """Take an alert before the next session, resolve it before the one after."""
        for alert in self.alerts:
            if alert["status"] == "ACKNOWLEDGED":
                alert |= {"status": "RESOLVED", "resolved_at": opens - timedelta(minutes=15)}
            elif alert["status"] == "OPEN":
                alert |= {
                    "status": "ACKNOWLEDGED",
                    "acknowledged_at": opens - timedelta(minutes=15),
                }

    def _act(self, action: str, path: str, when: datetime) -> None:
        """Log what the user does."""
        self.world.emit(
            "raw_logs.user_action_logs",
            id=self.world.number(f"{self.user_id}/{action}/{when.isoformat()}"),
            timestamp=when,
            action_type=action,
            user_id=self.user_id,
            session_id=f"{self.user_id[:8]}-{when:%Y%m%d}",
            user_agent="simulated browser",
            request_path=path,
            request_method="POST",
            response_status=201,
            correlation_id=f"{self.world.name}-user{self.number}-{when:%Y%m%d%H%M}",
        )

    def emit(self) -> None:
        """Write what is a row with a state, as it is after the last session."""
        for challenge in self.challenges:
            challenge.emit()
        for payment in self.payments:
            payment.emit()
        for alert in self.alerts:
            self.world.emit("raw_prop.risk_alerts", **alert)


@dataclass
class Prop:
    """All traders of the application."""

    world: World
    traders: list[Trader] = field(default_factory=list)

    def advance(self, at: int) -> None:
        """Let a new trader in when it is time, and everybody live through the session."""
        day = at - self.world.market.first
        for rules in VERSIONS:
            if rules.from_day == day:
                opens = self.world.market.sessions[at].open_at
                emit_rules(self.world, rules, opens - timedelta(hours=3))
        if day % EVERY == 0:
            self.traders.append(Trader(self.world, 1 + day // EVERY, at))
        for trader in self.traders:
            trader.advance(at)

    def emit(self) -> None:
        """Write the rows that have a state."""
        for trader in self.traders:
            trader.emit()
