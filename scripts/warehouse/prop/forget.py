"""Forget a user: erase the personal data, keep the ledgers, record it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from warehouse import database
from warehouse.errors import WarehouseError

FORGOTTEN = "select forgotten_at from raw_prop.user_accounts where id = %s"


@dataclass
class Erasure:
    """What was removed of a user, and what is left, in rows by relation and column."""

    user_id: str
    removed: dict[str, int]
    remaining: dict[str, int]
    forgotten_before: datetime | None
    """When the user had been forgotten already; None: this was the first time."""
    dry_run: bool


def forget(user_id: str, *, reason: str, dry_run: bool = False) -> Erasure:
    """Erase the personal data of a user in one transaction; a dry run takes it all back.

    Raises WarehouseError when there is no such user.
    """
    try:
        key = UUID(user_id)
    except ValueError:
        raise WarehouseError(
            f"{user_id!r} is no id of a user.",
            do="give the UUID: select id, email from raw_prop.users where email = …",
        ) from None
    if not reason.strip():
        raise WarehouseError(
            "An erasure needs a reason.", do="name the request, as in --reason 'request 4711'"
        )
    try:
        with database.connect("warehouse forget", autocommit=True) as conn:
            row = conn.execute(FORGOTTEN, [key]).fetchone()
            if row is None:
                raise WarehouseError(
                    f"There is no user {key}.",
                    where="raw_prop.user_accounts",
                    do="look for the id: select id, email from raw_prop.users where email = …",
                )
            with conn.transaction(force_rollback=dry_run):
                removed, remaining = conn.execute(
                    "select removed, remaining from ops.forget_user(%s, %s)", [key, reason]
                ).fetchone() or ({}, {})
            if not dry_run:
                # Dead rows and the planner's statistics hold values too.
                for table in sorted({".".join(each.split(".")[:2]) for each in removed}):
                    conn.execute(f"vacuum analyze {table}")
    except psycopg.errors.CheckViolation:
        raise WarehouseError(
            "The reason names a person.",
            do="refer to the request by its number: the reason is kept for good",
        ) from None
    except (psycopg.errors.UndefinedFunction, psycopg.errors.UndefinedTable):
        raise WarehouseError("The database is too old.", do="run `warehouse migrate`") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise WarehouseError(
            f"This login may not forget users: {error.diag.message_primary}.",
            do="run it as the owner of the warehouse",
        ) from None
    return Erasure(str(key), removed, remaining, row[0], dry_run)
