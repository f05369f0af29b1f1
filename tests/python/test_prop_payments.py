"""Prop trading: payments, alerts, rules, one suite for PostgreSQL and SQLite."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from prop_backends import (
    BAD_NUMBERS,
    LATER,
    WHEN,
    Backend,
    Refused,
    alert,
    new_challenge,
    new_user,
    opened,
    payment,
    refused,
    rule,
    webhook,
)


@pytest.fixture(params=["postgresql", "sqlite"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    yield from opened(request, tmp_path)


@pytest.fixture
def user(app: Backend) -> str:
    return new_user(app)


@pytest.fixture
def challenge(app: Backend, user: str) -> str:
    return new_challenge(app, user)


# ------------------------------------------------------------------ payments


LIFE = {
    "PENDING": {"PROCESSING", "SUCCEEDED", "FAILED", "CANCELLED"},
    "PROCESSING": {"SUCCEEDED", "FAILED", "CANCELLED"},
    "SUCCEEDED": {"PARTIALLY_REFUNDED", "REFUNDED", "DISPUTED"},
    "PARTIALLY_REFUNDED": {"REFUNDED", "DISPUTED"},
    "DISPUTED": {"SUCCEEDED", "REFUNDED"},
    "FAILED": set(),
    "CANCELLED": set(),
    "REFUNDED": set(),
}
THERE = {
    "SUCCEEDED": ["SUCCEEDED"],
    "PARTIALLY_REFUNDED": ["SUCCEEDED", "PARTIALLY_REFUNDED"],
    "DISPUTED": ["SUCCEEDED", "DISPUTED"],
    "REFUNDED": ["SUCCEEDED", "REFUNDED"],
}


def test_the_life_of_a_payment(app: Backend, user: str) -> None:
    for old, new in itertools.product(LIFE, LIFE):
        payment(app, user, provider_payment_id=f"{old}-{new}")
        sql = f"update payments set status = ? where provider_payment_id = '{old}-{new}'"
        for step in THERE.get(old, [old]):
            app.run(sql, step)
        if old == new or new in LIFE[old]:
            assert app.run(sql, new).rowcount == 1
        else:
            with refused(f"{old} to {new}"):
                app.run(sql, new)


def test_a_payment_is_there_once(app: Backend, user: str) -> None:
    payment(app, user)
    with pytest.raises(Refused):
        payment(app, user, amount=1)
    payment(app, user, provider="paypal")
    assert app.one("select count(*) from payments") == 2
    with pytest.raises(Refused, match="delete"):
        app.run("delete from payments")
    for what in ("amount = 1", "currency = 'EUR'", "provider = 'x'", "purpose = 'PAYOUT'"):
        with pytest.raises(Refused):
            app.run(f"update payments set {what}")


def test_what_a_payment_cannot_be(app: Backend, user: str) -> None:
    bad: list[dict[str, object]] = [
        *({"amount": each} for each in [*BAD_NUMBERS, 0, -1]),
        {"currency": "dollars"},
        {"currency": None},
        {"status": "SUCCEEDED"},
        {"status": "PAID"},
        {"provider": ""},
        {"purpose": "FUN"},
        {"refunded_amount": 500},
        {"refunded_amount": -1},
        {"user_id": "11111111-1111-4111-8111-111111111111"},
        {"challenge_id": "11111111-1111-4111-8111-111111111111"},
    ]
    for values in bad:
        with refused(str(values)):
            payment(app, user, **values)


def test_webhooks_may_overtake_the_payment(app: Backend, user: str) -> None:
    app.insert("payment_events", webhook(provider_event_id="evt_2", occurred_at=LATER))
    app.insert("payment_events", webhook(provider_event_id="evt_1", occurred_at=WHEN))
    orphans = "select provider, provider_payment_id, events from payment_event_orphans"
    assert app.rows(orphans) == [("stripe", "pi_1", 2)]
    payment(app, user)
    assert app.rows(orphans) == []
    for values in ({"amount": 1}, {"currency": "USD"}, {"status": "PAID"}, {"occurred_at": None}):
        with pytest.raises(Refused):
            app.insert("payment_events", webhook(provider_event_id="evt_3", **values))


# ------------------------------------------------------------------ alerts, rules


def test_the_life_of_an_alert(app: Backend, user: str, challenge: str) -> None:
    alert(app, challenge)
    early = "2024-03-04 09:00:00+00:00"
    for what in (
        "status = 'ACKNOWLEDGED'",
        f"status = 'ACKNOWLEDGED', acknowledged_at = '{early}'",
        "status = 'RESOLVED'",
        f"resolved_at = '{LATER}'",
        "triggered_at = '2020-01-01 00:00:00+00:00'",
    ):
        with refused(what):
            app.run(f"update risk_alerts set {what}")
    app.run(f"update risk_alerts set status = 'ACKNOWLEDGED', acknowledged_at = '{WHEN}'")
    with pytest.raises(Refused):
        app.run("update risk_alerts set status = 'OPEN', acknowledged_at = null")
    app.run(f"update risk_alerts set status = 'RESOLVED', resolved_at = '{LATER}'")
    with pytest.raises(Refused):
        app.run(
            "update risk_alerts set status = 'OPEN', acknowledged_at = null, resolved_at = null"
        )
    with pytest.raises(Refused, match="delete"):
        app.run("delete from risk_alerts")
    for values in ({"severity": "high"}, {"challenge_id": None}, {"status": "RESOLVED"}):
        with pytest.raises(Refused):
            alert(app, challenge, **values)
    alert(app, challenge, challenge_id=None, user_id=user)


def test_rules_are_versions(app: Backend, user: str) -> None:
    app.insert("challenge_rules", rule())
    app.insert(
        "challenge_rules", rule(rule_kind="min_trading_days", threshold=5, measured_from=None)
    )
    app.insert("challenge_rules", rule(version=2, threshold=0.04, valid_from=LATER))
    bad: list[dict[str, object]] = [
        {},
        {"threshold": 0.06},
        {"version": 0},
        {"version": 3, "valid_from": WHEN},
        {"version": 2, "rule_kind": "profit_target", "valid_from": WHEN},
        {"version": 3, "valid_from": "2025-01-01", "threshold": 5},
        {"version": 3, "valid_from": "2025-01-01", "measured_from": None},
        {"version": 3, "valid_from": "2025-01-01", "rule_kind": "fun"},
        {"version": 3, "valid_from": "2025-01-01", "rule_kind": "min_trading_days"},
    ]
    for values in bad:
        with refused(str(values)):
            app.insert("challenge_rules", rule(**values))
    new_challenge(app, user, rule_set="classic")
