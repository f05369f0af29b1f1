"""`warehouse land --from URL`: an application's database into the landing zone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from prop_backends import (
    LATER,
    WHEN,
    Backend,
    Postgres,
    Sqlite,
    alert,
    ask,
    counts,
    event,
    new_challenge,
    new_user,
    payment,
    plain,
    rule,
    trade,
    update,
    webhook,
)
from warehouse import config
from warehouse.prop import pull as pulling
from warehouse.prop.pull import pull

COMPARED = {
    "users": "id, email, role, status, full_name, country, version",
    "challenges": "id, user_id, status, current_equity, version, ended_at, created_at",
    "challenge_rules": "rule_set, version, rule_kind, threshold, valid_from",
    "trades": "challenge_id, trade_id, sequence_number, side, quantity, price, executed_at",
    "challenge_events": "challenge_id, sequence_number, event_type, event_data, occurred_at",
    "challenge_equity_ticks": "challenge_id, tick_ts, equity",
    "payments": "id, user_id, provider_payment_id, status, amount, currency",
    "payment_events": "provider, provider_event_id, provider_payment_id, occurred_at",
    "risk_alerts": "id, challenge_id, severity, status, triggered_at",
}


@pytest.fixture(params=["postgresql", "sqlite"])
def app(
    request: pytest.FixtureRequest, database: str, tmp_path: Path, home: config.Home
) -> Iterator[Backend]:
    """An application's own database beside the warehouse; `app.url` is where it is."""
    if request.param == "sqlite":
        backend: Backend = Sqlite(tmp_path / "app.db")
        backend.url = f"sqlite:///{tmp_path / 'app.db'}"
        yield backend
        backend.close()
        return
    here, name = config.connection(), f"{database}_app"
    with psycopg.connect(replace(here, dbname="postgres").url(), autocommit=True) as session:
        session.execute(f"create database {name} template warehouse_template")
        url = replace(here, dbname=name).url()
        backend = Postgres(url)
        backend.url = f"{url}?options=-csearch_path%3Draw_prop"
        yield backend
        backend.close()
        session.execute(f"drop database {name} with (force)")


def filled(app: Backend) -> list[str]:
    """Write three users with a challenge each, and something of everything else."""
    challenges = []
    app.insert("challenge_rules", rule())
    for number in range(3):
        user = new_user(
            app, full_name=f"Name {number}", country="DE", metadata='{"x": "y"}',
            **{"password_hash": "$2b$12$abc"},
        )  # fmt: skip
        challenge = new_challenge(app, user, rule_set="classic")
        challenges.append(challenge)
        update(app, challenge, f"status = 'ACTIVE', started_at = '{WHEN}'")
        event(app, challenge, "CHALLENGE_ACTIVATED")
        for each in ("T1", "T2"):
            trade(app, challenge, each)
            event(app, challenge, "TRADE_EXECUTED", f'{{"trade_id": "{each}", "pnl": 200.5}}')
        payment(app, user, provider_payment_id=f"pi_{number}", challenge_id=challenge)
        app.insert("payment_events", webhook(provider_event_id=f"evt_{number}"))
        alert(app, challenge)
        app.insert(
            "challenge_equity_ticks", {"challenge_id": challenge, "tick_ts": WHEN, "equity": 1}
        )
    return challenges


def assert_same(app: Backend) -> None:
    """Compare every table of the application with what has landed, value by value."""
    warehouse = Postgres()
    for table, columns in COMPARED.items():
        ours = warehouse.rows(f"select {columns} from {table}")
        theirs = app.rows(f"select {columns} from {table}")
        assert sorted(map(_comparable, ours)) == sorted(map(_comparable, theirs)), table
    warehouse.close()


def _comparable(row: tuple[Any, ...]) -> str:
    return str([_value(value) for value in plain([row])[0]])


def _value(value: object) -> object:
    """Return a value of either database as the same thing."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str) and re.match(r"20\d\d-\d\d-\d\d", value):  # a UUID may begin with 20
        return datetime.fromisoformat(value).replace(tzinfo=UTC).isoformat()
    if isinstance(value, str) and value[:1] == "{":
        value = json.loads(value)
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    return str(value)


def test_everything_lands_once(app: Backend) -> None:
    filled(app)
    first = counts(pull(app.url))
    assert first == {
        "user_accounts": (3, 0, 0), "users_pii": (3, 0, 0), "challenge_rules": (1, 0, 0),
        "challenges": (3, 0, 0), "trades": (6, 0, 0), "challenge_events": (9, 0, 0),
        "challenge_equity_ticks": (3, 0, 0), "payments": (3, 0, 0), "payment_events": (3, 0, 0),
        "risk_alerts": (3, 0, 0),
    }  # fmt: skip
    assert_same(app)
    second = counts(pull(app.url))
    assert sum(accepted + bad for accepted, _, bad in second.values()) == 0
    assert_same(app)
    assert ask(
        "select count(*) from ops.batches where landed <> accepted + known + quarantined"
    ) == [(0,)]


def test_password_hashes_stay_with_the_application(app: Backend) -> None:
    filled(app)
    pull(app.url)
    assert ask("select count(*) from raw_prop.users_pii where password_hash is not null") == [(0,)]


def test_what_is_new_and_what_changed_lands(app: Backend) -> None:
    first, second, _ = filled(app)
    pull(app.url)
    trade(app, first, "T3")
    event(app, first, "NOTE", description="seen")
    # Two steps between two pulls, and two updates of one row.
    update(app, second, "current_equity = 95000, total_trades = 2")
    update(app, second, f"status = 'FAILED', ended_at = '{LATER}', failure_reason = 'drawdown'")
    app.run("update payments set status = 'SUCCEEDED' where provider_payment_id = 'pi_0'")
    app.run("update payments set status = 'REFUNDED' where provider_payment_id = 'pi_0'")
    app.run("update users set role = 'ADMIN', version = version + 1 where email like 'u%'")
    owner = app.rows("select user_id from challenges order by id")[0][0]
    fresh = new_challenge(app, str(owner))
    update(app, fresh, f"status = 'ACTIVE', started_at = '{WHEN}'")
    update(app, fresh, f"status = 'FUNDED', ended_at = '{LATER}', funded_at = '{LATER}'")
    app.insert("payment_events", webhook(provider_event_id="evt_9"))
    told = counts(pull(app.url))
    assert sum(bad for _, _, bad in told.values()) == 0
    assert told["trades"] == (1, 0, 0)
    assert told["challenge_events"] == (1, 0, 0)
    assert told["challenges"] == (2, 2, 0)
    assert told["payments"] == (1, 2, 0)
    assert told["user_accounts"] == (3, 0, 0)
    assert_same(app)


def test_many_groups_are_read_at_once(app: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = filled(app)
    monkeypatch.setattr(pulling, "MANY", 0)
    monkeypatch.setattr(pulling, "CHUNK", 2)
    pull(app.url)
    assert_same(app)
    trade(app, first, "T3")
    assert counts(pull(app.url))["trades"] == (1, 0, 0)
    assert_same(app)


def test_one_pull_sees_one_moment(app: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = filled(app)
    if app.name == "sqlite":
        app.run("pragma journal_mode = wal")
    land = pulling.land_records
    written = []

    def land_while_others_write(target: str, *args: Any, **kwargs: Any) -> Any:
        if not written:
            written.append(target)
            trade(app, first, "T3")
            new_user(app)
        return land(target, *args, **kwargs)

    monkeypatch.setattr(pulling, "land_records", land_while_others_write)
    told = counts(pull(app.url))
    assert told["trades"] == (6, 0, 0)
    assert told["users_pii"] == (3, 0, 0)
    monkeypatch.setattr(pulling, "land_records", land)
    told = counts(pull(app.url))
    assert told["trades"] == (1, 0, 0)
    assert told["users_pii"] == (1, 3, 0)
    assert_same(app)
