"""Pulling from an application whose database checks nothing: late numbers, bad rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from prop_backends import WHEN, ask, counts
from warehouse.prop.pull import pull


@pytest.fixture
def bare(database: str, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The design's tables without a constraint, with a user and a challenge."""
    path = tmp_path / "bare.db"
    session = sqlite3.connect(path, isolation_level=None)
    session.executescript(
        f"""
        create table users (id, email, password_hash, role, deleted_at, version, created_at);
        create table challenges (
            id, user_id, challenge_type, status, initial_balance, max_daily_drawdown_percent,
            max_total_drawdown_percent, profit_target_percent, current_equity, max_equity_ever,
            daily_start_equity, daily_max_equity, daily_min_equity, total_trades, total_pnl,
            started_at, ended_at, funded_at, version, created_at
        );
        create table trades (
            challenge_id, trade_id, symbol, side, quantity, price, realized_pnl, commission,
            executed_at, sequence_number
        );
        insert into users values ('{USER}', 'a@example.com', 'plain!', 'USER', null, 1, '{WHEN}');
        insert into challenges values (
            '{CHALLENGE}', '{USER}', 'PHASE_1', 'ACTIVE', 100, 0.05, 0.1, 0.08, 100, 100, 100, 100,
            100, 0, 0, '{WHEN}', null, null, 3, '{WHEN}'
        );
        """
    )
    yield session
    session.close()


USER = "11111111-1111-4111-8111-111111111111"
CHALLENGE = "22222222-2222-4222-8222-222222222222"


def add(bare: sqlite3.Connection, number: int, **values: object) -> None:
    row = {
        "challenge_id": CHALLENGE, "trade_id": f"T{number}", "symbol": "EURUSD", "side": "BUY",
        "quantity": 1, "price": 1.1, "realized_pnl": 0, "commission": 0, "executed_at": WHEN,
        "sequence_number": number, **values,
    }  # fmt: skip
    marks = ", ".join("?" for _ in row)
    bare.execute(f"insert into trades ({', '.join(row)}) values ({marks})", list(row.values()))


def open_quarantine() -> list[tuple[str, str]]:
    return ask(
        "select rule, payload ->> 'trade_id' from ops.quarantine"
        " where replayed_at is null order by quarantine_id"
    )


def test_a_number_that_commits_late_is_not_lost(bare: sqlite3.Connection, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    for number in (1, 2, 4, 5):
        add(bare, number)
    assert counts(pull(url))["trades"] == (2, 0, 2)
    assert [trade for _, trade in open_quarantine()] == ["T4", "T5"]
    assert "trades" not in counts(pull(url)) or counts(pull(url))["trades"][2] == 0
    add(bare, 3)
    told = counts(pull(url))
    assert told["trades"] == (3, 0, 0)
    assert open_quarantine() == []
    found = ask("select sequence_number, trade_id from raw_prop.trades order by 1")
    assert found == [(n, f"T{n}") for n in range(1, 6)]


def test_bad_rows_go_to_quarantine_once_and_land_when_corrected(
    bare: sqlite3.Connection, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    bare.execute(
        "insert into users values ('x', 'b@example.com', null, 'USER', null, 1, ?)", [WHEN]
    )
    bare.execute(
        "insert into users values (?, 'A@EXAMPLE.COM', null, 'USER', null, 1, ?)", [CHALLENGE, WHEN]
    )
    bare.execute("update challenges set max_daily_drawdown_percent = 5")
    for values in (
        {"price": float("inf")},
        {"side": "LONG"},
        {"quantity": -1},
        {"executed_at": "?"},
    ):
        add(bare, 1, trade_id=f"bad {values}", **values)
    told = counts(pull(url))
    assert told["user_accounts"] == (2, 0, 1)
    assert told["users_pii"] == (1, 0, 2)
    assert told["challenges"] == (0, 0, 1)
    assert told["trades"] == (0, 0, 4)
    held = len(open_quarantine())
    assert held == 8
    pull(url)
    assert len(open_quarantine()) == held

    bare.execute("update challenges set max_daily_drawdown_percent = 0.05")
    bare.execute("delete from trades")
    add(bare, 1)
    pull(url)
    assert ask("select count(*) from raw_prop.challenges") == [(1,)]
    assert ask("select trade_id from raw_prop.trades") == [("T1",)]
    assert not any(rule.startswith("challenges") for rule, _ in open_quarantine())


def test_a_record_that_goes_back_is_refused(bare: sqlite3.Connection, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    pull(url)
    bare.execute("update challenges set version = 2, total_trades = 9")
    assert counts(pull(url))["challenges"] == (0, 0, 1)
    bare.execute("update challenges set version = 4, status = 'PENDING'")
    assert counts(pull(url))["challenges"] == (0, 0, 1)
    assert ask("select status, version, total_trades from raw_prop.challenges") == [
        ("ACTIVE", 3, 0)
    ]
