"""The audit: what is recorded of a change, and what is not."""

from __future__ import annotations

import psycopg
import pytest

from audited import SUPERUSER, accounts
from warehouse import audit
from warehouse import database as db

__all__ = ["accounts"]


def changes(session: psycopg.Connection) -> list[tuple]:
    return session.execute(
        "select operation, key ->> 'account_id', before ->> 'balance', after ->> 'balance',"
        " changed_columns from audit.row_changes where change_seq > 9 order by change_seq"
    ).fetchall()


def test_every_verb_is_recorded_with_both_images(accounts: psycopg.Connection) -> None:
    accounts.execute("update raw_test.accounts set balance = balance * 10 where account_id <= 'A2'")
    accounts.execute("update raw_test.accounts set balance = balance")
    accounts.execute("update raw_test.accounts set secret = 'louder' where account_id = 'A3'")
    accounts.execute("update raw_test.accounts set account_id = 'B4' where account_id = 'A4'")
    accounts.execute("delete from raw_test.accounts where account_id in ('A8', 'A9')")
    assert sorted(changes(accounts), key=lambda row: row[:2]) == [
        ("DELETE", "A8", "8", None, None),
        ("DELETE", "A9", "9", None, None),
        ("UPDATE", "A1", "1", "10", ["balance"]),
        ("UPDATE", "A2", "2", "20", ["balance"]),
        ("UPDATE", "A3", "3", "3", ["secret"]),
        ("UPDATE", "A4", "4", None, None),
        ("UPDATE", "B4", None, "4", None),
    ]
    accounts.execute("truncate raw_test.accounts")
    gone = accounts.execute(
        "select count(*) from audit.audit_trail"
        " where table_name = 'raw_test.accounts' and operation = 'TRUNCATE'"
    ).fetchone()
    assert gone == (7,)
    assert audit.verify().findings == []


def test_actor_and_role_are_those_of_the_session(accounts: psycopg.Connection) -> None:
    accounts.execute("set role pg_read_all_data; reset role; set application_name = 'desk 7'")
    accounts.execute("grant all on schema raw_test to pg_monitor")
    accounts.execute("grant all on raw_test.accounts to pg_monitor")
    accounts.execute("set role pg_monitor")
    accounts.execute("update raw_test.accounts set balance = 0 where account_id = 'A1'")
    accounts.execute("reset role")
    row = accounts.execute(
        "select actor, acting_as, application, transaction_id is not null, at <= clock_timestamp()"
        " from audit.row_changes order by change_seq desc limit 1"
    ).fetchone()
    assert row == ("warehouse", "pg_monitor", "desk 7", True, True)


def test_hidden_columns_and_personal_data_stay_outside(accounts: psycopg.Connection) -> None:
    accounts.execute("update raw_test.accounts set secret = 'x', balance = 0")
    seen = accounts.execute(
        "select count(*) from audit.row_changes as r where r::text ~ 'hush'"
    ).fetchone()
    assert seen == (0,)
    accounts.execute("create table raw_test.users_pii (id int primary key)")
    with pytest.raises(psycopg.errors.CheckViolation, match="never enters the audit"):
        accounts.execute("select audit.watch('raw_test.users_pii')")
    accounts.execute("create table raw_test.keyless (id int)")
    with pytest.raises(psycopg.errors.InvalidTableDefinition, match="no primary key"):
        accounts.execute("select audit.watch('raw_test.keyless')")


def test_rows_before_the_watch_are_its_baseline(accounts: psycopg.Connection) -> None:
    accounts.execute("create table raw_test.old (id int primary key, v text)")
    accounts.execute("insert into raw_test.old values (1, 'a'), (2, 'b')")
    accounts.execute("select audit.watch('raw_test.old')")
    accounts.execute("select audit.watch('raw_test.old')")
    assert audit.verify().findings == []
    accounts.execute("alter table raw_test.old add column fresh text default 'x', drop column v")
    assert audit.verify().findings == []


def test_a_row_trigger_as_seed_a_writes_it(accounts: psycopg.Connection) -> None:
    accounts.execute("set search_path = raw_test, audit")
    accounts.execute("create table trades (trade_id int primary key, price numeric)")
    accounts.execute(
        "CREATE TRIGGER trigger_audit_trades AFTER INSERT OR UPDATE OR DELETE ON trades"
        " FOR EACH ROW EXECUTE FUNCTION log_audit_trail()"
    )
    accounts.execute("insert into trades values (1, 2)")
    accounts.execute("update trades set price = 3")
    accounts.execute("delete from trades")
    rows = accounts.execute(
        "select operation, record_id, old_values, new_values, changed_columns from audit_trail"
        " where table_name = 'raw_test.trades' order by id"
    ).fetchall()
    one = {"trade_id": 1}
    assert rows == [
        ("INSERT", one, None, {**one, "price": 2}, None),
        ("UPDATE", one, {**one, "price": 2}, {**one, "price": 3}, ["price"]),
        ("DELETE", one, {**one, "price": 3}, None, None),
    ]


def test_settings_of_a_session_change_no_image(accounts: psycopg.Connection) -> None:
    accounts.execute("set timezone = 'Asia/Tokyo'; set extra_float_digits = 0")
    accounts.execute("update raw_test.accounts set balance = 1.50 where account_id = 'A1'")
    audit.seal()
    assert accounts.execute("select count(*) from audit.verify()").fetchone() == (0,)


@pytest.mark.parametrize("what", ["row_changes", "seals"])
@pytest.mark.parametrize(
    "verb", ["update audit.{} set {} = null", "delete from audit.{}", "truncate audit.{}"]
)
def test_the_audit_is_append_only(accounts: psycopg.Connection, what: str, verb: str) -> None:
    column = {"row_changes": "before", "seals": "root"}[what]
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        accounts.execute(SUPERUSER + verb.format(what, column))


def test_what_the_warehouse_watches_by_itself(database: str) -> None:
    with db.connect("tests", autocommit=True) as session:
        session.execute(
            "insert into ops.batches (dataset, source, file, landed, accepted, known, quarantined)"
            " values ('users', 'app', 'u.csv', 1, 0, 0, 1)"
        )
        session.execute(
            "insert into ops.quarantine"
            " (batch_id, dataset, source, file, line, rule, rules, reason, payload)"
            """ values (1, 'users', 'app', 'u', 2, 'r', '{r}', 'why', '{"email": "a@b.org"}')"""
        )
        session.execute('update ops.quarantine set payload = \'{"email": "bob@example.org"}\'')
        rows = session.execute(
            "select operation, changed_columns, r::text from audit.row_changes as r"
            " where relation = 'ops.quarantine'"
        )
        [(operation, columns, text)] = rows.fetchall()
    assert (operation, columns) == ("UPDATE", ["original_payload", "payload"])
    assert "@" not in text
