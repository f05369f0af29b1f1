"""A real server with TimescaleDB to test on: Debian's Apache edition in a folder of its own.

`make timescale` installs it (half a minute and 400 MB a version); the fixtures of conftest.py do
so when they need it. Nothing is installed on the machine: apt fetches the program that fills the
folder, and the server runs in a chroot on loopback. That takes root and a Debian mirror.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from warehouse import config

SUITES = {18: "forky", 17: "trixie"}
"""Where Debian has the extension for a version of PostgreSQL."""

FOLDER = config.PROJECT / ".timescale"

IS_REQUIRED = os.environ.get("TIMESCALE_REQUIRED") == "1"
"""Set by CI: there a server that is missing is a failure, elsewhere a skip."""

# Read now: the tests' environment is cleared of the user's own settings.
COMMUNITY_URL = os.environ.get("WAREHOUSE_TEST_COMMUNITY_URL")
"""A server of the Community edition, to be found by its superuser `warehouse`; Debian has none."""

LOW_LIMIT = (
    "alter database {} set timescaledb.max_tuples_decompressed_per_dml_transaction = 1".format
)
"""100,000 by default, which hides in small data what breaks in large."""

DATA = "/var/lib/postgresql/warehouse"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    # Its scheduler would sit in every database, and a database in use cannot be copied.
    "timescaledb.max_background_workers": "0",
    # A chroot has no /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "max_locks_per_transaction": "256",
    # The tests may throw everything away.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class Missing(Exception):
    """Why there can be no such server here."""


def install(version: int) -> Path:
    """Return the folder that holds the server, made now when there is none."""
    root = FOLDER / str(version)
    if root.is_dir():
        return root
    if os.geteuid() != 0:
        raise Missing("a chroot takes root")
    if not shutil.which("apt-get"):
        raise Missing("it comes from Debian's archive, and there is no apt-get")
    fresh = FOLDER / f"{version}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    FOLDER.mkdir(exist_ok=True)
    tool = _mmdebstrap()
    package = f"postgresql-{version}"
    command = (
        *(str(tool), "--mode=root", "--variant=essential", "--quiet"),
        *('--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Retries "3"'),
        f"--include={package},{package}-timescaledb",
        *(SUITES[version], str(fresh), _mirror()),
    )
    done = _run(command, tool.parent)
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise Missing(f"PostgreSQL {version} of {SUITES[version]}: {done.stdout[-600:]}")
    fresh.rename(root)
    return root


@contextmanager
def running(version: int) -> Iterator[config.Connection]:
    """Run a server with nothing in it; it ends with this process, however that ends."""
    root = install(version)
    where = config.Connection("127.0.0.1", _free_port(), config.OWNER, secrets.token_hex(16))
    shutil.rmtree(root / DATA[1:], ignore_errors=True)
    secret = root / "tmp" / "password"
    secret.write_text(where.password)
    secret.chmod(0o644)
    programs = f"/usr/lib/postgresql/{version}/bin"
    made = _run(
        (
            *_inside(root), f"{programs}/initdb", "--no-sync", "--auth=scram-sha-256",
            "--pwfile=/tmp/password", f"--username={where.user}", f"--pgdata={DATA}",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8",
        )
    )  # fmt: skip
    secret.unlink()
    if made.returncode:
        raise Missing(f"initdb in the chroot: {made.stdout[-600:]}")
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    command = (*_inside(root), f"{programs}/postgres", "-D", DATA, f"--port={where.port}")
    log = root / "tmp" / "postgres.log"
    with log.open("w") as sink:
        server = subprocess.Popen(
            [*command, *settings],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=ENVIRONMENT,
        )
    try:
        _wait(where, server, log)
        yield where
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)
        shutil.rmtree(root / DATA[1:], ignore_errors=True)


def community() -> config.Connection:
    """Return where the server of the Community edition is that the environment names."""
    if not COMMUNITY_URL:
        raise Missing("WAREHOUSE_TEST_COMMUNITY_URL names no server of the Community edition")
    parts = urlsplit(COMMUNITY_URL)
    if parts.username != config.OWNER:
        raise Missing(f"the login of WAREHOUSE_TEST_COMMUNITY_URL is not {config.OWNER}")
    host, secret = parts.hostname or "127.0.0.1", unquote(parts.password or "")
    return config.Connection(host, parts.port or 5432, config.OWNER, secret)


def maintenance(where: config.Connection) -> psycopg.Connection:
    """Open a session outside of the databases that tests make and drop."""
    url = where.url().rsplit("/", 1)[0] + "/postgres"
    return psycopg.connect(url, autocommit=True)


def copy(session: psycopg.Connection, template: str, name: str) -> None:
    """Copy a database; a scheduler of TimescaleDB that sits in the template is sent away."""
    session.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s",
        [template],
    )
    session.execute(f"create database {name} template {template}")
    session.execute(LOW_LIMIT(name))


ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _inside(root: Path) -> tuple[str, ...]:
    """Begin a command that runs in the chroot as postgres and is stopped when this process dies."""
    user = ("--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=INT")
    return ("chroot", str(root), "/usr/bin/setpriv", *user)


def _mmdebstrap() -> Path:
    """Fetch the program that fills a chroot, without installing it."""
    tool = FOLDER / "tool"
    program = tool / "usr" / "bin" / "mmdebstrap"
    if not program.exists():
        shutil.rmtree(tool, ignore_errors=True)
        tool.mkdir()
        done = _run(("apt-get", "download", "--quiet", "mmdebstrap"), cwd=tool)
        if done.returncode:  # a machine that has never asked what there is
            _run(("apt-get", "update", "--quiet"))
            done = _run(("apt-get", "download", "--quiet", "mmdebstrap"), cwd=tool)
        packages = list(tool.glob("mmdebstrap_*.deb"))
        if not packages:
            raise Missing(f"apt-get download: {done.stdout[-600:]}")
        _run(("dpkg", "-x", str(packages[0]), str(tool)))
    return program


def _mirror() -> str:
    """Return the Debian archive that this machine's apt uses."""
    form = ("--format", "$(REPO_URI)")
    found = _run(("apt-get", "indextargets", *form, "Created-By: Packages", "Origin: Debian"))
    mirrors = [each for each in found.stdout.split() if "security" not in each]
    if not mirrors:
        raise Missing("apt knows no archive of Debian")
    return mirrors[0]


def _run(command: tuple[str, ...], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, cwd=cwd, env=ENVIRONMENT, timeout=300,
    )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(where: config.Connection, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise Missing(f"the server did not start: {log.read_text()[-600:]}")
        try:
            maintenance(where).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise Missing(f"the server does not answer: {log.read_text()[-600:]}")


if __name__ == "__main__":
    try:
        print(*map(install, SUITES), sep="\n")
    except Missing as missing:
        sys.exit(f"no TimescaleDB to test on: {missing}")
