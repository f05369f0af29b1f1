"""Let `dbt run`, typed by hand, reach the embedded server.

dbt reads a profile, a profile reads the environment, and the port and password of an embedded
instance are generated: somebody has to carry them over. A wrapper around dbt would make `dbt` mean
two things; a file with the password in it would be one more secret to keep. So `make setup` puts
one line into a .pth file of the project's own .venv, which calls `activate` whenever dbt (or a
linter that runs dbt) starts there. Every other program only pays a look at its own arguments.
Variables that are already set win. A failure here never stops Python: dbt then says what it lacks.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePath

from warehouse import config, transport
from warehouse.errors import WarehouseError

PROGRAMS = {"dbt", "sqlfluff", "dbt-bouncer"}
MODULES = ("dbt", "sqlfluff", "dbt_bouncer")
OFFLINE = {
    "parse",
    "deps",
    "clean",
    "list",
    "ls",
    "init",
    "--version",
    "--help",
    "-h",
    "lint",
    "fix",
}
"""Words after which no server is needed, so that none being there is no news."""

PTH = "warehouse_dbt_environment.pth"
# Read by `site` at every start of this interpreter: cheap before it imports, silent when it fails.
LINE = (
    "import sys; exec('try:\\n"
    ' if any("dbt" in a or "sqlfluff" in a for a in sys.orig_argv[:6]):\\n'
    "  from warehouse.dbt_environment import activate; activate()\\n"
    "except BaseException: pass')\n"
)


WRITING = {"run", "build", "seed", "retry"}
"""Commands of dbt that write what builds share."""

READING = {"test", "compile", "docs", "show", "run-operation", "source", "debug"} | OFFLINE
"""Its other commands, to tell a command from a word after it."""

_kept: list[object] = []
"""The session with the lock of builds: closed with the process."""


def runs_dbt(arguments: list[str]) -> bool:
    """Say whether a command line (sys.orig_argv) starts dbt or a linter that runs it."""
    words = iter(arguments[1:])
    for word in words:
        if word == "-m":
            module = next(words, "")
            return module.partition(".")[0] in MODULES
        if word == "-c":
            return False
        if word in ("-W", "-X"):
            next(words, None)
        elif not word.startswith("-"):
            return PurePath(word).name in PROGRAMS
    return False


def variables(where: config.Connection, *, embedded: bool) -> dict[str, str]:
    """Return what profiles.yml reads, for the target of a connection."""
    if embedded:
        return {
            "DBT_EMBEDDED_PORT": str(where.port),
            "DBT_ENV_SECRET_EMBEDDED_PASSWORD": where.password,
        }
    return {
        "DBT_ENV_SECRET_WAREHOUSE_PASSWORD": where.password,
        "WAREHOUSE_SSLMODE": where.sslmode,
        "WAREHOUSE_SSLROOTCERT": where.sslrootcert,
        "PGREQUIREAUTH": transport.SCRAM,  # dbt's profile has no word for it
    }


def activate() -> None:
    """Set what profiles.yml reads, unless it is set, when this process is dbt."""
    if not runs_dbt(sys.orig_argv):
        return
    if password := os.environ.get("WAREHOUSE_PASSWORD"):
        os.environ.setdefault("DBT_ENV_SECRET_WAREHOUSE_PASSWORD", password)
        os.environ.setdefault("PGREQUIREAUTH", transport.SCRAM)
    try:
        where = config.Home.current().connection
    except WarehouseError as error:
        needs_server = not OFFLINE.intersection(sys.orig_argv[2:]) and len(sys.orig_argv) > 2
        if needs_server and config.target() == "embedded":
            sys.stderr.write(f"{error}\n")
            return
    else:
        for name, value in variables(where, embedded=True).items():
            os.environ.setdefault(name, value)
    hold_build_lock()


def hold_build_lock() -> None:
    """Take the lock of builds for as long as this dbt runs, if it is free.

    Whether it was is said by dbt itself: the macro check_build_lock names the holder.
    """
    from warehouse.build_lock import try_lock

    words = [word for word in sys.orig_argv[2:] if word in WRITING | READING]
    if words and words[0] in WRITING and not {"--help", "-h"}.intersection(sys.orig_argv):
        _kept.append(try_lock(f"dbt {words[0]}"))


def install() -> Path:
    """Write the .pth file into the site-packages of the running environment."""
    if sys.prefix == sys.base_prefix:
        raise WarehouseError(
            "This is no virtual environment; the interpreter of the system is left alone.",
            where=sys.prefix,
            do="run `make setup`, which makes .venv and calls this in it",
        )
    import sysconfig

    path = Path(sysconfig.get_path("purelib")) / PTH
    path.write_text(LINE, encoding="utf-8")
    return path


if __name__ == "__main__":
    install()
