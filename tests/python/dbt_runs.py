"""dbt in this process, on the database in force, parsed once for each project."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

from dbt.artifacts.schemas.results import NodeStatus
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.constants import PARTIAL_PARSE_FILE_NAME
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder

from warehouse import config, database, dbt_environment

_parsed: dict[Path, Manifest] = {}
_files: dict[Path, Path] = {}
GOOD = (NodeStatus.Success, NodeStatus.Pass, NodeStatus.NoOp, NodeStatus.Warn)

Moment = Callable[[str, str], bool]
"""Says of a statement that is about to be sent (name of its model, SQL) whether it is the one."""

BACKENDS = """
    select pid from pg_stat_activity
    where datname = current_database() and application_name = 'dbt' and pid <> pg_backend_pid()
"""


def dbt(
    command: str, *arguments: str, project: Path = config.PROJECT,
    at: Moment | None = None, do: Callable[[], object] = lambda: None,
) -> list[Any]:  # fmt: skip
    """Run a dbt command and return its results; fails when any node does.

    `do` is called once, in the middle of the build: just before the statement that `at` accepts.
    """
    failures = dbt_failures(command, *arguments, project=project, at=at, do=do)
    results, bad = failures
    assert not bad, "\n".join(bad)
    return results


def dbt_failures(
    command: str, *arguments: str, project: Path = config.PROJECT,
    at: Moment | None = None, do: Callable[[], object] = lambda: None,
) -> tuple[list[Any], list[str]]:  # fmt: skip
    """Run a dbt command; return its results and what it says of the nodes that failed."""
    raised: list[BaseException] = []
    pending = [at] if at else []

    def see(event: Any) -> None:
        if not pending or event.info.name != "SQLQuery":
            return
        if pending[0](event.data.node_info.node_name, event.data.sql):
            pending.clear()
            try:
                do()
            except BaseException as error:
                raised.append(error)

    done = _invoke(command, *arguments, project=project, callbacks=[see] if at else [])
    if raised:
        raise raised[0]
    results = list(getattr(done.result, "results", []))
    bad = [f"{each.node.name}: {each.message}" for each in results if each.status not in GOOD]
    if done.exception is not None:
        bad.append(str(done.exception))
    return results, bad


def nth(number: int) -> Moment:
    """Accept the statement of a build with this number, counted from 1."""
    numbers = itertools.count(1)
    return lambda _node, _sql: next(numbers) == number


def statement_of(model: str, beginning: str = "") -> Moment:
    """Accept the first statement of a model that holds this text."""
    return lambda node, sql: node == model and beginning in sql


def wait_for_backends(seconds: float = 30.0) -> None:
    """Wait until no backend of a dbt that has ended is left; fails when one is stuck."""
    deadline = time.monotonic() + seconds
    with database.connect("tests", autocommit=True) as conn:
        while left := conn.execute(BACKENDS).fetchall():
            assert time.monotonic() < deadline, f"stuck backends: {left}"
            time.sleep(0.01)


def parsed(project: Path = config.PROJECT) -> Manifest:
    """Return the project as dbt has parsed it, its relations in the database in force."""
    if project not in _parsed:
        done = _run(["parse", *_common(project), "--no-partial-parse"], dbtRunner())
        assert isinstance(done.result, Manifest), done.exception
        _parsed[project] = done.result
        _files[project] = Path(_folder().name) / str(len(_files))
        shutil.copy(_target(project) / PARTIAL_PARSE_FILE_NAME, _files[project])
    _point(_parsed[project], config.connection().dbname)
    _forget_compiled(_parsed[project])
    return _parsed[project]


def _forget_compiled(manifest: Manifest) -> None:
    """Let dbt put ephemeral models into a query again: it notes in the node that it has done so."""
    for node in manifest.nodes.values():
        if getattr(node, "extra_ctes_injected", False):
            node.compiled = node.extra_ctes_injected = False
            node.extra_ctes = []


def _point(manifest: Manifest, database_name: str) -> None:
    """Name another database in a parsed project: parsing it again takes seconds for each test.

    Also in the graph that macros see, which cannot be made anew: a run notes macros in the nodes
    that it calls, and the code of a model would seem to have changed.
    """
    for kind in ("nodes", "sources", "functions"):
        for key, node in getattr(manifest, kind).items():
            seen = manifest.flat_graph[kind][key]
            if node.database == database_name:
                return
            if getattr(node, "relation_name", None):
                node.relation_name = node.relation_name.replace(node.database, database_name, 1)
                seen["relation_name"] = node.relation_name
            node.database = seen["database"] = database_name


def parsed_file(project: Path = config.PROJECT) -> Path:
    """Return what dbt keeps of a parsed project, for processes that shall not parse it again."""
    parsed(project)
    return _files[project]


def load(project: Path, file: Path) -> None:
    """Take a project as another process has parsed it."""
    manifest = Manifest.from_msgpack(file.read_bytes(), decoder=extended_mashumuro_decoder)
    manifest.build_parent_and_child_maps()
    manifest.build_flat_graph()
    _parsed[project] = manifest


@lru_cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder that is removed with this process: a later parse overwrites dbt's own."""
    return tempfile.TemporaryDirectory(prefix="warehouse-parsed-")


def copied_project(folder: Path) -> Path:
    """Copy what dbt reads, to plant a mistake in it."""
    for name in ("models", "macros", "functions", "seeds", "tests/generic", "tests/data"):
        if (config.PROJECT / name).is_dir():
            shutil.copytree(config.PROJECT / name, folder / name)
    shutil.copy(config.PROJECT / "dbt_project.yml", folder)
    return folder


WINDOW_READS = ("feature_engineered_data", "int_indicator_checkpoints")
"""What the run window finds as the last build left it, without a ref()."""


def needed_project(folder: Path, *models: str) -> Path:
    """Copy of the project what some models need."""
    manifest = parsed()
    nodes: dict[str, Any] = {**manifest.nodes, **manifest.functions}
    needed = [f"model.{manifest.metadata.project_name}.{name}" for name in (*models, *WINDOW_READS)]
    for each in needed:
        needed += [
            other for other in getattr(nodes.get(each), "depends_on_nodes", [])
            if other not in needed
        ]  # fmt: skip
    copied_project(folder)
    for name, node in nodes.items():
        if node.resource_type in ("model", "function") and name not in needed:
            (folder / node.original_file_path).unlink()
    return folder


def _invoke(command: str, *arguments: str, project: Path, callbacks: list[Any]) -> dbtRunnerResult:
    runner = dbtRunner(manifest=parsed(project), callbacks=callbacks)
    return _run([command, "--no-write-json", *_common(project), *arguments], runner)


def _common(project: Path) -> list[str]:
    home = config.Home.current()
    return [
        *("--log-level", "none", "--no-use-colors", "--log-level-file", "none"),
        *("--project-dir", str(project), "--profiles-dir", str(config.PROJECT)),
        *("--log-path", str(home.logs), "--target", "embedded"),
        *("--target-path", str(_target(project))),
    ]


def _target(project: Path) -> Path:
    return config.Home.current().path / "target" / project.name


def _run(arguments: list[str], runner: dbtRunner) -> dbtRunnerResult:
    """Invoke dbt in a thread: it inspects its whole stack, and pytest's costs half a second."""
    os.environ.update(dbt_environment.variables(config.connection(), embedded=True))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(runner.invoke, arguments).result()
