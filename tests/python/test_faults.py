"""Builds and landings that are killed, cut, blocked or run twice: readers keep what they had."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from child_land import STOPPED
from children import Child
from databases import cloned_database
from faults import (
    AAPL,
    IBM,
    advised,
    bars_landed,
    built_mart,
    converges,
    hold,
    readers_see,
    small_history,
    started_build,
    terminate,
)
from schedules import Schedule
from warehouse import config, database
from warehouse.config import Home


@pytest.fixture(scope="module")
def base(
    home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database with two series landed and built."""
    with cloned_database(home, "test_faults", built_on_nothing) as name:
        small_history(tmp_path_factory.mktemp("faults"))
        yield name


@pytest.fixture
def changed(home: Home, base: str, tmp_path: Path) -> Iterator[Schedule]:
    """A copy of it, by the name that dbt has parsed the project for, with something to build."""
    with cloned_database(home, "test_fault", base):
        schedule = Schedule(tmp_path)
        schedule.correct(AAPL, [255], 0.5)
        schedule.land(IBM, list(range(200, 210)))
        yield schedule


def test_dbt_is_killed(changed: Schedule) -> None:
    before = readers_see()
    with hold() as wait:
        child = started_build()
        wait(child)
        child.kill()
        assert child.ended().code == -9, child.text
        assert readers_see() == before
    assert readers_see() == before
    converges(changed)
    assert readers_see() != before


def test_dbt_is_killed_again_and_again(changed: Schedule) -> None:
    """Before many a statement of the same build, each time after what the last one left."""
    killed = [changed.killed_build(number) for number in range(4, 164, 32)]
    assert killed.count(True) >= 4
    converges(changed)


def test_connection_is_ended(changed: Schedule) -> None:
    before = readers_see()
    with hold() as wait:
        child = started_build()
        terminate(wait(child))
        child.ended()
    advised(child, "terminating connection|closed the connection|connection .*closed")
    assert readers_see() == before
    converges(changed)


class Proxy:
    """Passes bytes between clients and a server until it is cut."""

    def __init__(self, port: int) -> None:
        self.server = port
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                server = socket.create_connection(("127.0.0.1", self.server))
                self.open += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self.socket.close()
        for each in self.open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def test_connection_is_cut(changed: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network goes away while the server is busy: its backend notices by itself."""
    before, direct = readers_see(), config.connection()
    proxy = Proxy(direct.port)
    with hold() as wait:
        with monkeypatch.context() as patch:
            patch.setenv("WAREHOUSE_TARGET", "server")
            patch.setenv("WAREHOUSE_HOST", "127.0.0.1")
            patch.setenv("WAREHOUSE_PORT", str(proxy.port))
            patch.setenv("WAREHOUSE_USER", direct.user)
            patch.setenv("WAREHOUSE_PASSWORD", direct.password)
            child = started_build()
            backend = wait(child)
        proxy.cut()
        # The second when a model was left that needs nothing of the one that failed.
        advised(child.ended(), "closed the connection|Connection refused")
        # Its lock is still refused to it: nothing but the check of the connection ends it.
        deadline = time.monotonic() + 30
        with database.connect("tests", autocommit=True) as conn:
            alive = "select from pg_stat_activity where pid = %s"
            while conn.execute(alive, [backend]).rowcount:
                assert time.monotonic() < deadline, "the backend of a cut connection lives on"
                time.sleep(0.05)
        assert readers_see() == before
    converges(changed)


def test_two_builds(changed: Schedule) -> None:
    with hold() as wait:
        first = started_build()
        wait(first)
        second = started_build().ended()
    assert second.code == 2
    assert re.search(r"running already: .*pid \d+.* since \d{4}-\d\d-\d\d", second.text), (
        second.text
    )
    assert "wait for it" in second.text
    first.ended()
    assert first.code == 0, first.text
    converges(changed)


def test_deadlock_with_ingest(changed: Schedule) -> None:
    """A session that writes bars wants the mart, and the build wants the bars: one gives way."""
    before, landed = readers_see(), bars_landed()
    with database.connect("ingest") as ingest:
        # The build looks for deadlocks first, and gives way.
        ingest.execute("set deadlock_timeout = '1min'")
        ingest.execute("lock table raw_market.bars in row exclusive mode")
        with hold(then="lock table raw_market.bars in share mode;") as wait:
            child = started_build()
            wait(child)
        ingest.execute(f"lock table {built_mart()} in access exclusive mode")
        child.ended()
        ingest.rollback()
    advised(child, "deadlock detected")
    assert (readers_see(), bars_landed()) == (before, landed)
    converges(changed)


@pytest.mark.parametrize(
    ("setting", "told", "advice"),
    [
        ("statement_timeout", "canceling statement due to statement timeout", "statement_timeout"),
        ("lock_timeout", "canceling statement due to lock timeout", "pg_stat_activity"),
    ],
)
def test_timeouts(changed: Schedule, setting: str, told: str, advice: str) -> None:
    before = readers_see()
    name = config.connection().dbname
    with database.connect("tests", autocommit=True) as conn:
        conn.execute(f"alter database {name} set {setting} = '3s'")
        with hold():
            # A build that is blocked for longer than that.
            child = started_build().ended()
        conn.execute(f"alter database {name} reset {setting}")
    advised(child, told, advice)
    assert readers_see() == before
    converges(changed)


LOADERS = """
    select from pg_stat_activity
    where datname = current_database() and application_name = 'warehouse land'
"""


@pytest.mark.parametrize("moment", ["reading", "writing"])
def test_loader_is_killed(changed: Schedule, moment: str) -> None:
    """In the middle of COPY into its scratch table, or of its transaction."""
    landed, before = bars_landed(), readers_see()
    child = Child.start("child_land.py", moment, changed.folder)
    child.until(lambda: STOPPED in child.text or None)
    child.kill()
    assert child.ended().code == -9, child.text
    deadline = time.monotonic() + 30
    with database.connect("tests", autocommit=True) as conn:
        while conn.execute(LOADERS).rowcount:
            assert time.monotonic() < deadline, "the backend of the loader lives on"
            time.sleep(0.02)
    assert (bars_landed(), readers_see()) == (landed, before)
    changed.land(AAPL, list(range(300, 400)))
    assert bars_landed() == landed + 100
    converges(changed)


def test_clock_is_set_back(changed: Schedule) -> None:
    """Times of what is known, logged and consumed run backwards; nothing is decided by them."""
    changed.build()
    with database.connect("tests", autocommit=True) as conn:
        conn.execute("update ops.consumers set consumed_at = now() + interval '1 day'")
        conn.execute("update ops.change_log set logged_at = logged_at + interval '1 day'")
        window = "select i.symbol from intermediate.int_run_window inner join ref.instruments as i"
        window += " using (instrument_id)"
        for share, known_at in ((0.0, "2026-01-01Z"), (1.0, "2001-01-01Z")):
            changed.begin(AAPL)
            changed.write(0, [200], share, known_at)
            changed.release()
            changed.build()
            assert conn.execute(window).fetchall() == [("AAPL",)]
        changed.build()
        assert conn.execute(window).fetchall() == []
    converges(changed)


def test_readers_see_nothing_of_a_build_that_rolls_back(changed: Schedule) -> None:
    """What is read while a build is in its middle is the build before, in either isolation."""
    before = readers_see()
    with psycopg.connect(config.connection().url()) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        first = reader.execute(f"select sum(close) from {built_mart()}").fetchone()
        with hold() as wait:
            child = started_build()
            terminate(wait(child), "pg_cancel_backend")
            child.ended()
            assert readers_see() == before
        assert child.code == 2
        assert reader.execute(f"select sum(close) from {built_mart()}").fetchone() == first
    converges(changed)
