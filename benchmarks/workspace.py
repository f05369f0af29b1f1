"""A server and databases of the benchmark's own, thrown away at the end."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from warehouse import build, config, database, dbt_environment, migrate, server

TEMPLATE = "benchmark_template"
_STARTED = time.monotonic()


def say(text: str) -> None:
    """Tell on stderr how far the benchmark is."""
    sys.stderr.write(f"[{time.monotonic() - _STARTED:7.1f} s] {text}\n")
    sys.stderr.flush()


@dataclass
class Workspace:
    """Where a benchmark works."""

    folder: Path
    home: config.Home
    version: str = ""
    template: str = TEMPLATE

    @contextmanager
    def fresh(self, name: str) -> Iterator[str]:
        """Give an empty, migrated database to everything that connects, then drop it."""
        with self.maintenance() as session:
            session.execute(f"drop database if exists {name} with (force)")
            session.execute(f"create database {name} template {self.template}")
        before = os.environ.get("WAREHOUSE_DATABASE")
        os.environ["WAREHOUSE_DATABASE"] = name
        try:
            yield name
        finally:
            os.environ.pop("WAREHOUSE_DATABASE")
            if before:
                os.environ["WAREHOUSE_DATABASE"] = before
            with self.maintenance() as session:
                session.execute(f"drop database {name} with (force)")
                session.execute("checkpoint")

    def maintenance(self) -> psycopg.Connection[Any]:
        """Open a session that may create and drop databases."""
        url = self.home.connection.url().rsplit("/", 1)[0] + "/postgres"
        return psycopg.connect(url, autocommit=True)


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Start a server in a temporary home; stop it and remove everything at the end."""
    folder = Path(tempfile.mkdtemp(prefix="warehouse-bench-"))
    folder.chmod(0o755)  # the server's user has to walk in
    own = [name for name in os.environ if name.startswith("WAREHOUSE_")]
    before = {name: os.environ.pop(name) for name in own}
    os.environ["WAREHOUSE_HOME"] = str(folder / "home")
    home = config.Home.current()
    try:
        say(f"starting a server in {folder}")
        state = server.up(home)
        migrate.migrate()
        space = Workspace(folder, home, state.version or "")
        with space.maintenance() as session:
            session.execute(f"create database {TEMPLATE} template {config.DATABASE}")
        warm_up()
        yield space
    finally:
        server.down(home)
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop("WAREHOUSE_HOME", None)
        os.environ.update(before)


def connect() -> psycopg.Connection[Any]:
    """Open an autocommitting session with the current database."""
    return database.connect("benchmark", autocommit=True)


def settle() -> None:
    """Write out what earlier work left behind, so that it does not slow the next step."""
    with connect() as session:
        session.execute("checkpoint")


def timed(work: Callable[[], object], *, runs: int = 1) -> float:
    """Return the median of the seconds that some work takes."""
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return median(seconds)


def warm_up() -> None:
    """Import dbt and parse the project once: the peers' libraries are imported before too."""
    os.environ.update(
        dbt_environment.variables(config.connection(), embedded=True),
        WAREHOUSE_DATABASE=config.DATABASE,
    )
    from dbt.cli.main import dbtRunner

    done = dbtRunner().invoke(build.dbt_arguments("parse", []))
    os.environ.pop("WAREHOUSE_DATABASE")
    if done.exception is not None:
        raise done.exception


def dbt_build(*select: str, full_refresh: bool = False, threads: int | None = None) -> float:
    """Build some models, or all, as `warehouse build` does without gate and tests."""
    arguments = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    arguments += ["--select", *select] if select else []
    arguments += ["--full-refresh"] if full_refresh else []
    arguments += ["--threads", str(threads)] if threads else []
    result = build.BuildResult()
    began = time.perf_counter()
    build.run_dbt("build", arguments, result)
    seconds = time.perf_counter() - began
    if result.errors:
        raise RuntimeError(f"dbt failed, see {result.log}: {result.errors}")
    return seconds


def model_seconds() -> dict[str, float]:
    """Return the seconds of each model in the latest build."""
    with connect() as session:
        rows = session.execute(
            """
            select split_part(model, '.', 3), seconds from ops.model_runs
            where run_id = (select run_id from ops.model_runs order by finished_at desc limit 1)
                and starts_with(model, 'model.')
            order by seconds desc
            """
        ).fetchall()
    return {str(name): round(float(seconds), 2) for name, seconds in rows}


def machine(space: Workspace) -> dict[str, Any]:
    """Return what the numbers depend on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": cores,
        "memory_gb": round(memory),
        "processor": _processor(),
        "postgresql": space.version,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def _processor() -> str:
    """Return the name of the processor where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
