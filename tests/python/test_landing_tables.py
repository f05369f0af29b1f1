"""Every landing table takes a file by its name, and the same file changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from landing_files import ask
from record_samples import write_minimal
from warehouse import database
from warehouse.landing.records import land_files
from warehouse.landing.records.landables import landing_tables
from warehouse.landing.records.profile import record_profile


def profile(table: str, **keys: object) -> object:
    return record_profile({"table": table, "source": "acme", "calendar": "24/7", **keys}, where="t")


@pytest.mark.usefixtures("database")
def test_every_table_takes_a_minimal_file(tmp_path: Path) -> None:
    with database.connect() as conn:
        tables = landing_tables(conn)
        files = {name: write_minimal(conn, name, tmp_path) for name in tables}
    assert len(tables) >= 29
    wrong = []
    done: set[str] = set()
    for name in tables:
        for table, path in files[name]:
            (first,) = land_files([path], profile=profile(table))
            (again,) = land_files([path], profile=profile(table))
            found = (first.landed, first.accepted, again.accepted, again.known)
            if found != ((1, 1, 0, 1) if table not in done else (1, 0, 0, 1)):
                reasons = ask(
                    "select rule, reason from ops.quarantine order by quarantine_id desc limit 1"
                )
                wrong.append((table, found, reasons))
            done.add(table)
    assert not wrong, "\n".join(map(str, wrong))


def run(*words: str) -> tuple[int, str, str]:
    """Run `warehouse land …` as a program."""
    done = subprocess.run(
        [sys.executable, "-m", "warehouse.cli", "land", *words], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.usefixtures("database")
class TestCommand:
    HEADER = "agent_id,name,colour\n"

    def test_exit_codes_json_and_ignored_columns(self, tmp_path: Path) -> None:
        path = tmp_path / "agents.csv"
        path.write_text(self.HEADER + "a1,One,red\n")
        code, out, _ = run("agents", str(path), "--source", "acme", "--json")
        (batch,) = json.loads(out)["batches"]
        assert (code, batch["accepted"], batch["ignored"]) == (0, 1, ["colour"])
        path.write_text(self.HEADER + "a1,One,red\na2,,red\n")
        code, out, _ = run("raw_signals.agents", str(path), "--source", "acme")
        assert code == 1
        assert "the table has no place for colour: not landed" in out
        assert "missing_value:name 1" in out

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("agnts", "x.csv", "--source", "a"), "near: raw_signals.agents"),
            (("trades", "x.csv", "--source", "a"), "There are several tables 'trades'"),
            (("positions", "x.csv", "--source", "a"), "is a view"),
            (("agents", "x.csv"), "Neither --source nor a profile"),
            (("agents", "x.csv", "--source", "a"), "does not exist"),
        ],
    )
    def test_errors_say_what_to_do(self, words: tuple[str, ...], told: str) -> None:
        code, _, err = run(*words)
        assert code == 2
        assert told in err.replace("\n", " ")

    def test_the_tables_are_listed(self) -> None:
        code, out, _ = run("--tables", "--json")
        tables = json.loads(out)["tables"]
        assert code == 0
        assert tables["raw_market.ticks"]["kind"] == "ledger"
        assert tables["raw_market.quotes"]["kind"] == "restatable"
        assert tables["raw_trading.orders"]["kind"] == "state"
