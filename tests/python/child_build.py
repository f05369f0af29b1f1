"""A build in a process of its own: `child_build.py killed|whole PROJECT FILE …`, see children.py.

FILE is the project as the tests have parsed it: nothing is parsed again.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from functools import partial
from pathlib import Path

import dbt.cli.main

from children import LIMIT
from dbt_runs import dbt_failures, load, nth, parsed
from warehouse import build
from warehouse.errors import WarehouseError


def killed(project: Path, statement: str, *arguments: str) -> int:
    """Run the models, and be killed before the statement with this number."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    _, bad = dbt_failures("run", *arguments, project=project, at=nth(int(statement)), do=die)
    print(*bad, sep="\n")
    return 1 if bad else 0


def whole(project: Path, *arguments: str) -> int:
    """Do what `warehouse build` does without the gate and the tests."""
    dbt.cli.main.dbtRunner = partial(dbt.cli.main.dbtRunner, parsed(project))
    result = build.BuildResult()
    try:
        with build.one_build():
            build.run_dbt("run", list(arguments), result)
    except WarehouseError as error:
        print(error)
        return 2
    build.print_build(result)
    return 0 if result.success else 2


if __name__ == "__main__":
    faulthandler.dump_traceback_later(LIMIT, exit=True)
    what, folder, file, *rest = sys.argv[1:]
    load(Path(folder), Path(file))
    sys.exit({"killed": killed, "whole": whole}[what](Path(folder), *rest))
