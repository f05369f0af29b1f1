"""Prop trading: ledgers, sequences, repeats, one suite for PostgreSQL and SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prop_backends import (
    TRADE,
    WHEN,
    Backend,
    Refused,
    event,
    in_threads,
    new_challenge,
    new_user,
    one_of_each,
    opened,
    payment,
    plain,
    trade,
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


# ------------------------------------------------------------------ ledgers


LEDGERS = {
    "trades": "symbol",
    "challenge_events": "description",
    "challenge_equity_ticks": "tenant_id",
    "payment_events": "event_type",
    "challenge_rules": "description",
}


@pytest.mark.parametrize("table", LEDGERS)
def test_ledgers_are_append_only(app: Backend, user: str, challenge: str, table: str) -> None:
    one_of_each(app, user, challenge)
    before = app.rows(f"select * from {table}")
    assert len(before) == 1
    column = LEDGERS[table]
    for sql in (
        f"update {table} set {column} = 'x'",
        f"update {table} set {column} = {column}",
        f"delete from {table}",
    ):
        with pytest.raises(Refused, match="append-only"):
            app.run(sql)
    assert app.rows(f"select * from {table}") == before


def test_a_correction_is_another_trade(app: Backend, challenge: str) -> None:
    trade(app, challenge, "T1")
    trade(app, challenge, "T1-fix", corrects_trade_id="T1", realized_pnl=-50)
    assert plain(app.rows("select sum(realized_pnl), max(sequence_number) from trades")) == [
        (150, 2)
    ]


# ------------------------------------------------------------------ sequences


def test_numbers_follow_each_other(app: Backend, challenge: str, user: str) -> None:
    trade(app, challenge, "T1", sequence_number=1)
    trade(app, challenge, "T2")
    trade(app, challenge, "T3", sequence_number=3)
    with pytest.raises(Refused, match="gap"):
        trade(app, challenge, "T5", sequence_number=5)
    with pytest.raises(Refused):
        trade(app, challenge, "T4", sequence_number=3)
    other = new_challenge(app, user)
    trade(app, other, "T1")
    numbers = "select sequence_number from trades where challenge_id = ? order by trade_id"
    assert app.rows(numbers, challenge) == [(1,), (2,), (3,)]
    assert app.rows(numbers, other) == [(1,)]


def test_a_failed_insert_leaves_no_gap(app: Backend, challenge: str) -> None:
    event(app, challenge, "NOTE")
    with pytest.raises(Refused):
        event(app, challenge, "NONSENSE")
    event(app, challenge, "NOTE")
    assert app.rows("select sequence_number from challenge_events order by 1") == [(1,), (2,)]


@pytest.mark.parametrize("table", ["trades", "challenge_events"])
def test_many_sessions_draw_numbers_without_a_gap(app: Backend, challenge: str, table: str) -> None:
    def write(place: int) -> None:
        session = app.session()
        for number in range(20):
            values: dict[str, object] = {"challenge_id": challenge}
            if table == "trades":
                values |= {**TRADE, "trade_id": f"{place}-{number}"}
            else:
                values |= {"event_type": "NOTE", "occurred_at": WHEN}
            app.insert(table, values, session=session)
        session.close()

    in_threads([lambda place=place: write(place) for place in range(8)])  # type: ignore[misc]
    found = app.rows(f"select sequence_number from {table} order by 1")
    assert found == [(number,) for number in range(1, 161)]


# ------------------------------------------------------------------ once is enough


def test_the_same_trade_lands_once(app: Backend, challenge: str) -> None:
    trade(app, challenge, "T1")
    for values in ({}, {"sequence_number": 1}, {"sequence_number": 2}, {"price": 9}):
        with pytest.raises(Refused):
            trade(app, challenge, "T1", **values)
    assert plain(app.rows("select sequence_number, price from trades")) == [(1, 1.085)]


def test_a_repeat_can_be_ignored(app: Backend, challenge: str) -> None:
    trade(app, challenge, "T1")
    values = {"challenge_id": challenge, "trade_id": "T1", **TRADE}
    for numbered in ({}, {"sequence_number": 1}):
        assert app.ignore("trades", {**values, **numbered}) == 0
    assert app.ignore("trades", {**values, "trade_id": "T2"}) == 1
    assert app.rows("select trade_id, sequence_number from trades order by 2") == [
        ("T1", 1),
        ("T2", 2),
    ]


def test_a_webhook_lands_once(app: Backend) -> None:
    app.insert("payment_events", webhook())
    with pytest.raises(Refused):
        app.insert("payment_events", webhook())
    assert app.ignore("payment_events", webhook()) == 0
    app.insert("payment_events", webhook(provider="paypal"))
    assert app.one("select count(*) from payment_events") == 2


def test_nothing_is_replaced(app: Backend, user: str, challenge: str) -> None:
    if app.name != "sqlite":
        pytest.skip("REPLACE is SQLite's: it takes a row away without its triggers")
    one_of_each(app, user, challenge)
    payment(app, user)
    for table in (*LEDGERS, "users", "challenges", "payments"):
        before = app.rows(f"select * from {table}")
        names = [each[1] for each in app.rows(f"pragma table_info({table})")]
        marks = ", ".join("?" for _ in names)
        with pytest.raises(Refused, match="record_exists_already"):
            app.run(f"replace into {table} ({', '.join(names)}) values ({marks})", *before[0])
        assert app.rows(f"select * from {table}") == before
