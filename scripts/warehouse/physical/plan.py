"""What differs between the declared designs and the catalogue, and the SQL that makes it true."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.rows import class_row

from warehouse.errors import WarehouseError
from warehouse.physical.wishes import Wish

SQL = (Path(__file__).parent / "differences.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Difference:
    """One wish that is not true of one table."""

    relation: str
    kind: Literal["difference", "expired", "finding"]
    """expired: dropped only when asked to. finding: for people to judge, never made true."""
    wish: str
    is_now: str
    should_be: str
    sql: list[str]
    """Statements that make it true, one transaction each; of a finding, a proposal."""
    why: str
    locked: int
    """Bytes that are written or read again under a lock."""


def differences(session: psycopg.Connection, wishes: Sequence[Wish]) -> list[Difference]:
    """Compare the designs with the catalogue, in the order in which they can be made true.

    Raises WarehouseError when the server cannot read a declared index or a migration is missing.
    """
    # Functions are guessed to return a thousand rows each: compiling for that took 25 s, not 0.2.
    session.execute("set jit = off")
    try:
        with session.cursor(row_factory=class_row(Difference)) as cursor:
            return cursor.execute(SQL, {"wishes": json.dumps(list(wishes))}).fetchall()
    except (psycopg.errors.SyntaxError, psycopg.errors.UndefinedColumn) as error:
        raise WarehouseError(
            f"The server cannot read a declared index: {error.diag.message_primary}.",
            where=error.diag.internal_query or error.diag.context or "",
            do="correct its columns, include or where",
        ) from None
    except psycopg.errors.UndefinedFunction as error:
        raise WarehouseError(
            f"The database is older than this program: {error.diag.message_primary}.",
            do="bring the schema up to date with `warehouse migrate`",
        ) from None
