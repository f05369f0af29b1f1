"""Prop trading: users and challenges, one suite for PostgreSQL and SQLite."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from prop_backends import (
    LATER,
    WHEN,
    Backend,
    Refused,
    assert_replays,
    in_threads,
    new_challenge,
    new_user,
    opened,
    plain,
    update,
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


# ------------------------------------------------------------------ the statements of the design


def test_the_statements_of_the_design_run(app: Backend) -> None:
    user = app.one(
        "INSERT INTO users (email, password_hash, role)"
        " VALUES ('trader@example.com', '$2b$12$...', 'USER') RETURNING id"
    )
    assert len(str(user)) == 36
    challenge = app.one(
        f"""INSERT INTO challenges (
            user_id, challenge_type, initial_balance,
            max_daily_drawdown_percent, max_total_drawdown_percent,
            profit_target_percent, current_equity, max_equity_ever,
            daily_start_equity, daily_max_equity, daily_min_equity
        ) VALUES (
            '{user}', 'PHASE_1', 100000,
            0.05, 0.10, 0.08,
            100000, 100000, 100000, 100000, 100000
        ) RETURNING id"""
    )
    app.run(
        f"""INSERT INTO trades (
            challenge_id, trade_id, symbol, side,
            quantity, price, realized_pnl, commission,
            executed_at, sequence_number
        ) VALUES (
            '{challenge}', 'TRADE_001', 'EURUSD', 'BUY',
            10000, 1.0850, 200.00, 5.00,
            CURRENT_TIMESTAMP, 1
        )"""
    )
    locked = f"""UPDATE challenges
        SET current_equity = current_equity + 200.00,
            max_equity_ever = GREATEST(max_equity_ever, current_equity + 200.00),
            total_trades = total_trades + 1,
            total_pnl = total_pnl + 200.00,
            version = version + 1
        WHERE id = '{challenge}' AND version = 1"""
    assert app.run(locked).rowcount == 1
    assert app.run(locked).rowcount == 0
    app.run(
        f"""INSERT INTO challenge_events (
            challenge_id, event_type, sequence_number,
            event_data, description, occurred_at
        ) VALUES (
            '{challenge}', 'TRADE_EXECUTED', 1,
            '{{"trade_id": "TRADE_001", "pnl": 200.00}}'::jsonb,
            'Trade executed: BUY 10000 EURUSD @ 1.0850',
            CURRENT_TIMESTAMP
        )"""
    )
    win_rate = f"""SELECT
            COUNT(*) as total_trades,
            SUM(CASE WHEN realized_pnl > 0 THEN 1 ELSE 0 END) as winning_trades,
            ROUND(
                CAST(SUM(CASE WHEN realized_pnl > 0 THEN 1 ELSE 0 END) AS FLOAT) /
                CAST(COUNT(*) AS FLOAT) * 100, 2
            ) as win_rate_percent
        FROM trades
        WHERE challenge_id = '{challenge}'"""
    assert plain(app.rows(win_rate)) == [(1, 1, 100)]
    row = "current_equity, max_equity_ever, total_trades, total_pnl, status, version"
    assert plain(app.rows(f"select {row} from challenges")) == [
        (100200, 100200, 1, 200, "PENDING", 2)
    ]
    assert_replays(app)


# ------------------------------------------------------------------ users


@pytest.mark.parametrize(
    "password", ["$2a$10$x", "$2y$12$x", "$scrypt$x", "$7$x", "scrypt:32768:8:1$x"]
)
def test_hashed_passwords_are_taken(app: Backend, password: str) -> None:
    new_user(app, password_hash=password)


@pytest.mark.parametrize(
    "password", ["secret", "$2b$12$", "$1$md5", "", "$2b$xx$abc", "$argon2id$x"]
)
def test_other_passwords_are_refused(app: Backend, password: str) -> None:
    with pytest.raises(Refused, match=r"users_(pii_)?password_is_hashed"):
        new_user(app, password_hash=password)


@pytest.mark.parametrize("email", ["", "nobody", "a b@c.de", "@x.de", "a@", "a@b@c", None])
def test_what_is_no_email_is_refused(app: Backend, email: str | None) -> None:
    with pytest.raises(Refused):
        new_user(app, email=email)


def test_an_email_is_unique_whatever_its_case(app: Backend) -> None:
    new_user(app, email="Trader@Example.com")
    with pytest.raises(Refused, match=r"(?i)unique|duplicate"):
        new_user(app, email="tRADER@example.COM")
    new_user(app, email="trader@example.com", tenant_id="another")


@pytest.mark.parametrize(
    "values", [{"role": "ROOT"}, {"role": "user"}, {"status": "GONE"}, {"version": 0}, {"id": "7"}]
)
def test_what_a_user_cannot_be(app: Backend, values: dict[str, object]) -> None:
    with pytest.raises(Refused):
        new_user(app, **values)


def test_a_user_is_never_deleted(app: Backend, user: str) -> None:
    with pytest.raises(Refused, match="delete"):
        app.run("delete from users where id = ?", user)
    app.run(
        "update users set deleted_at = ?, version = version + 1 where id = ? and version = 1",
        WHEN, user,
    )  # fmt: skip
    assert app.one("select count(*) from users where deleted_at is not null") == 1


def test_users_are_locked_optimistically(app: Backend, user: str) -> None:
    sql = "update users set role = 'ADMIN', version = version + 1 where id = ? and version = 1"
    assert app.run(sql, user).rowcount == 1
    assert app.run(sql, user).rowcount == 0
    for wrong in ("version", "version + 2", "version - 1"):
        with pytest.raises(Refused, match="version"):
            app.run(f"update users set role = 'USER', version = {wrong} where id = ?", user)
    with pytest.raises(Refused, match="version"):
        app.run("update users set email = 'else@example.com' where id = ?", user)
    assert app.rows("select role, version from users") == [("ADMIN", 2)]


def test_the_id_of_a_user_stays(app: Backend, user: str) -> None:
    other = "11111111-1111-4111-8111-111111111111"
    with pytest.raises(Refused):
        app.run("update users set id = ?, version = version + 1 where id = ?", other, user)


def test_an_update_of_personal_data_arrives(app: Backend, user: str) -> None:
    app.run(
        "update users set email = 'new@example.com', full_name = 'N. N.', version = version + 1"
        " where id = ?",
        user,
    )
    assert app.rows("select email, full_name, version from users") == [
        ("new@example.com", "N. N.", 2)
    ]


# ------------------------------------------------------------------ the state machine

STATES = ("PENDING", "ACTIVE", "FAILED", "FUNDED")
INTO = {
    "PENDING": "status = 'PENDING', ended_at = null, funded_at = null",
    "ACTIVE": f"status = 'ACTIVE', started_at = '{WHEN}', ended_at = null, funded_at = null",
    "FAILED": f"status = 'FAILED', ended_at = '{LATER}', funded_at = null",
    "FUNDED": f"status = 'FUNDED', ended_at = '{LATER}', funded_at = '{LATER}'",
}
WAY: dict[str, tuple[str, ...]] = {
    "PENDING": (),
    "ACTIVE": ("ACTIVE",),
    "FAILED": ("ACTIVE", "FAILED"),
    "FUNDED": ("ACTIVE", "FUNDED"),
}
LEGAL = {("PENDING", "ACTIVE"), ("ACTIVE", "FAILED"), ("ACTIVE", "FUNDED")}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(STATES, STATES)))
def test_the_states_of_a_challenge(app: Backend, challenge: str, old: str, new: str) -> None:
    for step in WAY[old]:
        update(app, challenge, INTO[step])
    if old == new or (old, new) in LEGAL:
        assert update(app, challenge, INTO[new]) == 1
        assert app.one("select status from challenges") == new
    else:
        with pytest.raises(Refused):
            update(app, challenge, INTO[new])
        assert app.one("select status from challenges") == old


@pytest.mark.parametrize("status", ["ACTIVE", "FAILED", "FUNDED", "WON", "pending", None])
def test_a_challenge_begins_as_pending(app: Backend, user: str, status: str | None) -> None:
    ends = LATER if status in ("FAILED", "FUNDED") else None
    with pytest.raises(Refused):
        new_challenge(app, user, status=status, ended_at=ends,
                      funded_at=LATER if status == "FUNDED" else None)  # fmt: skip


@pytest.mark.parametrize(
    "what",
    [
        "status = 'FAILED'",
        "status = 'FUNDED'",
        f"status = 'FUNDED', ended_at = '{LATER}'",
        f"status = 'FUNDED', funded_at = '{LATER}'",
        f"status = 'FAILED', ended_at = '{LATER}', funded_at = '{LATER}'",
        f"ended_at = '{LATER}'",
        f"funded_at = '{LATER}'",
        "status = 'FAILED', ended_at = '2024-03-04 09:59:59+00:00'",
        "failure_reason = 'none yet'",
    ],
)
def test_an_end_and_its_times_belong_together(app: Backend, challenge: str, what: str) -> None:
    update(app, challenge, INTO["ACTIVE"])
    with pytest.raises(Refused):
        update(app, challenge, what)


@pytest.mark.parametrize(
    "what",
    [
        "initial_balance = 200000",
        "challenge_type = 'PHASE_2'",
        "profit_target_percent = 0.01",
        "max_daily_drawdown_percent = 0.5",
        "currency = 'EUR'",
        "created_at = '2020-01-01 00:00:00+00:00'",
    ],
)
def test_what_a_challenge_is_about_stays(app: Backend, challenge: str, what: str) -> None:
    with pytest.raises(Refused):
        update(app, challenge, what)


def test_a_challenge_is_never_deleted(app: Backend, challenge: str) -> None:
    with pytest.raises(Refused, match="delete"):
        app.run("delete from challenges")


def test_challenges_are_locked_optimistically(app: Backend, challenge: str) -> None:
    for wrong in ("version", "version + 2", "0"):
        with pytest.raises(Refused, match="version"):
            app.run(f"update challenges set current_equity = 1, version = {wrong}")
    with pytest.raises(Refused, match="version"):
        app.run("update challenges set total_trades = 7")


def test_of_many_sessions_with_one_version_one_wins(app: Backend, challenge: str) -> None:
    won = []

    def attempt() -> None:
        session = app.session()
        sql = (
            "update challenges set total_trades = total_trades + 1, version = version + 1"
            " where id = ? and version = 1"
        )
        won.append(app.run(sql, challenge, session=session).rowcount)
        session.close()

    in_threads([attempt] * 6)
    assert sorted(won) == [0] * 5 + [1]
    assert app.rows("select total_trades, version from challenges") == [(1, 2)]
