"""One challenge: a trader's account with rules, told as events and kept as a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from warehouse.simulation.world import World

CENT = Decimal("0.01")
TYPE = "PHASE_1"


@dataclass(frozen=True)
class Rules:
    """One version of the rule set."""

    version: int
    from_day: int
    """Number of the simulated session from which challenges are judged by it."""
    daily: Decimal
    total: Decimal
    target: Decimal
    days: int


VERSIONS = (
    Rules(1, 0, Decimal("0.05"), Decimal("0.10"), Decimal("0.08"), 3),
    Rules(2, 20, Decimal("0.04"), Decimal("0.08"), Decimal("0.06"), 5),
)


def rules_on(day: int) -> Rules:
    """Return the version that a challenge created on a day is judged by."""
    return [rules for rules in VERSIONS if rules.from_day <= day][-1]


def emit_rules(world: World, rules: Rules, at: datetime) -> None:
    """Write a version of the rule set."""
    kinds = (
        ("max_daily_drawdown", rules.daily, "daily_start_equity"),
        ("max_total_drawdown", rules.total, "initial_balance"),
        ("profit_target", rules.target, "initial_balance"),
        ("min_trading_days", Decimal(rules.days), None),
    )
    for kind, threshold, base in kinds:
        world.emit(
            "raw_prop.challenge_rules",
            rule_set=f"{world.name}-standard",
            version=rules.version,
            rule_kind=kind,
            threshold=threshold,
            measured_from=base,
            valid_from=at,
        )


@dataclass
class Challenge:
    """The state that the application keeps; `happen` writes the event of every change."""

    world: World
    challenge_id: str
    user_id: str
    rules: Rules
    balance: Decimal
    created_at: datetime
    status: str = "PENDING"
    equity: Decimal = Decimal(0)
    highest: Decimal = Decimal(0)
    day_start: Decimal = Decimal(0)
    day_high: Decimal = Decimal(0)
    day_low: Decimal = Decimal(0)
    pnl: Decimal = Decimal(0)
    executions: int = 0
    ledger: int = 0
    events: int = 0
    days: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None

    def create(self) -> None:
        """Begin it, waiting for its fee."""
        self.equity = self.highest = self.balance
        self.day_start = self.day_high = self.day_low = self.balance
        self.happen(
            "CHALLENGE_CREATED",
            self.created_at,
            f"{TYPE} challenge over {self.balance:,.0f}",
            initial_balance=float(self.balance),
        )

    def happen(self, kind: str, at: datetime, words: str, **data: object) -> None:
        """Write the next event."""
        self.events += 1
        self.world.emit(
            "raw_prop.challenge_events",
            challenge_id=self.challenge_id,
            sequence_number=self.events,
            id=self.world.uuid(f"{self.challenge_id}/event/{self.events}"),
            event_type=kind,
            event_data=data,
            description=words,
            occurred_at=at,
        )

    def activate(self, at: datetime) -> None:
        """Let trading begin."""
        self.status, self.started_at = "ACTIVE", at
        self.happen("CHALLENGE_ACTIVATED", at, "Fee paid, trading may begin")

    def start_day(self, at: datetime) -> None:
        """Begin a trading day: the daily drawdown is measured from here."""
        self.days += 1
        self.day_start = self.day_high = self.day_low = self.equity
        self.happen("DAY_STARTED", at, f"Trading day {self.days}")

    def execute(
        self,
        symbol: str,
        side: str,
        quantity: int,
        price: Decimal,
        pnl: Decimal,
        at: datetime,
        corrects: str | None = None,
    ) -> str:
        """Write an execution to the ledger and its profit to the account; return its id."""
        self.ledger += 1
        trade_id = f"T{self.ledger:05d}"
        self.world.emit(
            "raw_prop.trades",
            challenge_id=self.challenge_id,
            trade_id=trade_id,
            sequence_number=self.ledger,
            id=self.world.uuid(f"{self.challenge_id}/trade/{self.ledger}"),
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            realized_pnl=pnl,
            commission=Decimal(0),
            executed_at=at,
            corrects_trade_id=corrects,
        )
        self.pnl += pnl
        self.equity += pnl
        self.highest = max(self.highest, self.equity)
        self.executions += corrects is None
        kind, words = "TRADE_EXECUTED", f"{side} {quantity} {symbol} @ {price}"
        if corrects:
            kind, words = "TRADE_CORRECTED", f"Corrected: {words}"
        self.happen(kind, at, words, trade_id=trade_id, pnl=float(pnl))
        return trade_id

    def mark(self, at: datetime) -> None:
        """Mark equity within the day."""
        self.day_high = max(self.day_high, self.equity)
        self.day_low = min(self.day_low, self.equity)
        self.happen("EQUITY_MARKED", at, "Equity marked", current_equity=float(self.equity))

    def judge(self, at: datetime) -> None:
        """Hold equity against the rules; fail or fund the challenge."""
        rules = self.rules
        floors = (
            ("daily drawdown", self.day_start * (1 - rules.daily)),
            ("total drawdown", self.balance * (1 - rules.total)),
        )
        for name, floor in floors:
            if self.equity < floor:
                self.happen(
                    "RULE_BREACHED", at, f"Equity {self.equity} is under {floor:.2f}: {name}"
                )
                self.status, self.ended_at, self.reason = "FAILED", at, name
                self.happen("CHALLENGE_FAILED", at, f"Failed: {name}", failure_reason=name)
                return
        if self.equity >= self.balance * (1 + rules.target) and self.days >= rules.days:
            self.status, self.ended_at = "FUNDED", at
            self.happen("CHALLENGE_FUNDED", at, f"Profit target reached in {self.days} days")

    @property
    def daily_loss(self) -> Decimal:
        """Share of what the day may lose that it has lost at worst."""
        return (self.day_start - self.day_low) / (self.day_start * self.rules.daily)

    def tick(self, at: datetime) -> None:
        """Write the equity as the platform marks it between events."""
        self.world.emit(
            "raw_prop.challenge_equity_ticks",
            challenge_id=self.challenge_id,
            tick_ts=at,
            equity=self.equity,
            balance=self.equity,
            open_positions=0,
        )

    def emit(self) -> None:
        """Write the row as it is after the last session."""
        self.world.emit(
            "raw_prop.challenges",
            id=self.challenge_id,
            user_id=self.user_id,
            challenge_type=TYPE,
            status=self.status,
            currency=self.world.market.currency,
            rule_set=f"{self.world.name}-standard",
            initial_balance=self.balance,
            max_daily_drawdown_percent=float(self.rules.daily),
            max_total_drawdown_percent=float(self.rules.total),
            profit_target_percent=float(self.rules.target),
            current_equity=self.equity,
            max_equity_ever=self.highest,
            daily_start_equity=self.day_start,
            daily_max_equity=self.day_high,
            daily_min_equity=self.day_low,
            total_trades=self.executions,
            total_pnl=self.pnl,
            started_at=self.started_at,
            ended_at=self.ended_at,
            funded_at=self.ended_at if self.status == "FUNDED" else None,
            failure_reason=self.reason,
            created_at=self.created_at,
            version=self.events,
        )
