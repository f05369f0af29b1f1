"""One build at a time: a session's advisory lock, held for as long as the process lives at most."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from warehouse import database, output
from warehouse.errors import WarehouseError

LOCK = 7_203_002
"""Advisory lock of builds: two at once would share scratch tables and write marts twice.

The view ops.running_build says who has it.
"""

PID = "WAREHOUSE_BUILD_PID"
"""Variable by which the on-run-start check of dbt knows the session of its own process."""

HOLDER = "select pid, program, client, since from ops.running_build"


def try_lock(name: str) -> psycopg.Connection | None:
    """Open a session that holds the lock; None when another session has it.

    `name` is what others are told of this one. The session is this process's own: a killed one
    releases the lock as soon as the server notices.
    """
    session = database.connect(name, autocommit=True)
    # A build may sit on its lock for hours without a statement.
    session.execute("set idle_session_timeout = 0")
    row = session.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    if row and row[0]:
        os.environ[PID] = str(session.info.backend_pid)
        return session
    session.close()
    return None


@contextmanager
def one_build(name: str = "warehouse build") -> Iterator[None]:
    """Hold the lock of builds; raises WarehouseError naming who holds it since when."""
    session = try_lock(name)
    if session is None:
        with database.connect(name, autocommit=True) as asking:
            holder = asking.execute(HOLDER).fetchone()
        who = "another session"
        if holder:
            pid, program, host, since = holder
            who = f"{program} (pid {pid}, from {host}) since {output.readable(since)}"
        raise WarehouseError(
            f"A build is running already: {who}.",
            where=f"advisory lock {LOCK} of the database",
            do="wait for it; if its program is gone: select pg_terminate_backend(pid)",
        )
    try:
        yield
    finally:
        os.environ.pop(PID, None)
        session.close()
