"""dbt in this process, on the database in force, parsed once for each project and database."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from dbt.artifacts.schemas.results import NodeStatus
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from warehouse import config, dbt_environment

_parsed: dict[tuple[Path, str], Manifest] = {}
GOOD = (NodeStatus.Success, NodeStatus.Pass, NodeStatus.NoOp)


def dbt(command: str, *arguments: str, project: Path = config.PROJECT) -> list[Any]:
    """Run a dbt command and return its results; fails when any node does."""
    where = config.connection()
    os.environ.update(dbt_environment.variables(where, embedded=True))
    home = config.Home.current()
    key = (project, where.dbname)
    common = [
        *("--quiet", "--no-use-colors", "--log-level-file", "info"),
        *("--project-dir", str(project), "--profiles-dir", str(config.PROJECT)),
        *("--log-path", str(home.logs), "--target", "embedded"),
        *("--target-path", str(home.path / "target" / project.name)),
    ]
    if key not in _parsed:
        parsed = dbtRunner().invoke(["parse", *common, "--no-partial-parse"])
        assert isinstance(parsed.result, Manifest), parsed.exception
        _parsed[key] = parsed.result
    done = dbtRunner(manifest=_parsed[key]).invoke([command, *common, *arguments])
    assert done.exception is None, done.exception
    results = list(getattr(done.result, "results", []))
    bad = [f"{each.node.name}: {each.message}" for each in results if each.status not in GOOD]
    assert not bad, "\n".join(bad)
    return results


def manifest(project: Path = config.PROJECT) -> Manifest:
    """Return the manifest that `dbt` has parsed."""
    return next(parsed for (path, _), parsed in _parsed.items() if path == project)


def copied_project(folder: Path) -> Path:
    """Copy what dbt reads, to plant a mistake in it."""
    for name in ("models", "macros", "functions", "seeds", "tests/generic", "tests/data"):
        if (config.PROJECT / name).is_dir():
            shutil.copytree(config.PROJECT / name, folder / name)
    shutil.copy(config.PROJECT / "dbt_project.yml", folder)
    return folder
