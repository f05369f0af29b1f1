"""Prop trading: values that no row takes, one suite for PostgreSQL and SQLite."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from prop_backends import (
    BAD_NUMBERS,
    TRADE,
    Backend,
    new_challenge,
    new_user,
    opened,
    refused,
    trade,
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


# ------------------------------------------------------------------ values that are none


def test_amounts_of_a_challenge_are_numbers(app: Backend, user: str) -> None:
    for column, bad in itertools.product(
        ["initial_balance", "current_equity", "daily_min_equity", "total_pnl"], BAD_NUMBERS
    ):
        with refused(f"{column} = {bad!r}"):
            new_challenge(app, user, **{column: bad})


def test_fractions_are_fractions(app: Backend, user: str) -> None:
    for column, bad in itertools.product(
        ["max_daily_drawdown_percent", "max_total_drawdown_percent", "profit_target_percent"],
        [*BAD_NUMBERS, -0.01, 1.01, 5, 8],
    ):
        with refused(f"{column} = {bad!r}"):
            new_challenge(app, user, **{column: bad})


def test_the_ends_of_a_fraction_are_in_it(app: Backend, user: str) -> None:
    new_challenge(app, user, max_daily_drawdown_percent=0, max_total_drawdown_percent=1)


NO_CHALLENGE: list[dict[str, object]] = [
    {"initial_balance": 0},
    {"initial_balance": -1},
    {"total_trades": -1},
    {"current_equity": 100001},
    {"daily_min_equity": 100001},
    {"daily_max_equity": 99999},
    {"challenge_type": " "},
    {"challenge_type": None},
    {"currency": "usd"},
    {"currency": "US"},
    {"user_id": "11111111-1111-4111-8111-111111111111"},
    {"user_id": None},
    {"tenant_id": "another"},
    {"rule_set": "unheard of"},
    {"created_at": "soon"},
    {"id": "not a uuid"},
]


def test_what_a_challenge_cannot_be(app: Backend, user: str) -> None:
    for values in NO_CHALLENGE:
        with refused(str(values)):
            new_challenge(app, user, **values)


def test_amounts_of_a_trade_are_numbers(app: Backend, challenge: str) -> None:
    for column, bad in itertools.product(
        ["quantity", "price", "realized_pnl", "commission"], BAD_NUMBERS
    ):
        with refused(f"{column} = {bad!r}"):
            trade(app, challenge, "T1", **{column: bad})


NO_TRADE: list[dict[str, object]] = [
    {"quantity": 0},
    {"quantity": -1},
    {"price": 0},
    {"price": -1},
    {"commission": -1},
    {"side": "buy"},
    {"side": "HOLD"},
    {"side": None},
    {"symbol": ""},
    {"trade_id": ""},
    {"trade_id": None},
    {"executed_at": "noon"},
    {"executed_at": None},
    {"sequence_number": 0},
    {"sequence_number": -1},
    {"sequence_number": 2},
    {"challenge_id": "11111111-1111-4111-8111-111111111111"},
    {"corrects_trade_id": "T0"},
    {"corrects_trade_id": "T1"},
    {"tenant_id": "another"},
]


def test_what_a_trade_cannot_be(app: Backend, challenge: str) -> None:
    for values in NO_TRADE:
        with refused(str(values)):
            app.insert("trades", {"challenge_id": challenge, "trade_id": "T1", **TRADE, **values})
    assert app.one("select count(*) from trades") == 0
