"""The server itself is killed, fills its disk or is restored from a backup: builds converge."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from dbt_runs import dbt
from faults import (
    AAPL,
    IBM,
    advised,
    converges,
    hold,
    readers_see,
    small_history,
    started_build,
)
from mutants import MUTANTS_OF_RESTORES, planted
from schedules import Schedule
from warehouse import config, database, migrate, server, server_files
from warehouse.config import Home

ROOT = os.geteuid() == 0
_numbers = itertools.count(1)
WINDOW = "select count(*) from intermediate.int_run_window"
BURN = """
do $$ begin
    for i in 1..{} loop
        perform pg_current_xact_id();
        commit;
    end loop;
end $$
"""


@pytest.fixture(scope="module")
def built(spare_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A server of its own with two series landed and built, stopped, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        home = Home(spare_folder / "faults")
        patch.setenv("WAREHOUSE_HOME", str(home.path))
        server.up(home)
        migrate.migrate()
        dbt("build")
        small_history(tmp_path_factory.mktemp("faults"))
        server.down(home)
        yield home


def copied(built: Home, path: Path) -> Home:
    """Copy a stopped server to another folder and port."""
    home = Home(path)
    shutil.copytree(built.path, home.path, symlinks=True)
    if ROOT:
        for each in (home.data, *home.data.rglob("*")):
            os.chown(each, server_files.NOBODY, server_files.NOBODY, follow_symlinks=False)
    home.store(replace(built.connection, port=server._free_port()))
    return home


@pytest.fixture
def mine(built: Home, spare_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A running copy of that server, the one every command goes to."""
    home = copied(built, spare_folder / f"faults{next(_numbers)}")
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.path))
    server.up(home)
    yield home
    server.down(home)
    shutil.rmtree(home.path)


@pytest.fixture
def changed(mine: Home, tmp_path: Path) -> Schedule:
    """Something to build."""
    schedule = Schedule(tmp_path)
    schedule.correct(AAPL, [255], 0.5)
    schedule.land(IBM, list(range(200, 210)))
    return schedule


def processes(home: Home) -> list[int]:
    """Return the postmaster of a home and its children."""
    postmaster = server_files.server_pid(home.data.resolve())
    assert postmaster
    found = [postmaster]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == postmaster:
                found.append(int(stat.parent.name))
    return found


def test_whole_server_is_killed(mine: Home, changed: Schedule) -> None:
    before = readers_see()
    with suppress(psycopg.OperationalError), hold() as wait:
        child = started_build()
        wait(child)
        for pid in processes(mine):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    advised(child.ended())
    server.up(mine)
    assert readers_see() == before
    converges(changed)


def test_one_backend_is_killed(mine: Home, changed: Schedule) -> None:
    """PostgreSQL then ends every session and recovers by itself."""
    before = readers_see()
    with suppress(psycopg.OperationalError), hold() as wait:
        child = started_build()
        os.kill(wait(child), signal.SIGKILL)
    advised(child.ended())
    until_it_answers(mine)
    assert readers_see() == before
    converges(changed)


def until_it_answers(home: Home, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while server.version(home.connection) is None:
        assert time.monotonic() < deadline, "the server does not recover"
        time.sleep(0.05)


def test_disk_is_full(
    built: Home, spare_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = spare_folder / "faults-disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", str(disk)]
    if not ROOT or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    home = copied(built, disk / "home")
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.path))
    try:
        server.up(home)
        schedule = Schedule(tmp_path)
        schedule.land(IBM, list(range(200, 330)))
        before = readers_see()
        with hold() as wait:
            child = started_build()
            wait(child)
            subprocess.run(
                ["dd", "if=/dev/zero", f"of={disk}/fill", "bs=64k"],
                check=False,
                capture_output=True,
            )
        advised(child.ended())
        assert "free some space" in child.text, child.text
        (disk / "fill").unlink()
        server.up(home)
        assert readers_see() == before
        converges(schedule)
    finally:
        server.down(home)
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def dumped(home: Home, file: Path) -> Path:
    """Back up the database of a home by pg_dump."""
    file.touch()
    server_files.own(file)
    file.parent.chmod(0o755)
    where = home.connection
    done = server_files.run(home, "pg_dump", "--format=custom", f"--file={file}", where.url())
    assert done.returncode == 0, done.stdout
    return file


def restored(home: Home, file: Path, *options: str) -> None:
    """Restore it in place of the database of another home."""
    url = replace(home.connection, dbname="postgres").url()
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("drop database warehouse with (force)")
        session.execute("create database warehouse")
    target = home.connection.url()
    options = (*options, "--exit-on-error", f"--dbname={target}", str(file))
    done = server_files.run(home, "pg_restore", *options)
    assert done.returncode == 0, done.stdout


def one_number(query: str) -> int:
    with database.connect("tests") as conn:
        row = conn.execute(query).fetchone()
    return int(row[0]) if row else -1


def test_restored_into_another_cluster(
    mine: Home, changed: Schedule, spare_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Watermarks of another cluster say nothing here: everything is dirty, and only once."""
    backup = dumped(mine, spare_folder / "faults.dump")
    before = readers_see()
    other = Home(spare_folder / "faults-other")
    monkeypatch.setenv("WAREHOUSE_HOME", str(other.path))
    server.up(other)
    try:
        migrate.migrate()  # roles belong to the cluster, no dump of a database has them
        restored(other, backup)
        assert readers_see() == before
        changed.build()
        assert one_number(WINDOW) == 2
        changed.build()
        assert one_number(WINDOW) == 0, "what another cluster logged stays dirty for ever"
        converges(changed)
        changed.correct(AAPL, [100], 1.0)
        changed.build()
        assert one_number(WINDOW) == 1
        converges(changed)
    finally:
        server.down(other)


@pytest.mark.parametrize("case", ["behind", "overtaken", "overtaken, by a mutant"])
def test_newer_backup_in_an_older_cluster(
    built: Home, mine: Home, tmp_path: Path, spare_folder: Path, monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:  # fmt: skip
    """The watermark is a snapshot from the future, or was one when rows landed that it hides."""
    with database.connect("tests", autocommit=True) as conn:
        conn.execute(BURN.format(3000))
    project = config.PROJECT
    if "mutant" in case:
        project = planted(MUTANTS_OF_RESTORES["only the future is distrusted"], tmp_path / "mutant")
    schedule = Schedule(tmp_path, project)
    schedule.land(IBM, list(range(200, 210)))
    schedule.build()
    backup = dumped(mine, spare_folder / "future.dump")
    older = copied(built, spare_folder / f"faults{next(_numbers)}")
    monkeypatch.setenv("WAREHOUSE_HOME", str(older.path))
    server.up(older)
    try:
        # Thousands of transactions would let the cluster overtake the watermarks of the backup.
        restored(older, backup, "--single-transaction")
        schedule.correct(AAPL, [255], 0.5)
        if "overtaken" in case:
            with database.connect("tests", autocommit=True) as conn:
                conn.execute(BURN.format(6000))
        if "mutant" in case:
            with pytest.raises(AssertionError, match="full refresh"):
                schedule.compare()
        else:
            converges(schedule)
    finally:
        server.down(older)
