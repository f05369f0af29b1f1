"""One build: the gate over what was landed, then dbt, one at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import psycopg

from warehouse import config, currency, database, dbt_environment, output
from warehouse.build_advice import advice
from warehouse.build_lock import one_build
from warehouse.errors import WarehouseError


@dataclass
class BuildResult:
    """What one build did."""

    models: int = 0
    tests_passed: int = 0
    tests_warned: int = 0
    tests_failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    gate_seconds: float | None = None
    gate_passed: bool | None = None
    """None: skipped."""
    failures: dict[str, str] = field(default_factory=dict)
    """Tests that failed: what dbt says of them."""
    errors: dict[str, str] = field(default_factory=dict)
    """Models and tests that could not run."""
    advice: list[str] = field(default_factory=list)
    """What to do about errors whose cause is outside of the models."""
    slowest: dict[str, float] = field(default_factory=dict)
    published: bool = False
    """Whether readers of the marts were given this build."""
    current_since: str | None = None
    """Nothing had to be built: when what readers see was published."""
    log: str = ""

    @property
    def success(self) -> bool:
        """Say whether everything was built and every test passed."""
        return self.gate_passed is not False and not self.failures and not self.errors


def build(
    *,
    select: list[str] | None = None,
    full_refresh: bool = False,
    check: bool = True,
    if_needed: bool = False,
) -> BuildResult:
    """Gate what was landed, then run `dbt build`; nothing is built behind a failed gate.

    `if_needed`: do nothing when nothing landed, expired or was edited since the last publication.

    Raises WarehouseError when the server does not answer, another build runs or dbt cannot start.
    """
    result = BuildResult()
    os.environ[currency.VARIABLE] = project = currency.fingerprint()
    whole = not select and not full_refresh
    if if_needed and whole and (since := currency.current_since(project)):
        result.current_since = since
        return result
    with one_build():
        if check:
            from warehouse.quality.gate import check as run_gate

            started = time.monotonic()
            gate = run_gate()
            result.gate_seconds = time.monotonic() - started
            result.gate_passed = gate.success
            if not gate.success:
                result.failures["gate"] = gate.message
                return result
        arguments = ["--full-refresh"] if full_refresh else []
        for one in select or []:
            arguments += ["--select", one]
        if select:
            # A test of a model that is not built now, and perhaps never was, is not this build's.
            arguments += ["--indirect-selection", "buildable"]
        run_dbt("build", arguments, result)
    return result


def dbt_arguments(command: str, arguments: list[str]) -> list[str]:
    """Return a whole dbt command line: quiet on the terminal, everything in the log."""
    home = config.Home.current()
    # Another home must not share parse state and results with the project's own.
    own = home.path == config.PROJECT / ".warehouse"
    target_path = config.PROJECT / "target" if own else home.path / "target"
    return [
        command,
        *("--log-level", "none", "--log-level-file", "info", "--no-use-colors"),
        *("--project-dir", str(config.PROJECT), "--profiles-dir", str(config.PROJECT)),
        *("--log-path", str(home.logs), "--target-path", str(target_path)),
        *("--target", config.target()),
        *arguments,
    ]


def reach_dbt() -> None:
    """Put into the environment what profiles.yml reads."""
    where = config.connection()
    os.environ.update(
        dbt_environment.variables(where, embedded=config.target() == "embedded"),
        WAREHOUSE_DATABASE=where.dbname,
    )


class CompiledModel(NamedTuple):
    """A model as the next build would run it."""

    relation: str
    sql: str


def compile_models(names: Sequence[str]) -> dict[str, CompiledModel]:
    """Return models as the next build would run them, by name.

    Raises WarehouseError when dbt cannot compile them.
    """
    from dbt.cli.main import dbtRunner

    reach_dbt()
    arguments = dbt_arguments("compile", ["--quiet", "--select", *names])
    done = dbtRunner().invoke(arguments)
    if not done.success or done.result is None:
        did_not_run("compile", done.exception)
    nodes = [item.node for item in done.result.results]
    return {node.name: CompiledModel(node.relation_name, node.compiled_code) for node in nodes}


def did_not_run(command: str, error: BaseException | None) -> NoReturn:
    """Raise WarehouseError: a command of dbt ended without a result."""
    raise WarehouseError(
        f"dbt {command} did not run: {str(error or 'see its log').strip()}",
        where=str(config.Home.current().logs / "dbt.log"),
        do="; ".join(advice([str(error)]))
        or "repair what it names; `warehouse doctor` checks the installation",
    )


def run_dbt(command: str, arguments: list[str], result: BuildResult) -> None:
    """Run dbt in this process and count what it did."""
    started = time.monotonic()
    reach_dbt()
    before = _publications()
    from dbt.cli.main import dbtRunner

    with output.progress() as moved:
        runner = dbtRunner(callbacks=[_mover(moved)] if moved else [])
        done = runner.invoke(dbt_arguments(command, arguments))
    result.seconds = time.monotonic() - started
    result.log = str(config.Home.current().logs / "dbt.log")
    if done.exception is not None or done.result is None:
        did_not_run(command, done.exception)
    for item in done.result.results:
        _count(item, result)
    result.published = _publications() > before
    result.advice = advice(result.errors.values())


def _publications() -> int:
    """Return how often something was published; 0 where that cannot be asked.

    A server that is gone, or a database that is not migrated, is for dbt to tell.
    """
    try:
        with database.connect("warehouse build") as session:
            row = session.execute("select count(*) from ops.publication").fetchone()
    except (WarehouseError, psycopg.errors.UndefinedTable):
        return 0
    return int(row[0]) if row else 0


def _mover(moved: output.Progress) -> Callable[[Any], None]:
    """Return a dbt callback that moves the progress bar."""

    def see(event: Any) -> None:  # noqa: ANN401 (dbt's protobuf message)
        index, total = getattr(event.data, "index", 0), getattr(event.data, "total", 0)
        if index and total:
            moved("building", index, total)

    return see


def _count(item: Any, result: BuildResult) -> None:  # noqa: ANN401 (a result of dbt)
    """Add one node's outcome to the totals."""
    status, name = str(item.status), item.node.name
    is_test = item.node.resource_type in ("test", "unit_test")
    message = " ".join(str(item.message or "").split())
    if item.node.resource_type == "operation" and status == "success":
        return
    if status in ("pass", "success"):
        if is_test:
            result.tests_passed += 1
        else:
            result.models += 1
    elif status == "warn":
        result.tests_warned += 1
    elif status == "fail":
        result.tests_failed += 1
        result.failures[name] = message
    elif status in ("skipped", "partial success", "no-op"):
        result.skipped += 1
    else:
        result.errors[name] = message
    if not is_test:
        result.slowest[name] = round(item.execution_time, 3)
        keep = sorted(result.slowest.items(), key=lambda pair: -pair[1])[:5]
        result.slowest = dict(keep)


def print_build(result: BuildResult) -> None:
    """Print what was built and what went wrong."""
    if result.current_since:
        output.say(f"nothing to do: readers see the build of {result.current_since}")
        return
    gate = {None: "skipped (--no-check)", True: "passed", False: "FAILED"}[result.gate_passed]
    output.table(
        ("gate", "built", "tests passed", "warned", "failed", "skipped", "published", "seconds"),
        [
            (
                gate,
                result.models,
                result.tests_passed,
                result.tests_warned,
                result.tests_failed,
                result.skipped,
                "yes" if result.published else "no, readers keep the build before",
                round(result.seconds + (result.gate_seconds or 0.0), 1),
            )
        ],
    )
    for name, message in {**result.errors, **result.failures}.items():
        output.say(f"  {name}: {message}")
    for do in result.advice:
        output.say(f"what to do: {do}; readers keep what they had")
    if not result.success:
        output.say(f"details: {result.log or config.Home.current().logs}")
