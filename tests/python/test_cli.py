"""The command line: exit codes, JSON, messages; nothing secret, nothing slow."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from warehouse import build, build_lock, cli, config, currency, output
from warehouse import database as db
from warehouse.errors import WarehouseError

COMMANDS = (
    "up",
    "down",
    "status",
    "url",
    "migrate",
    "land",
    "withdraw",
    "rename",
    "check",
    "build",
    "report",
)
COMMANDS += ("doctor", "demo", "simulate", "export")
HEADER = "symbol,date,open,high,low,close,volume\n"
GOOD = "AAA,2024-01-02,10,11,9,10.5,100\nAAA,2024-01-03,10,11,9,10.5,100\n"
BAD = "AAA,2024-01-04,10,8,9,10.5,100\n"
PROFILE = """
source: written_in_the_file
timeframe: 1d
timezone: America/New_York
label: start
calendar: XNYS
adjusted: none
columns: {symbol: symbol, timestamp: date, open: open, high: high, low: low, close: close,
  volume: volume}
"""


def warehouse(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words))


@pytest.fixture
def profile(tmp_path: Path) -> str:
    path = tmp_path / "acme.yml"
    path.write_text(PROFILE)
    return str(path)


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str], str]:
    def write(body: str) -> str:
        path = tmp_path / "bars.csv"
        path.write_text(HEADER + body)
        return str(path)

    return write


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(tmp_path / "none"))


def test_the_command_line_imports_nothing_heavy_before_it_is_needed() -> None:
    code = "import sys, warehouse.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pandas", "numpy", "dbt", "great_expectations", "sqlalchemy", "psycopg", "alembic"}
    assert not heavy & set(done.stdout.split())


def test_every_command_has_help_with_an_example() -> None:
    top = warehouse("--help").output
    assert "Exit codes" in top
    for command in COMMANDS:
        assert command in top
        told = warehouse(command, "--help").output
        assert "Examples:" in told, command
        assert "$ " in told, command
    for kind in ("bars", "yahoo", "instruments", "symbol_history", "corporate_actions"):
        assert "Examples:" in warehouse("land", kind, "--help").output, kind


def test_wrong_usage_is_an_error() -> None:
    assert warehouse("no-such-command").exit_code == 2
    assert warehouse("land", "bars").exit_code == 2
    assert warehouse("migrate", "--status", "--rollback").exit_code == 2


@pytest.mark.usefixtures("no_server")
def test_status_without_an_instance() -> None:
    done = warehouse("status", "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["running"] is False
    assert "warehouse up" in told["problem"]


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("words", [("url",), ("migrate",), ("build", "--no-check"), ("check",)])
def test_no_server_is_an_error_that_says_what_to_do(words: tuple[str, ...]) -> None:
    done = warehouse(*words)
    assert done.exit_code == 2
    assert "warehouse up" in done.stderr
    assert done.stdout == ""


@pytest.mark.usefixtures("no_server")
def test_errors_are_json_for_a_program() -> None:
    told = json.loads(warehouse("migrate", "--json").stdout)
    assert set(told["error"]) == {"what", "where", "do"}


def test_only_url_shows_the_password(database: str, home: config.Home) -> None:
    secret = home.connection.password
    url = warehouse("url").stdout.strip()
    with psycopg.connect(url) as session:
        assert session.execute("select current_database()").fetchone() == (database,)
    for words in (("status",), ("status", "--json"), ("doctor",), ("doctor", "--json"), ("up",)):
        assert secret not in warehouse(*words).output
    assert secret not in repr(home.connection)


def test_migrate_status_and_rollback(empty_database: str) -> None:
    told = json.loads(warehouse("migrate", "--status", "--json").stdout)
    assert {m["state"] for m in told["migrations"]} == {"pending"}
    assert "create table raw_market.bars" in warehouse("migrate", "--dry-run").stdout
    assert "applied: 0001" in warehouse("migrate").stdout
    assert "nothing to do" in warehouse("migrate").stdout
    assert "taken back" in warehouse("migrate", "--rollback").stdout
    last = json.loads(warehouse("migrate", "--status", "--json").stdout)["migrations"][-1]
    assert last["state"] == "pending"


def test_doctor_finds_pending_migrations(empty_database: str) -> None:
    done = warehouse("doctor", "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.exit_code == 1
    assert found["migrations"]["ok"] is False
    assert "warehouse migrate" in found["migrations"]["advice"]
    for name in ("python", "server programs", "server", "settings file", "pid file", "clock"):
        assert found[name]["ok"], found[name]


@pytest.mark.usefixtures("no_server")
def test_doctor_without_an_instance() -> None:
    done = warehouse("doctor")
    assert done.exit_code == 1
    assert "warehouse up" in done.stdout


def test_land_accepted_is_0_and_the_same_again_too(
    database: str, csv: Callable[[str], str], profile: str
) -> None:
    words = ("land", "bars", csv(GOOD), "--source", "acme", "--profile", profile, "--json")
    first = warehouse(*words)
    assert first.exit_code == 0, first.output
    batch = json.loads(first.stdout)["batches"][0]
    assert (batch["landed"], batch["accepted"], batch["known"]) == (2, 2, 0)
    again = json.loads(warehouse(*words).stdout)["batches"][0]
    assert (again["landed"], again["accepted"], again["known"]) == (2, 0, 2)
    with db.connect() as session:
        sources = session.execute("select distinct source from raw_market.bars").fetchall()
    assert sources == [("acme",)]


def test_land_with_a_bad_row_is_1_and_says_where_to_look(
    database: str, csv: Callable[[str], str], profile: str
) -> None:
    done = warehouse("land", "bars", csv(GOOD + BAD), "--source", "acme", "--profile", profile)
    assert done.exit_code == 1, done.output
    assert "high_lt" in done.stdout
    assert "from ops.quarantine" in done.stdout
    assert "land --replay" in done.stdout


def test_land_unknown_source_names_the_shipped_ones(csv: Callable[[str], str]) -> None:
    done = warehouse("land", "bars", csv(GOOD), "--source", "acme")
    assert done.exit_code == 2
    assert "yahoo" in done.stderr
    assert "--profile" in done.stderr


@pytest.mark.parametrize("option", [("--timeframe", "7x"), ("--calendar", "XXXX")])
def test_land_with_a_wrong_option(
    csv: Callable[[str], str], profile: str, option: tuple[str, str]
) -> None:
    words = ("land", "bars", csv(GOOD), "--source", "acme", "--profile", profile, *option)
    done = warehouse(*words)
    assert done.exit_code == 2
    assert option[1] in done.stderr
    assert "Traceback" not in done.output


def test_land_missing_file(database: str, profile: str) -> None:
    done = warehouse("land", "bars", "no/such.csv", "--source", "acme", "--profile", profile)
    assert done.exit_code == 2
    assert "no/such.csv" in done.stderr


def test_land_nothing_named() -> None:
    done = warehouse("land")
    assert done.exit_code == 2
    assert "--source" in done.stderr


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.migrate.migrate", raising(KeyboardInterrupt()))
    done = warehouse("migrate")
    assert done.exit_code == 130
    assert "nothing was half-" in done.stderr


def test_interrupted_landing_leaves_nothing(
    database: str, csv: Callable[[str], str], profile: str
) -> None:
    """A real Ctrl-C while the landing waits, with everything read, for its turn to write."""
    program = str(Path(sys.executable).parent / "warehouse")
    words = ["land", "bars", csv(GOOD), "--source", "acme", "--profile", profile]
    with db.connect("in the way") as other:
        other.execute("lock table raw_market.bars in access exclusive mode")
        with subprocess.Popen(
            [program, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as landing:
            waiting = "select from pg_locks where not granted and database = (select oid from"
            waiting += " pg_database where datname = current_database())"
            with db.connect("watch", autocommit=True) as watch:
                while not watch.execute(waiting).rowcount:
                    assert landing.poll() is None, landing.communicate()
                    time.sleep(0.1)
            landing.send_signal(signal.SIGINT)
            told = landing.communicate(timeout=60)[1]
    assert landing.returncode == 130, told
    assert "nothing was half-landed" in told
    assert "Traceback" not in told
    with db.connect() as session:
        left = session.execute(
            "select (select count(*) from raw_market.bars) + (select count(*) from ops.batches)"
        ).fetchone()
    assert left == (0,)
    assert warehouse(*words).exit_code == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.errors.DiskFull("could not extend file"), "free some space"),
        (OSError(28, "No space left on device"), "free some space"),
        (psycopg.errors.UndefinedTable("relation does not exist"), "warehouse migrate"),
        (psycopg.errors.LockNotAvailable("lock timeout"), "pg_stat_activity"),
        (psycopg.OperationalError("server closed the connection"), "warehouse status"),
        (WarehouseError("a", where="b", do="c"), "what to do: c"),
        (ZeroDivisionError("division by zero"), "report it"),
    ],
)
def test_failures_are_explained(
    monkeypatch: pytest.MonkeyPatch, error: Exception, expected: str
) -> None:
    monkeypatch.setattr("warehouse.migrate.migrate", raising(error))
    done = warehouse("migrate")
    assert done.exit_code == 2
    assert expected in done.stderr


def test_one_build_at_a_time_names_the_other(database: str) -> None:
    with db.connect("nightly of ann", autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", [build_lock.LOCK])
        done = warehouse("build", "--no-check")
        assert done.exit_code == 2
        assert "nightly of ann" in done.stderr
        assert str(other.info.backend_pid) in done.stderr


def test_build_runs_dbt_and_counts(database: str) -> None:
    done = warehouse("build", "--no-check", "--select", "+path:models/staging", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0, told["errors"]
    assert told["models"] > 0
    assert told["gate_passed"] is None
    assert told["success"] is True


def test_nothing_is_built_behind_a_closed_gate(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = SimpleNamespace(success=False, message="The gate is closed: null_ohlc")
    monkeypatch.setattr("warehouse.quality.gate.check", lambda: closed)
    monkeypatch.setattr(build, "run_dbt", raising(AssertionError("dbt ran")))
    done = warehouse("build")
    assert done.exit_code == 1, done.output
    assert "null_ohlc" in done.stdout
    assert "FAILED" in done.stdout


def test_demo_asks_the_gate_only_when_it_is_due(
    database: str, csv: Callable[[str], str], profile: str
) -> None:
    due = currency.gate_is_due
    words = ("land", "bars", csv(GOOD), "--source", "acme", "--profile", profile)
    assert due()
    assert warehouse(*words).exit_code == 0
    checked = warehouse("check", "--json")
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["success"] is True
    assert not due()
    assert warehouse(*words).exit_code == 0
    assert not due()
    csv(GOOD.replace("10.5", "10.6"))
    assert warehouse(*words).exit_code == 0
    assert due()


def test_no_progress_bar_without_a_terminal() -> None:
    with output.progress() as moved:
        assert moved is None


def test_json_knows_every_value() -> None:
    odd = {"nan": float("nan"), "path": Path("x"), "set": {1}, 2: config.Home(Path("y"))}
    assert json.loads(json.dumps(output.plain(odd)))["nan"] is None
