"""Prop trading: events and their fold, one suite for PostgreSQL and SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prop_backends import (
    LATER,
    WHEN,
    Backend,
    Refused,
    alert,
    assert_replays,
    event,
    new_challenge,
    new_user,
    opened,
    refused,
    trade,
    update,
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


# ------------------------------------------------------------------ events fold into the row


def test_the_events_of_a_life_fold_into_the_row(app: Backend, challenge: str) -> None:
    event(app, challenge, "CHALLENGE_CREATED", '{"initial_balance": 100000}')
    assert_replays(app)
    update(app, challenge, f"status = 'ACTIVE', started_at = '{WHEN}'")
    event(app, challenge, "CHALLENGE_ACTIVATED")
    assert_replays(app)
    for number, pnl in enumerate([200.5, -350.25, 1000, 0], start=1):
        trade(app, challenge, f"T{number}", realized_pnl=pnl)
        update(
            app, challenge,
            "current_equity = current_equity + ?, total_pnl = total_pnl + ?,"
            " total_trades = total_trades + 1,"
            " max_equity_ever = GREATEST(max_equity_ever, current_equity + ?)",
            pnl, pnl, pnl,
        )  # fmt: skip
        event(app, challenge, "TRADE_EXECUTED", f'{{"trade_id": "T{number}", "pnl": {pnl}}}')
        assert_replays(app)
    update(
        app, challenge,
        "current_equity = 99000, daily_min_equity = 99000",
    )  # fmt: skip
    event(app, challenge, "EQUITY_MARKED", '{"current_equity": 99000}')
    assert_replays(app)
    event(app, challenge, "NOTE", '{"current_equity": 7}', description="changes nothing")
    event(app, challenge, "RULE_BREACHED", '{"rule_kind": "max_daily_drawdown"}')
    update(
        app, challenge,
        "daily_start_equity = 99000, daily_max_equity = 99000, daily_min_equity = 99000",
    )  # fmt: skip
    event(app, challenge, "DAY_STARTED")
    assert_replays(app)
    update(
        app, challenge,
        "current_equity = current_equity - 50, total_pnl = total_pnl - 50",
    )  # fmt: skip
    event(app, challenge, "TRADE_CORRECTED", '{"trade_id": "T1", "pnl": -50}')
    assert_replays(app)
    update(
        app, challenge,
        f"status = 'FAILED', ended_at = '{LATER}', failure_reason = 'max_daily_drawdown'",
    )  # fmt: skip
    event(app, challenge, "CHALLENGE_FAILED", '{"failure_reason": "max_daily_drawdown"}',
          occurred_at=LATER)  # fmt: skip
    assert_replays(app)


def test_a_funded_challenge_folds(app: Backend, challenge: str) -> None:
    update(app, challenge, f"status = 'ACTIVE', started_at = '{WHEN}'")
    event(app, challenge, "CHALLENGE_ACTIVATED")
    update(app, challenge, f"status = 'FUNDED', ended_at = '{LATER}', funded_at = '{LATER}'")
    event(app, challenge, "CHALLENGE_FUNDED", occurred_at=LATER)
    assert_replays(app)


def test_a_row_without_its_event_is_found(app: Backend, challenge: str) -> None:
    update(app, challenge, "total_trades = 1")
    with pytest.raises(AssertionError):
        assert_replays(app)
    if app.name == "postgresql":
        assert app.rows("select column_name, landed, replayed from challenge_mismatches") == [
            ("total_trades", "1", "0")
        ]


@pytest.mark.parametrize(
    ("event_type", "data"),
    [
        ("TRADE_EXECUTE", "{}"),
        ("TRADE_EXECUTED", "{}"),
        ("TRADE_EXECUTED", '{"trade_id": "T1"}'),
        ("TRADE_EXECUTED", '{"trade_id": "T1", "pnl": "200"}'),
        ("TRADE_CORRECTED", '{"pnl": 1}'),
        ("EQUITY_MARKED", "{}"),
        ("EQUITY_MARKED", '{"current_equity": null}'),
        ("NOTE", "[1]"),
        ("NOTE", "no json"),
        ("NOTE", '{"pnl": NaN}'),
    ],
)
def test_what_an_event_cannot_be(app: Backend, challenge: str, event_type: str, data: str) -> None:
    with pytest.raises(Refused):
        event(app, challenge, event_type, data)


# ------------------------------------------------------------------ no personal data


def test_ledgers_refuse_personal_data(app: Backend, user: str, challenge: str) -> None:
    for data in (
        '{"email": "x"}', '{"a": {"b": ["c", {"ip_address": "10.0.0.1"}]}}', '{"Phone":1}',
        '{"who": "jane.doe@example.com"}', '{"full_name": "Jane"}',
    ):  # fmt: skip
        with refused(data, "personal"):
            event(app, challenge, "NOTE", data)
        with refused(data, "personal"):
            app.insert("payment_events", webhook(payload=data))
    with pytest.raises(Refused, match="personal"):
        event(app, challenge, "NOTE", description="told jane.doe@example.com")
    with pytest.raises(Refused, match="personal"):
        alert(app, challenge, message="call jane.doe@example.com")
    event(app, challenge, "NOTE", '{"skip": 1, "pipeline": 2}', description="BUY @ 1.0850 at x.y")
