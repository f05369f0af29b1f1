"""Make the declared designs true: one difference at a time, asking the catalogue again after each.

Statements commit one by one, so that locks are short and an interruption leaves whole steps; what
is left then is what the next plan says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from warehouse import database
from warehouse.errors import WarehouseError
from warehouse.physical.plan import Difference, differences
from warehouse.physical.wishes import Wish

BIG = 100 * 1024 * 1024
"""Bytes from which on a table is not rewritten, or locked while it is read, unless told to."""

LOCK_TIMEOUT = "5s"
"""Who waits for a lock makes everybody behind it wait: rather not now."""


@dataclass
class Applied:
    """What one run has done and left."""

    done: list[Difference] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    """Why each table and wish was left as it is."""

    @property
    def success(self) -> bool:
        """Say whether everything is as declared now."""
        return not self.left


def apply(
    wishes: Sequence[Wish],
    *,
    rewrite: bool = False,
    drop_expired: bool = False,
    tell: Callable[[Difference], None] = lambda _: None,
) -> Applied:
    """Make the designs true, as far as it is allowed to; `tell` hears of each step before it.

    Raises WarehouseError when the server refuses a step, or when one is done and the catalogue
    still does not say so.
    """
    result = Applied()
    with database.connect("warehouse physical", autocommit=True) as session:
        session.execute("select set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
        while step := _next(session, wishes, result, rewrite, drop_expired):
            if step in result.done:
                raise WarehouseError(
                    f"{step.relation} is not as declared although its SQL ran: {step.wish} is"
                    f" {step.is_now}, not {step.should_be}.",
                    where="; ".join(step.sql),
                    do="run it by hand; if it changes nothing, this is a defect of the program",
                )
            tell(step)
            try:
                for statement in step.sql:
                    session.execute(statement.encode())
            except psycopg.errors.LockNotAvailable:
                result.left[_name(step)] = f"no lock within {LOCK_TIMEOUT}: apply it again"
                continue
            except psycopg.errors.DatabaseError as error:
                if session.broken:
                    raise
                raise WarehouseError(
                    f"{_name(step)} cannot be made true: {error.diag.message_primary or error}.",
                    where="; ".join(step.sql),
                    do=error.diag.message_hint
                    or "nothing of the statement was kept; change the"
                    " declaration, or what the message names",
                ) from error
            result.done.append(step)
    return result


def _next(
    session: psycopg.Connection,
    wishes: Sequence[Wish],
    result: Applied,
    rewrite: bool,
    drop_expired: bool,
) -> Difference | None:
    """Return the first difference that may be made true, noting those that may not."""
    for each in differences(session, wishes):
        if each.kind == "finding" or _name(each) in result.left:
            continue
        if each.kind == "expired" and not drop_expired:
            result.left[_name(each)] = "dropped with --drop-expired only"
        elif each.locked > BIG and not rewrite:
            size = each.locked // 1024**2
            result.left[_name(each)] = f"locks the table while {size:,} MB are read: --rewrite"
        else:
            return each
    return None


def _name(step: Difference) -> str:
    return f"{step.relation}: {step.wish}"
