"""The embedded PostgreSQL: start, stop and recover the binaries of the wheel.

The wheel's own `get_server()` is not used: it listens on a socket with trust, takes a lock in the
shared temporary folder and, as root, changes the owners of parent folders.
"""

from __future__ import annotations

import fcntl
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from warehouse import server_files as files
from warehouse import server_settings as settings
from warehouse.config import DATABASE, OWNER, Connection, Home
from warehouse.errors import WarehouseError

PATIENCE = 60.0
"""Seconds that a recovery, or the leftovers of a crash, are waited for."""

PORTS = range(20_000, 32_000)
"""Below the ports that the kernel hands to outgoing connections: ours stays free when stopped."""


CHATTER = re.compile(r"waiting for server to \w+\.*|stopped waiting|pg_ctl: .*|Examine the log.*")
"""What pg_ctl says around the server's own lines, which name the cause."""


@dataclass(frozen=True)
class Status:
    """What is known of an instance without changing it."""

    exists: bool
    running: bool
    port: int | None = None
    version: str | None = None
    pid: int | None = None


def version(where: Connection) -> str | None:
    """Return the server's version when it answers and takes our password, else None."""
    try:
        with psycopg.connect(where.url(), connect_timeout=5) as session:
            row = session.execute("show server_version").fetchone()
            return str(row[0]) if row else None
    except psycopg.OperationalError:
        return None


def status(home: Home) -> Status:
    """Return what is known of the embedded server without changing it."""
    if not home.settings_file.exists():
        return Status(False, False)
    where = _maintenance(home.connection)
    found = version(where)
    pid = files.server_pid(files.data_folder(home))
    return Status(True, found is not None, where.port, found, pid)


def up(home: Home, *, port: int | None = None) -> Status:
    """Start the embedded server, creating it when there is none; harmless when it runs.

    Raises WarehouseError when the port is taken, the disk is full, the settings are lost, the data
    belongs to another user or the server does not start.
    """
    with _one_starter(home):
        where = _created(home, port)
        found = version(_maintenance(where))
        if found is None:
            found = _start(home, where)
        _ensure_database(where)
        pid = files.server_pid(files.data_folder(home))
        return Status(True, True, where.port, found, pid)


def down(home: Home) -> bool:
    """Stop the embedded server; say whether one ran."""
    data = files.data_folder(home)
    if files.server_pid(data) is None:
        return False
    done = files.run(home, "pg_ctl", "stop", "--wait", "--mode=fast", f"--pgdata={data}")
    if done.returncode and files.server_pid(data) is not None:
        raise _explain(home, "The embedded server did not stop", done.stdout)
    return True


@contextmanager
def _one_starter(home: Home) -> Iterator[None]:
    """Let one command at a time create or start this instance."""
    try:
        home.path.mkdir(parents=True, exist_ok=True)
        handle = (home.path / "up.lock").open("w")
    except OSError as error:
        raise WarehouseError(
            f"The home of the embedded warehouse cannot be written: {error.strerror}.",
            where=str(home.path),
            do="set WAREHOUSE_HOME to a folder of yours",
        ) from None
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _created(home: Home, port: int | None) -> Connection:
    """Return how to reach the instance, which is created when there is none.

    The data is made under another name and renamed last: where it exists, it is whole.
    """
    data = files.data_folder(home)
    if not data.exists():
        stored = home.connection.port if home.settings_file.exists() else None
        return _create(home, data, port or stored or _free_port())
    if data.stat().st_uid != files.owner():
        raise WarehouseError(
            "The embedded warehouse was created by another user.",
            where=f"{data} belongs to uid {data.stat().st_uid}, the server would run as"
            f" {files.owner()}",
            do="run the command as that user, or set WAREHOUSE_HOME to a folder of your own",
        )
    if not home.settings_file.exists():
        raise WarehouseError(
            "The data of the embedded warehouse is here, but its port and password are lost.",
            where=f"{home.settings_file} is missing, {data} is not",
            do="restore that file from a copy; to begin anew, move the data folder away",
        )
    where = home.connection
    if port and port != where.port and files.server_pid(data) is None:
        where = replace(where, port=port)
        home.store(where)
    return where


def _create(home: Home, data: Path, port: int) -> Connection:
    """Create an instance with a generated password."""
    where = Connection("127.0.0.1", port, OWNER, secrets.token_urlsafe(24))
    files.make_parent(data)
    fresh = data.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)  # left by an interrupted creation
    fresh.mkdir(mode=0o700)
    files.own(fresh)
    secret = data.with_suffix(".secret")
    secret.unlink(missing_ok=True)
    secret.touch(mode=0o600)
    try:
        secret.write_text(where.password, encoding="utf-8")
        files.own(secret)
        done = files.run(
            home,
            "initdb",
            f"--pgdata={fresh}",
            f"--username={OWNER}",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
        )
    finally:
        secret.unlink()
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise _explain(home, "The embedded server could not be created", done.stdout)
    with (fresh / "postgresql.conf").open("a", encoding="utf-8") as text:
        text.write("\ninclude_if_exists = 'warehouse.conf'\n")
        text.write("include_if_exists = 'postgresql.local.conf'\n")
    home.store(where)
    fresh.rename(data)
    if data != home.data:
        home.data.symlink_to(data)
    return where


def _start(home: Home, where: Connection) -> str:
    """Start the server and return its version."""
    data = files.data_folder(home)
    deadline = time.monotonic() + PATIENCE
    while files.server_pid(data) and time.monotonic() < deadline:
        # It runs but does not answer yet: recovering, or ending.
        time.sleep(0.2)
        if found := version(_maintenance(where)):
            return found
    if port_is_taken(where.port):
        raise WarehouseError(
            f"Port {where.port} is taken by another program.",
            where=str(home.settings_file),
            do=f"end that program, or move: `warehouse up --port {_free_port()}`",
        )
    _forget_recycled_pid(data, deadline)
    conf = data / "warehouse.conf"
    conf.write_text(settings.render(settings.Machine.here(data), where.port), encoding="utf-8")
    files.own(conf)
    log = files.open_log(home)
    while True:
        seen = log.stat().st_size
        arguments = ("start", "--wait", "--timeout=300", f"--pgdata={data}")
        done = files.run(home, "pg_ctl", *arguments, log=log)
        found = version(_maintenance(where)) if done.returncode == 0 else None
        if found is not None:
            return found
        told = log.read_bytes()[seen:].decode(errors="replace")
        # Backends of a killed postmaster end by themselves within seconds.
        orphans = "is still in use" in told or "already exists" in told
        if not orphans or time.monotonic() > deadline:
            raise _explain(home, "The embedded server did not start", told)
        time.sleep(0.5)


def _forget_recycled_pid(data: Path, deadline: float) -> None:
    """Remove postmaster.pid when its pid is another program's by now, which blocks the start.

    A pid of no process at all is left to PostgreSQL, which checks for living backends by itself.
    """
    pid = files.recorded_pid(data)
    if pid is None or files.command_of(pid) is None or files.server_pid(data):
        return
    while files.shared_memory_in_use(data) and time.monotonic() < deadline:
        time.sleep(0.2)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _explain(home: Home, what: str, told: str) -> WarehouseError:
    """Turn a failure of PostgreSQL's programs into an error that says what to do."""
    if "No space left on device" in told:
        return WarehouseError(
            f"{what}: the disk is full.",
            where=str(files.data_folder(home)),
            do="free some space or set WAREHOUSE_HOME to a folder on another disk; nothing is lost",
        )
    if "could not look up effective user ID" in told:
        return WarehouseError(
            f"{what}: this user has no name, and PostgreSQL insists on one.",
            where=f"uid {files.owner()} is not in /etc/passwd",
            do="add it there, or run the command as a user that has an entry",
        )
    lines = [line.strip() for line in CHATTER.sub("", told).splitlines()]
    last = [line for line in lines if line][-3:]
    return WarehouseError(
        f"{what}: {' | '.join(last)}",
        where=str(home.logs / "postgres.log"),
        do="read that log; `warehouse doctor` looks for the usual causes",
    )


def _maintenance(where: Connection) -> Connection:
    """Return the connection to the database that always exists."""
    return replace(where, dbname="postgres")


def _ensure_database(where: Connection) -> None:
    """Create the warehouse's database when it does not exist."""
    with psycopg.connect(_maintenance(where).url(), autocommit=True) as session:
        if not session.execute("select from pg_database where datname = %s", [DATABASE]).rowcount:
            session.execute(f"create database {DATABASE}")


def _free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        if not port_is_taken(port):
            return port


def port_is_taken(port: int) -> bool:
    """Say whether somebody listens on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
