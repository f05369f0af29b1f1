"""Seals of the audit: no way of tampering stays unseen, and no late commit is lost."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from audited import OPEN, UPDATE, accounts, found
from warehouse import audit
from warehouse import database as db
from warehouse.cli import app
from warehouse.errors import WarehouseError

__all__ = ["accounts"]

# What a superuser does once the triggers of the audit itself are off, and what names it.
TAMPERED = {
    "edit an image": (
        "update audit.row_changes set after = after || '{\"balance\": 99}' where change_seq = 3",
        {("row edited", "A3"), ("row differs", "A3")},
    ),
    "edit the actor": (
        "update audit.row_changes set actor = 'nobody' where change_seq = 3",
        {("row edited", "A3")},
    ),
    "edit the time": (
        "update audit.row_changes set at = at - interval '1 microsecond' where change_seq = 9",
        {("row edited", "A9")},
    ),
    "delete a row": (
        "delete from audit.row_changes where change_seq = 5",
        {("row deleted", "5"), ("row not audited", "A5")},
    ),
    "swap two rows": (
        "update audit.row_changes set change_seq = -change_seq where change_seq in (2, 7);"
        "update audit.row_changes set change_seq = 9 + change_seq where change_seq in (-2, -7)",
        {("row moved", "A7"), ("row moved", "A2")},
    ),
    "insert into a sealed range": (
        "delete from audit.row_changes where change_seq = 5;"
        "insert into audit.row_changes (change_seq, relation, key, operation, after) overriding"
        " system value values (5, 'raw_test.accounts', '{\"account_id\": \"A5\", \"part\": 1}',"
        " 'INSERT', '{\"account_id\": \"A5\", \"part\": 1, \"balance\": 5}')",
        {("row edited", "A5")},
    ),
    "edit the list of a seal too": (
        "update audit.row_changes set actor = 'nobody' where change_seq = 3;"
        "update audit.seals set row_hashes[3] = (select audit.row_hash(r) from audit.row_changes"
        " as r where change_seq = 3)",
        {("seal edited", "its list of row hashes does not give its root")},
    ),
    "edit the root too": (
        "update audit.row_changes set actor = 'nobody' where change_seq = 3;"
        "update audit.seals set row_hashes[3] = (select audit.row_hash(r) from audit.row_changes"
        " as r where change_seq = 3);"
        "update audit.seals set root = audit.seal_root(change_seqs, row_hashes)",
        {("seal edited", "its fields do not give its hash")},
    ),
    "switch the triggers of a table off": (
        "alter table raw_test.accounts disable trigger all;"
        "update raw_test.accounts set balance = 99 where account_id = 'A6'",
        {
            ("audit off", "trigger accounts_audit is missing or off"),
            ("audit off", "trigger accounts_audit_update is missing or off"),
            ("audit off", "trigger accounts_audit_delete is missing or off"),
            ("audit off", "trigger accounts_audit_truncate is missing or off"),
            ("row differs", "A6"),
        },
    ),
    "switch them off and on again": (
        "alter table raw_test.accounts disable trigger all;"
        "delete from raw_test.accounts where account_id = 'A6';"
        "insert into raw_test.accounts values ('A0', 1, 0);"
        "alter table raw_test.accounts enable always trigger all",
        {("row lost", "A6"), ("row not audited", "A0")},
    ),
    "drop a trigger": (
        "drop trigger accounts_audit_update on raw_test.accounts",
        {("audit off", "trigger accounts_audit_update is missing or off")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", TAMPERED)
def test_tampering_is_found_and_named(accounts: psycopg.Connection, way: str) -> None:
    statements, expected = TAMPERED[way]
    accounts.execute(OPEN + statements.replace("enable always trigger all", "enable trigger all"))
    if "enable always" in statements:
        for suffix in ("", "_update", "_delete", "_truncate"):
            accounts.execute(
                f"alter table raw_test.accounts enable always trigger accounts_audit{suffix}"
            )
    assert set(found()) == expected


def test_a_seal_in_the_middle_cannot_go(accounts: psycopg.Connection) -> None:
    for balance in (70, 71):
        accounts.execute(
            f"update raw_test.accounts set balance = {balance} where account_id = 'A1'"
        )
        audit.seal()
    accounts.execute(OPEN + "delete from audit.seals where seal_no = 2")
    assert ("seal missing", "no seal between 1 and 3") in found()
    accounts.execute("update audit.seals set seal_no = 2 where seal_no = 3")
    assert ("chain broken", "it does not follow from seal 1") in found()


def test_an_anchor_notices_what_the_chain_alone_cannot(
    accounts: psycopg.Connection, tmp_path: Path
) -> None:
    file = tmp_path / "heads.jsonl"
    audit.write_anchor(file)
    accounts.execute("update raw_test.accounts set balance = 0 where account_id = 'A1'")
    audit.seal()
    audit.write_anchor(file)
    assert len(file.read_text().splitlines()) == 2
    assert audit.verify(file).findings == []

    # The last change, its evidence and its seal are gone, and so is all that points at them.
    accounts.execute(OPEN + "alter table raw_test.accounts disable trigger accounts_audit_update")
    accounts.execute(
        "update raw_test.accounts set balance = 1 where account_id = 'A1';"
        "delete from audit.row_changes where change_seq > 9;"
        "delete from audit.seals where seal_no > 1;"
        "alter table raw_test.accounts enable always trigger accounts_audit_update"
    )
    assert found() == []
    assert [f.detail.split(", ")[::2] for f in audit.verify(file).findings] == [
        ["seal 2", "is gone"]
    ]

    # And sealed anew, from the first row on.
    accounts.execute(
        "update audit.row_changes set actor = 'nobody';"
        "delete from audit.seals; delete from audit.marks"
    )
    assert audit.seal().head == 1
    assert found() == []
    findings = audit.verify(file).findings
    assert {(f.finding, f.seal_no) for f in findings} == {
        ("anchor broken", 1),
        ("anchor broken", 2),
    }
    assert "the chain was rewritten" in findings[0].detail


def test_a_late_commit_never_falls_into_a_sealed_range(accounts: psycopg.Connection) -> None:
    with db.connect("slow writer") as slow:
        slow.execute("update raw_test.accounts set balance = 0 where account_id = 'A1'")
        accounts.execute("update raw_test.accounts set balance = 0 where account_id = 'A2'")
        done = audit.seal(patience=0.2)
        assert (done.rows, done.unsealed) == (0, 1)
        assert "slow writer" in done.waiting_for
        # Begun after the mark: does not hold up what was marked, and is not in it.
        slow.commit()
        slow.execute("update raw_test.accounts set balance = 1 where account_id = 'A1'")
        assert audit.seal(patience=0.2).rows == 2
        slow.commit()
    assert audit.seal().rows == 1
    assert audit.verify().findings == []


def test_sealing_beside_writers_keeps_every_row(accounts: psycopg.Connection) -> None:
    def write(account: str) -> None:
        with db.connect("writer") as session:
            for n in range(40):
                values = [-n, account]
                session.execute(f"{UPDATE} set balance = %s where account_id = %s", values)
                (session.rollback if n % 5 == 0 else session.commit)()

    writers = [threading.Thread(target=write, args=[f"A{n}"]) for n in range(1, 5)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        audit.seal()
    assert audit.seal().unsealed == 0
    told = audit.verify()
    assert (told.findings, told.sealed) == ([], 9 + 4 * 32)
    assert told.seals > 2


def test_a_mark_is_refused_in_a_transaction_that_writes(accounts: psycopg.Connection) -> None:
    with db.connect() as session:
        session.execute("select pg_current_xact_id()")
        with pytest.raises(psycopg.errors.ActiveSqlTransaction):
            session.execute("select audit.mark()")


def test_commands_say_what_they_found(accounts: psycopg.Connection, tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert "nothing" not in run(app, ["audit", "seal"]).output
    file = str(tmp_path / "heads.jsonl")
    assert run(app, ["audit", "anchor", file]).exit_code == 0
    told = run(app, ["audit", "verify", "--anchor", file])
    assert (told.exit_code, told.output.startswith("0 findings in 9 sealed rows")) == (0, True)
    accounts.execute(OPEN + "delete from audit.row_changes where change_seq = 4")
    told = run(app, ["audit", "verify", "--json"])
    assert told.exit_code == 1
    assert json.loads(told.output)["findings"][0]["finding"] == "row deleted"
    assert "row deleted" in run(app, ["audit", "verify"]).output


def test_anchors_that_cannot_be_read_or_made(database: str, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="Nothing is sealed"):
        audit.write_anchor(tmp_path / "heads")
    for text in ("", "no json", '{"seal_no": 1}'):
        (tmp_path / "heads").write_text(text)
        with pytest.raises(WarehouseError, match="anchor"):
            audit.verify(tmp_path / "heads")
