"""What could be wrong with an installation, each with advice."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from warehouse import config
from warehouse.errors import WarehouseError

ENOUGH_DISK_GB = 2
CLOCK_SECONDS = 2.0


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def examine() -> list[Check]:
    """Look at everything; a check that cannot be done is one that failed."""
    checks = [_python, _programs, _home_writable, _disk, _settings, _stale_pid, _server]
    checks += [_port, _migrations, _clock, _dbt, _catalogue]
    return [found for check in checks for found in _run(check)]


def _run(check: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Run one check; its failure is a finding."""
    try:
        yield from check()
    except Exception as error:
        advice = error.do if isinstance(error, WarehouseError) else "see the message"
        told = error.what if isinstance(error, WarehouseError) else f"{error}"
        yield Check(check.__name__.strip("_").replace("_", " "), False, told, advice)


def _embedded() -> bool:
    """Say whether the embedded server is the target."""
    return config.target() == "embedded"


def _python() -> Iterator[Check]:
    """Look at the interpreter."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    fits = sys.version_info[:2] == (3, 11)
    yield Check("python", fits, f"{version} in {sys.prefix}", "" if fits else "make setup")


def _programs() -> Iterator[Check]:
    """Look at the programs of the embedded server."""
    if not _embedded():
        return
    from warehouse import server_files

    program = server_files.wheel_bin() / "postgres"
    done = subprocess.run(  # noqa: S603 (a program of the wheel)
        [str(program), "--version"], capture_output=True, text=True, check=False
    )
    told = done.stdout.strip() or done.stderr.strip() or "does not run"
    advice = "" if done.returncode == 0 else "install it again: rm -rf .venv && make setup"
    yield Check("server programs", done.returncode == 0, told, advice)


def _home_writable() -> Iterator[Check]:
    """Look whether the home, or the folder it is going to be made in, can be written."""
    home = config.Home.current().path
    folder = next(p for p in (home, *home.parents) if p.exists())
    fits = os.access(folder, os.W_OK | os.X_OK)
    advice = "" if fits else "set WAREHOUSE_HOME to a folder of yours"
    yield Check("home", fits, str(home), advice)


def _disk() -> Iterator[Check]:
    """Look for room; the server stops writing when there is none."""
    home = config.Home.current().path
    folder = next(p for p in (home, *home.parents) if p.exists())
    free = shutil.disk_usage(folder).free / 1e9
    fits = free > ENOUGH_DISK_GB
    advice = "" if fits else "free some space, or move: WAREHOUSE_HOME on another disk"
    yield Check("disk", fits, f"{free:,.1f} GB free", advice)


def _settings() -> Iterator[Check]:
    """Look whether the password is readable by its owner only."""
    path = config.Home.current().settings_file
    if not _embedded() or not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    fits = mode & 0o077 == 0
    yield Check("settings file", fits, f"mode {mode:o}", "" if fits else f"chmod 600 {path}")


def _stale_pid() -> Iterator[Check]:
    """Look for a pid file whose server is gone."""
    from warehouse import server_files

    home = config.Home.current()
    if not _embedded() or not home.settings_file.exists():
        return
    data = server_files.data_folder(home)
    recorded, alive = server_files.recorded_pid(data), server_files.server_pid(data)
    stale = recorded is not None and alive is None
    found = f"names pid {recorded}, which is no server" if stale else "as it should be"
    yield Check("pid file", not stale, found, "`warehouse up` recovers" if stale else "")


def _server() -> Iterator[Check]:
    """Ask the server for its version."""
    from warehouse import server

    found = server.version(config.connection())
    advice = "`warehouse up`" if _embedded() else "is it started, and is the password right?"
    told = f"PostgreSQL {found}" if found else "does not answer"
    yield Check("server", found is not None, told, "" if found else advice)


def _port() -> Iterator[Check]:
    """Look whether another program sits on the port of the stopped server."""
    from warehouse import server

    home = config.Home.current()
    if not _embedded() or not home.settings_file.exists():
        return
    state = server.status(home)
    taken = not state.running and state.pid is None and server.port_is_taken(state.port or 0)
    found = "taken by another program" if taken else "as it should be"
    yield Check(f"port {state.port}", not taken, found, "warehouse up --port N" if taken else "")


def _migrations() -> Iterator[Check]:
    """Compare the schema with the migrations."""
    from warehouse import migrate

    states = migrate.status()
    wrong = [f"{s.version} {s.state}" for s in states if s.state != "applied"]
    edited = any(s.state == "edited" for s in states)
    advice = "restore the file, or roll back and migrate" if edited else "`warehouse migrate`"
    found = ", ".join(wrong) or f"{len(states)} applied"
    yield Check("migrations", not wrong, found, advice if wrong else "")


def _clock() -> Iterator[Check]:
    """Compare the clocks: the gate refuses bars of the future."""
    from warehouse import database

    with database.connect("warehouse doctor") as session:
        row = session.execute("select extract(epoch from clock_timestamp())").fetchone()
        zone = session.execute("show timezone").fetchone()
    apart = abs(time.time() - float(row[0])) if row else 0.0
    fits = apart < CLOCK_SECONDS and zone == ("UTC",)
    found = f"{apart:.1f} s apart, session in {zone[0] if zone else '?'}"
    yield Check("clock", fits, found, "" if fits else "set both clocks (NTP)")


def _dbt() -> Iterator[Check]:
    """Look whether dbt's version and profile fit, without the cost of parsing the project."""
    from importlib.metadata import version

    import yaml

    from warehouse import dbt_environment

    dbt = version("dbt-core")
    profiles = yaml.safe_load((config.PROJECT / "profiles.yml").read_text(encoding="utf-8"))
    project = yaml.safe_load((config.PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    outputs = profiles.get(project["profile"], {}).get("outputs", {})
    fits = dbt.startswith("1.11.") and config.target() in outputs
    yield Check("dbt", fits, f"dbt-core {dbt}", "" if fits else "make setup")

    import sysconfig

    hook = Path(sysconfig.get_path("purelib")) / dbt_environment.PTH
    installed = hook.exists() and hook.read_text(encoding="utf-8") == dbt_environment.LINE
    advice = "" if installed else "python -m warehouse.dbt_environment"
    found = "installed" if installed else "missing: dbt by hand does not find the server"
    yield Check("dbt environment", installed, found, advice)


def _catalogue() -> Iterator[Check]:
    """Compare the feature table with the catalogue."""
    from warehouse import catalog

    wrong = catalog.table_differences(catalog.read_catalogue())
    found = "; ".join(wrong or []) or "as the table has it"
    if wrong is None:
        found = "the table is not built yet"
    advice = "`warehouse build --full-refresh`" if wrong else ""
    yield Check("feature catalogue", not wrong, found, advice)
