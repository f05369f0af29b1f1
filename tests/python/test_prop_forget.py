"""`warehouse forget`: nothing of the person is left, in no column of no table; the ledgers are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from prop_backends import (
    Postgres,
    Refused,
    event,
    new_challenge,
    new_user,
    payment,
    trade,
)
from warehouse import cli
from warehouse import database as db
from warehouse.errors import WarehouseError
from warehouse.landing.records import land_records
from warehouse.prop.forget import forget
from warehouse.prop.pull import pull

PERSON = {
    "email": "Jane.O'Doe+fx@example.com",
    "full_name": 'Jane "JD" O\'Doe',
    "phone": "+49 (30) 1234-5678",
    "last_ip": "203.0.113.7",
}
OTHER = {
    "email": "mary-jane.o'doe+fx@example.com",
    "full_name": "Jane Doering",
    "phone": "+49 (30) 1234-56789",
    "last_ip": "203.0.113.77",
}
COLUMNS = """
    select c.oid::regclass::text, a.attname::text
    from pg_class as c
    inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'm', 'p') and c.relnamespace::regnamespace::text !~ '^pg_toast'
        and c.relname not in ('pg_largeobject', 'pg_proc', 'pg_rewrite')
"""


def places(value: str) -> list[str]:
    """Return every column of every table, catalogues and statistics included, that has a value."""
    found = []
    escaped = json.dumps(value)[1:-1]
    with db.connect(autocommit=True) as session:
        for relation, column in session.execute(COLUMNS).fetchall():
            hits = session.execute(
                f"select count(*) from (select lower({column}::text) as v from {relation}) as t"
                " where strpos(v, %s) > 0 or strpos(v, %s) > 0",
                [value.lower(), escaped.lower()],
            ).fetchone()
            if hits and hits[0]:
                found.append(f"{relation}.{column}")
    return found


@pytest.fixture
def app(database: str) -> Iterator[Postgres]:
    backend = Postgres()
    yield backend
    backend.close()


@pytest.fixture
def jane(app: Postgres) -> str:
    """A user who left traces wherever one can."""
    metadata = json.dumps({"note": PERSON["full_name"]})
    jane = new_user(app, **PERSON, metadata=metadata)
    challenge = new_challenge(app, jane)
    trade(app, challenge, "T1")
    event(app, challenge, "NOTE")
    payment(app, jane, metadata=metadata)
    refused = {**PERSON, "user_id": jane, "country": "Germany", "tenant_id": "house"}
    land_records("raw_prop.users_pii", [refused], source="app", name=f"{PERSON['email']}.csv")
    land_records(
        "raw_prop.payments",
        [{"id": "7", "user_id": jane, "provider": "p", "provider_payment_id": "1", "amount": "1",
          "currency": "USD", "metadata": metadata}],
        source="app",
    )  # fmt: skip
    app.run(
        'update ops.quarantine set payload = payload || \'{"country": "Deutschland"}\''
        " where dataset = 'raw_prop.users_pii'"
    )
    app.run(
        "insert into raw_logs.user_action_logs"
        " (action_type, user_id, ip_address, user_agent, request_path, metadata)"
        " values ('page_view', ?, ?, 'Jane''s phone', '/me', ?)",
        jane, PERSON["last_ip"], metadata,
    )  # fmt: skip
    app.run(
        "insert into raw_logs.system_logs (level, logger_name, message) values ('INFO', 'mail', ?)",
        f"sent to {PERSON['email'].upper()} from {PERSON['last_ip']}.",
    )
    app.run("analyze")
    return jane


def test_nothing_of_the_person_is_left(app: Postgres, jane: str) -> None:
    planted = {each for value in PERSON.values() for each in places(value)}
    assert {
        "raw_prop.users_pii.email",
        "raw_prop.users_pii.metadata",
        "raw_prop.payments.metadata",
        "raw_logs.user_action_logs.ip_address",
        "raw_logs.system_logs.message",
        "ops.quarantine.payload",
        "ops.quarantine.original_payload",
        "ops.batches.file",
    } <= planted
    kept = "select * from raw_prop.trades", "select * from raw_prop.challenge_events"
    before = [app.rows(sql) for sql in kept]

    done = forget(jane, reason="request 4711")
    for value in PERSON.values():
        assert places(value) == []
    assert done.remaining == {}
    assert {"raw_prop.users_pii", "raw_prop.payments", "ops.quarantine"} <= set(done.removed)
    assert [app.rows(sql) for sql in kept] == before
    assert app.one("select count(*) from raw_prop.challenges") == 1
    [(user, reason, removed, remaining)] = app.rows(
        "select user_id::text, reason, removed, remaining from ops.erasure_log"
    )
    assert (user, reason, removed, remaining) == (jane, "request 4711", done.removed, {})


def test_somebody_whose_data_contains_hers_keeps_it(app: Postgres, jane: str) -> None:
    other = new_user(app, **OTHER)
    said = " and ".join(OTHER.values())
    app.run(
        "insert into raw_logs.system_logs (level, logger_name, message) values ('INFO', 'x', ?)",
        said,
    )
    forget(jane, reason="request 4711")
    columns = "email, full_name, phone, host(last_ip)"
    assert app.rows(f"select {columns} from raw_prop.users_pii") == [tuple(OTHER.values())]
    assert app.one("select count(*) from users where id = ? and deleted_at is null", other) == 1
    assert app.one("select count(*) from raw_logs.system_logs where message = ?", said) == 1


def test_a_second_time_finds_nothing_more(app: Postgres, jane: str) -> None:
    first = forget(jane, reason="request 4711")
    assert first.forgotten_before is None
    again = forget(jane, reason="request 4711")
    assert again.removed == {}
    assert again.forgotten_before is not None
    assert app.one("select count(*) from ops.erasure_log") == 1


def test_a_dry_run_changes_nothing(app: Postgres, jane: str) -> None:
    before = {value: places(value) for value in PERSON.values()}
    told = forget(jane, reason="request 4711", dry_run=True)
    assert {value: places(value) for value in PERSON.values()} == before
    assert app.one("select count(*) from ops.erasure_log") == 0
    assert forget(jane, reason="request 4711").removed == told.removed


def test_the_person_does_not_come_back(app: Postgres, jane: str) -> None:
    forget(jane, reason="request 4711")
    for sql in (
        "update users set email = 'jane@example.com', version = version + 1 where id = ?",
        "insert into users_pii (user_id, email) values (?, 'jane@example.com')",
    ):
        with pytest.raises(Refused, match="forgotten"):
            app.run(sql, jane)
    app.run("update payments set metadata = '{\"a\": 1}' where user_id = ?", jane)
    assert app.one("select metadata from payments") is None


def test_a_ledger_that_still_says_it_is_named(app: Postgres, jane: str) -> None:
    [(challenge,)] = app.rows("select id::text from challenges")
    # A name is no pattern that a constraint could refuse.
    event(app, challenge, "NOTE", description=f"{PERSON['full_name']} called")
    told = CliRunner().invoke(cli.app, ["forget", jane, "--reason", "request 4711"])
    assert told.exit_code == 1
    assert "LEFT: raw_prop.challenge_events.description, 1 row" in told.output
    assert app.one("select count(*) from challenge_events") == 2


def test_pulling_does_not_bring_anybody_back(app: Postgres, tmp_path: Path) -> None:
    from prop_backends import Sqlite

    theirs = Sqlite(tmp_path / "app.db")
    user = new_user(theirs, **PERSON)
    new_challenge(theirs, user)
    payment(theirs, user, metadata='{"note": "hers"}')
    url = f"sqlite:///{tmp_path / 'app.db'}"
    pull(url)
    assert places(PERSON["email"]) != []
    forget(user, reason="request 4711")
    again = pull(url)
    theirs.run("update users set full_name = 'Else', version = version + 1")
    again += pull(url)
    assert sum(each.accepted + each.quarantined for each in again) == 0
    assert [places(value) for value in PERSON.values()] == [[], [], [], []]
    theirs.close()


def test_bad_input(database: str, app: Postgres, jane: str) -> None:
    nobody = "11111111-1111-4111-8111-111111111111"
    with pytest.raises(WarehouseError, match="There is no user"):
        forget(nobody, reason="x")
    with pytest.raises(WarehouseError, match="no id of a user"):
        forget("jane", reason="x")
    with pytest.raises(WarehouseError, match="needs a reason"):
        forget(jane, reason=" ")
    with pytest.raises(WarehouseError, match="names a person"):
        forget(jane, reason="jane@example.com asked")
    assert app.one("select count(*) from ops.erasure_log") == 0
    assert app.one("select count(*) from users_pii") == 1


def test_the_log_of_erasures_stays(app: Postgres, jane: str) -> None:
    forget(jane, reason="request 4711")
    for sql in ("delete from ops.erasure_log", "update ops.erasure_log set reason = 'x'"):
        with pytest.raises(Refused, match="append-only"):
            app.run(sql)
    with pytest.raises(psycopg.errors.RestrictViolation):
        app.own.execute("truncate ops.erasure_log")


def test_personal_columns_exist(database: str) -> None:
    with db.connect() as session:
        lost = session.execute(
            "select relation, column_name from ops.personal_columns as p where not exists ("
            " select from pg_attribute where attrelid = to_regclass(p.relation)"
            " and attname = p.column_name)"
        ).fetchall()
    assert lost == []
