"""What became of one file: the result of a landing, and the session it runs in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

import psycopg
from psycopg.types.json import Jsonb

from warehouse import database
from warehouse.errors import WarehouseError

LOCK = 0x6C616E64
"""Advisory lock: landings write one after the other, so that revisions count up."""

STORE = """
    insert into ops.batches (
        batch_id, dataset, source, timeframe, file, file_bytes, profile, seconds,
        landed, accepted, known, quarantined, late
    ) overriding system value
    values (
        %(batch_id)s, %(dataset)s, %(source)s, %(timeframe)s, %(file)s, %(file_bytes)s,
        %(profile)s, %(seconds)s, %(landed)s, %(accepted)s, %(known)s, %(quarantined)s, %(late)s
    )
"""


MARK = """
    update ops.quarantine set replayed_at = now(), replayed_batch_id = %(batch_id)s
    where quarantine_id = any(%(moved)s)
"""


class Progress(Protocol):
    """Told how far a file is read; a rich progress bar, or anything else."""

    def __call__(self, name: str, position: int, size: int | None) -> None:
        """Take the bytes read so far, of how many."""


@dataclass
class BatchResult:
    """What became of one file or frame."""

    batch_id: int
    dataset: str
    file: str
    source: str
    timeframe: str | None
    landed: int
    accepted: int
    known: int
    quarantined: int
    seconds: float
    late: int = 0
    """Accepted rows whose chunk was compressed already: they cost a multiple."""
    rules: dict[str, int] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    """Columns of the file that the table does not have."""


@contextmanager
def session(where: str) -> Iterator[psycopg.Connection]:
    """Open a session of its own for one landing; whatever happens, it leaves nothing behind."""
    conn = database.connect("warehouse land", autocommit=True)
    try:
        conn.execute("set work_mem = '256MB'")
        yield conn
    except psycopg.errors.DiskFull as error:
        raise WarehouseError(
            f"The disk of the server is full. Nothing landed. ({_first_line(error)})",
            where=where,
            do="free some space on the disk of the data folder, then land the file again",
        ) from None
    except (
        psycopg.errors.InvalidSchemaName,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.UndefinedFunction,
        psycopg.errors.UndefinedTable,
    ) as error:
        raise WarehouseError(
            f"The landing zone is not there or too old: {_first_line(error)}.",
            where=where,
            do="run `warehouse migrate`",
        ) from None
    except psycopg.OperationalError as error:
        raise WarehouseError(
            f"The server broke off: {_first_line(error)}. Nothing landed.",
            where=where,
            do="look at `warehouse status` and `warehouse doctor`, then land the file again",
        ) from None
    except psycopg.Error as error:
        raise WarehouseError(
            f"The database refused the rows: {_first_line(error)}. Nothing landed.",
            where=where,
            do="if it says nothing you can change, report it with this file",
        ) from error
    finally:
        conn.close()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]


@contextmanager
def writing(conn: psycopg.Connection) -> Iterator[None]:
    """Open the transaction of a landing, one landing at a time, which reads its file meanwhile.

    The lock is taken before the transaction starts, so that known_at (its start) rises with the
    revisions.
    """
    conn.execute("set lock_timeout = 0")
    conn.execute("select pg_advisory_lock(%s)", [LOCK])
    conn.execute("reset lock_timeout")
    with conn.transaction():
        yield
    conn.execute("select pg_advisory_unlock(%s)", [LOCK])


def new_batch(conn: psycopg.Connection) -> int:
    """Draw the number of a batch."""
    row = conn.execute(
        "select nextval(pg_get_serial_sequence('ops.batches', 'batch_id'))"
    ).fetchone()
    return int(row[0]) if row else 0


def store_batch(
    conn: psycopg.Connection, result: BatchResult, size: int | None, profile: dict[str, object]
) -> None:
    """Write the batch; the database asserts that no row was lost."""
    facts = {**asdict(result), "file_bytes": size, "profile": Jsonb(profile)}
    conn.execute(STORE, facts)


def store_replay(
    conn: psycopg.Connection, result: BatchResult, profile: dict[str, object], moved: list[int]
) -> None:
    """Write the batch of what moved out of quarantine, and mark those rows.

    Rows that are still bad stay with the batch they came in, and are not counted twice.
    """
    batch = replace(result, landed=result.accepted + result.known, quarantined=0)
    store_batch(conn, batch, None, profile)
    conn.execute(MARK, {"batch_id": result.batch_id, "moved": moved})
