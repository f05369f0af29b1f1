"""Limits of each account, and the alerts about them: opened, acknowledged, resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from warehouse.simulation.world import World


@dataclass(frozen=True)
class Limit:
    """A limit on something that the snapshot measures."""

    metric: str
    name: str
    unit: str
    threshold: Decimal
    severity: str


LIMITS = (
    Limit("leverage", "Leverage", "ratio", Decimal("0.55"), "high"),
    Limit("concentration", "Largest position", "fraction", Decimal("0.24"), "medium"),
    Limit("drawdown", "Drawdown", "fraction", Decimal("0.02"), "critical"),
    Limit("daily_loss", "Loss of a day", "fraction", Decimal("0.008"), "high"),
)
ACTORS = ("risk-desk", "duty-officer")


@dataclass
class Alert:
    """An alert that is not yet resolved."""

    alert_id: str
    limit: Limit
    observed: Decimal
    correlation_id: str
    events: int = 0
    status: str = ""


@dataclass
class Risk:
    """Watches the limits of one account."""

    world: World
    account_id: str
    open: dict[str, Alert] = field(default_factory=dict)

    def emit_limits(self) -> None:
        """Write the limits as they are from the first session on."""
        valid_from = self.world.market.sessions[self.world.market.first].open_at
        for limit in LIMITS:
            self.world.emit(
                "raw_risk.risk_limits",
                limit_id=self._limit_id(limit),
                version=1,
                valid_from=valid_from - timedelta(hours=1),
                name=f"{limit.name} of {self.account_id}",
                metric=limit.metric,
                unit=limit.unit,
                breached_when="above",
                threshold=limit.threshold,
                warn_at=limit.threshold * Decimal("0.8"),
                severity=limit.severity,
                account_id=self.account_id,
                reason="set when the account was opened",
            )

    def _limit_id(self, limit: Limit) -> str:
        return f"{self.account_id}-{limit.metric}"

    def before(self, at: int) -> None:
        """Somebody looks at some of the open alerts before the session."""
        session = self.world.market.sessions[at]
        dice = self.world.random(f"risk/{self.account_id}", at)
        for alert, luck, who in zip(
            self.open.values(),
            dice.random(len(self.open)),
            dice.integers(0, len(ACTORS), len(self.open)),
            strict=True,
        ):
            if alert.status == "open" and luck < 0.7:
                seen = session.open_at - timedelta(minutes=30 + int(20 * luck))
                self._emit(alert, "acknowledged", seen, ACTORS[int(who)])

    def after(self, at: int, measured: Mapping[str, Decimal]) -> None:
        """Hold what the close measured against the limits."""
        when = self.world.market.sessions[at].close_at + timedelta(minutes=1)
        for limit in LIMITS:
            value = measured[limit.metric]
            alert = self.open.get(limit.metric)
            if alert is None and value > limit.threshold:
                alert = Alert(
                    f"{self._limit_id(limit)}-{self.world.day(at)}",
                    limit,
                    value,
                    f"{self.account_id}-{self.world.day(at)}-risk",
                )
                self.open[limit.metric] = alert
                self._emit(alert, "open", when, None)
            elif alert is not None and value <= limit.threshold:
                alert.observed = value
                self._emit(alert, "resolved", when, "risk-engine")
                del self.open[limit.metric]

    def _emit(self, alert: Alert, status: str, at: object, actor: str | None) -> None:
        alert.events += 1
        alert.status = status
        self.world.emit(
            "raw_risk.risk_alert_events",
            alert_id=alert.alert_id,
            seq=alert.events,
            status=status,
            severity=alert.limit.severity,
            event_at=at,
            limit_id=self._limit_id(alert.limit),
            limit_version=1,
            metric=alert.limit.metric,
            observed=alert.observed,
            threshold=alert.limit.threshold,
            account_id=self.account_id,
            strategy_id=self.account_id,
            message=f"{alert.limit.name} {alert.observed} against {alert.limit.threshold}",
            actor=actor,
            correlation_id=alert.correlation_id,
        )
