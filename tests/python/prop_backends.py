"""The prop-trading schema on PostgreSQL and on SQLite, asked the same way."""

from __future__ import annotations

import itertools
import math
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors

from warehouse import database
from warehouse.landing.batches import BatchResult
from warehouse.prop import sqlite_schema

REFUSALS = (
    errors.IntegrityError,
    errors.DataError,
    errors.SerializationFailure,
    sqlite3.IntegrityError,
)


class Refused(Exception):
    """The database refused a statement; the text is its message."""


@contextmanager
def refused(what: object, match: str = "") -> Iterator[None]:
    """Expect the database to say no; what it was asked is told where it does not."""
    told = None
    try:
        yield
    except Refused as error:
        told = str(error)
    assert told is not None, f"taken: {what}"
    assert match in told


class Backend:
    """One session that commits each statement; parameters are `?` everywhere."""

    name: str
    url: str = ""
    refusals: type[Exception] | tuple[type[Exception], ...] = REFUSALS

    def session(self) -> Any:
        """Open another session on the same database."""
        raise NotImplementedError

    def __init__(self) -> None:
        self.own = self.session()

    def adapted(self, sql: str) -> str:
        """Say a portable statement in this dialect."""
        return sql

    def run(self, sql: str, *values: object, session: Any = None) -> Any:
        """Run a statement; raise Refused where the database says no."""
        try:
            return (session or self.own).execute(self.adapted(sql), values)
        except self.refusals as error:
            raise Refused(str(error)) from None

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.run(sql, *values).fetchall()]

    def one(self, sql: str, *values: object) -> Any:
        """Return the only value of the only row."""
        [[value]] = self.rows(sql, *values)
        return value

    def insert(self, table: str, values: dict[str, object], session: Any = None) -> Any:
        marks = ", ".join("?" for _ in values)
        sql = f"insert into {table} ({', '.join(values)}) values ({marks})"
        return self.run(sql, *values.values(), session=session)

    def ignore(self, table: str, values: dict[str, object]) -> int:
        """Insert a row unless it is there; return how many were inserted."""
        raise NotImplementedError

    def close(self) -> None:
        self.own.close()


class Postgres(Backend):
    name = "postgresql"

    def __init__(self, url: str = "") -> None:
        self.connection_url = url
        super().__init__()

    def session(self) -> psycopg.Connection:
        if self.connection_url:
            conn = psycopg.connect(self.connection_url, autocommit=True)
        else:
            conn = database.connect(autocommit=True)
        conn.execute("set timezone = 'UTC'")
        conn.execute("set search_path = raw_prop, marts")
        return conn

    def adapted(self, sql: str) -> str:
        return sql.replace("%", "%%").replace("?", "%s")

    def ignore(self, table: str, values: dict[str, object]) -> int:
        marks = ", ".join("?" for _ in values)
        sql = f"insert into {table} ({', '.join(values)}) values ({marks}) on conflict do nothing"
        return int(self.run(sql, *values.values()).rowcount)


class Sqlite(Backend):
    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        sqlite_schema.create(path)
        super().__init__()

    def session(self) -> sqlite3.Connection:
        conn = sqlite3.connect(self.path, isolation_level=None, timeout=60, check_same_thread=False)
        conn.execute("pragma foreign_keys = on")
        return conn

    def ignore(self, table: str, values: dict[str, object]) -> int:
        marks = ", ".join("?" for _ in values)
        sql = f"insert or ignore into {table} ({', '.join(values)}) values ({marks})"
        return int(self.run(sql, *values.values()).rowcount)

    def adapted(self, sql: str) -> str:
        # What the design says in PostgreSQL's dialect; docs/prop.md lists these.
        sql = re.sub(r"::jsonb\b", "", sql)
        return re.sub(r"\bGREATEST\(", "max(", sql, flags=re.IGNORECASE)


def plain(rows: Sequence[Sequence[object]]) -> list[tuple[object, ...]]:
    """Return rows with numbers as floats of six digits: SQLite's are binary."""
    return [tuple(round(float(v), 6) if _is_number(v) else v for v in row) for row in rows]


def _is_number(value: object) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, str)


WHEN = "2024-03-04 10:00:00+00:00"
LATER = "2024-03-05 10:00:00+00:00"
CHALLENGE = {
    "challenge_type": "PHASE_1",
    "initial_balance": 100000,
    "max_daily_drawdown_percent": 0.05,
    "max_total_drawdown_percent": 0.10,
    "profit_target_percent": 0.08,
    "current_equity": 100000,
    "max_equity_ever": 100000,
    "daily_start_equity": 100000,
    "daily_max_equity": 100000,
    "daily_min_equity": 100000,
}
BAD_NUMBERS = [
    math.nan,
    math.inf,
    -math.inf,
    "NaN",
    "Infinity",
    "abc",
    "",
    None,
    1e14,
    -1e14,
]
TRADE = {
    "symbol": "EURUSD",
    "side": "BUY",
    "quantity": 10000,
    "price": 1.0850,
    "realized_pnl": 200.0,
    "commission": 5,
    "executed_at": WHEN,
}
numbers = itertools.count(1)


def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Open the backend that the parameter of a fixture names, on an empty database."""
    if request.param == "sqlite":
        backend: Backend = Sqlite(tmp_path / "app.db")
    else:
        request.getfixturevalue("database")
        backend = Postgres()
    yield backend
    backend.close()


def new_user(app: Backend, **values: object) -> str:
    app.insert("users", {"email": f"u{next(numbers)}@example.com", **values})
    return str(app.one("select id from users order by created_at desc, email desc limit 1"))


def new_challenge(app: Backend, user: str, **values: object) -> str:
    before = set(app.rows("select id from challenges"))
    app.insert("challenges", {"user_id": user, **CHALLENGE, **values})
    [(made,)] = set(app.rows("select id from challenges")) - before
    return str(made)


def trade(app: Backend, challenge: str, trade_id: str, **values: object) -> None:
    app.insert("trades", {"challenge_id": challenge, "trade_id": trade_id, **TRADE, **values})


def event(
    app: Backend, challenge: str, event_type: str, data: str = "{}", **values: object
) -> None:
    app.insert(
        "challenge_events",
        {"challenge_id": challenge, "event_type": event_type, "event_data": data,
         "occurred_at": WHEN, **values},
    )  # fmt: skip


def update(app: Backend, challenge: str, what: str, *values: object) -> int:
    sql = f"update challenges set {what}, version = version + 1 where id = ?"
    return int(app.run(sql, *values, challenge).rowcount)


def one_of_each(app: Backend, user: str, challenge: str) -> None:
    trade(app, challenge, "T1")
    event(app, challenge, "NOTE")
    app.insert("challenge_equity_ticks", {"challenge_id": challenge, "tick_ts": WHEN, "equity": 1})
    app.insert("payment_events", webhook())
    app.insert("challenge_rules", rule())


def webhook(**values: object) -> dict[str, object]:
    return {
        "provider": "stripe",
        "provider_event_id": "evt_1",
        "provider_payment_id": "pi_1",
        "event_type": "payment_intent.succeeded",
        "occurred_at": WHEN,
        **values,
    }


def rule(**values: object) -> dict[str, object]:
    return {
        "rule_set": "classic",
        "version": 1,
        "rule_kind": "max_daily_drawdown",
        "threshold": 0.05,
        "measured_from": "daily_start_equity",
        "valid_from": WHEN,
        **values,
    }


def payment(app: Backend, user: str, **values: object) -> None:
    fields = {
        "user_id": user,
        "provider": "stripe",
        "provider_payment_id": "pi_1",
        "amount": 499.99,
        "currency": "USD",
    }
    app.insert("payments", {**fields, **values})


def alert(app: Backend, challenge: str, **values: object) -> None:
    fields = {
        "challenge_id": challenge,
        "alert_type": "DAILY_DRAWDOWN_NEAR",
        "severity": "HIGH",
        "triggered_at": WHEN,
    }
    app.insert("risk_alerts", {**fields, **values})


def in_threads(tasks: list[Callable[[], object]]) -> None:
    failures: list[BaseException] = []

    def caught(task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=caught, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


REPLAYED = (
    "status, current_equity, max_equity_ever, daily_start_equity, daily_max_equity,"
    " daily_min_equity, total_trades, total_pnl, failure_reason"
)
TIMES = ("started_at", "ended_at", "funded_at")


def assert_replays(app: Backend) -> None:
    """Compare every challenge with the fold of its events."""
    rows = f"select id, {REPLAYED} from challenges order by id"
    fold = f"select challenge_id, {REPLAYED} from challenge_replay order by challenge_id"
    assert plain(app.rows(rows)) == plain(app.rows(fold))
    times = " or ".join(f"not (c.{t} = r.{t} or (c.{t} is null and r.{t} is null))" for t in TIMES)
    assert (
        app.rows(
            "select c.id from challenges as c inner join challenge_replay as r"
            f" on c.id = r.challenge_id where {times}"
        )
        == []
    )


def counts(results: list[BatchResult]) -> dict[str, tuple[int, int, int]]:
    """Return accepted, known and quarantined by table."""
    told: dict[str, tuple[int, int, int]] = {}
    for each in results:
        old = told.get(each.dataset.partition(".")[2], (0, 0, 0))
        new = (each.accepted, each.known, each.quarantined)
        told[each.dataset.partition(".")[2]] = tuple(map(sum, zip(old, new, strict=True)))
    return told


def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with database.connect() as session:
        return session.execute(sql, values).fetchall()
