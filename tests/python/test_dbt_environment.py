"""dbt typed by hand finds the embedded server, and no other program notices."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from warehouse import config, dbt_environment, server
from warehouse.errors import WarehouseError

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python .venv/bin/dbt run", True),
        ("python -X dev -W error /x/bin/dbt", True),
        ("python -m dbt.cli.main build", True),
        ("python -m sqlfluff lint", True),
        ("python /x/bin/dbt-bouncer", True),
        ("python /home/dbt/script.py", False),
        ("python -c import_dbt dbt", False),
        ("python -m pytest dbt", False),
        ("python", False),
    ],
)
def test_which_programs_run_dbt(line: str, expected: bool) -> None:
    assert dbt_environment.runs_dbt(line.split()) is expected


def run_dbt(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    logs = arguments[arguments.index("--log-path") + 1]
    environment.setdefault("DBT_TARGET_PATH", logs)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "WAREHOUSE_"))}
    return subprocess.run(
        [str(BIN / "dbt"), *arguments],
        cwd=config.PROJECT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_dbt_by_hand_reaches_the_embedded_server(home: config.Home, tmp_path: Path) -> None:
    words = ("debug", "--connection", "--log-path", str(tmp_path))
    done = run_dbt(*words, WAREHOUSE_HOME=str(home.path))
    assert done.returncode == 0, done.stdout
    assert "OK connection ok" in done.stdout
    told = done.stdout + "".join(p.read_text() for p in tmp_path.glob("*.log"))
    assert home.connection.password not in told


def test_target_server_takes_the_password_of_the_command_line(
    home: config.Home, tmp_path: Path
) -> None:
    where = home.connection
    words = ("debug", "--connection", "--log-path", str(tmp_path))
    done = run_dbt(
        *words,
        WAREHOUSE_TARGET="server",
        WAREHOUSE_HOST=where.host,
        WAREHOUSE_PORT=str(where.port),
        WAREHOUSE_USER=where.user,
        WAREHOUSE_PASSWORD=where.password,
        WAREHOUSE_DATABASE="postgres",
        WAREHOUSE_HOME=str(tmp_path / "none"),
    )
    assert "OK connection ok" in done.stdout, done.stdout


def test_without_an_instance_dbt_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "orig_argv", ["python", "/x/dbt", "run"])
    dbt_environment.activate()
    assert "warehouse up" in capsys.readouterr().err
    monkeypatch.setattr(sys, "orig_argv", ["python", "/x/dbt", "parse"])
    dbt_environment.activate()
    assert capsys.readouterr().err == ""


def test_variables_that_are_set_win(home: config.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.path))
    monkeypatch.setenv("DBT_EMBEDDED_PORT", "4711")
    name = "DBT_ENV_SECRET_EMBEDDED_PASSWORD"
    monkeypatch.setenv(name, "mine")
    monkeypatch.setattr(sys, "orig_argv", ["python", "/x/dbt", "run"])
    dbt_environment.activate()
    assert os.environ["DBT_EMBEDDED_PORT"] == "4711"
    assert os.environ[name] == "mine"


def test_the_line_never_stops_python_and_imports_nothing(tmp_path: Path) -> None:
    """In an environment without this package, and with a program whose name asks for it."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    site = next((tmp_path / "env" / "lib").glob("python3*")) / "site-packages"
    (site / dbt_environment.PTH).write_text(dbt_environment.LINE)
    script = tmp_path / "dbt"
    script.write_text("print('went on')")
    python = str(tmp_path / "env" / "bin" / "python")
    done = subprocess.run([python, str(script)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("went on\n", "")

    code = "import sys; print('warehouse' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_hook_is_installed_and_only_into_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import sysconfig

    path = Path(sysconfig.get_path("purelib")) / dbt_environment.PTH
    assert path.read_text() == dbt_environment.LINE
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    with pytest.raises(WarehouseError, match="no virtual environment"):
        dbt_environment.install()


def test_database_variable_overrides_the_name(database: str, home: config.Home) -> None:
    assert config.connection().dbname == database
    assert home.connection.dbname == config.DATABASE
    assert server.version(config.connection()) is not None
