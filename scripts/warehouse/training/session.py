"""Sessions that read Arrow, and the statements of a training set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi
import jinja2

from warehouse import config, transport
from warehouse.errors import WarehouseError

STATEMENTS = Path(__file__).with_name("sql")
BATCH_BYTES = 16 * 2**20
"""What is in memory at a time, about three times over."""


@contextmanager
def snapshot() -> Iterator[Any]:
    """Give a cursor of one transaction that sees one state of everything, and leaves nothing.

    Raises WarehouseError for what the server refuses.
    """
    url = config.connection().url(
        application_name="warehouse export", require_auth=transport.SCRAM, connect_timeout="10"
    )
    try:
        with (
            adbc_driver_postgresql.dbapi.connect(url, autocommit=False) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("set transaction isolation level repeatable read")
            cursor.execute("set local timezone = 'UTC'")
            cursor.execute("set local jit = off")
            yield cursor
            connection.rollback()
    except adbc_driver_manager.Error as error:
        raise _explained(error) from None


def _explained(error: adbc_driver_manager.Error) -> WarehouseError:
    """Return what a person can act on."""
    told = " ".join(str(error).partition("Query was:")[0].split())
    state = str(getattr(error, "sqlstate", "") or "")
    if state.startswith("53"):
        do = "free some space on the server, or ask for fewer rows, and repeat the command"
    elif state in ("42P01", "3F000", "42703"):
        do = "bring the schema up to date with `warehouse migrate`, then `warehouse build`"
    elif state == "42501":
        do = "export as the owner of the warehouse: a training set reads the landing zone too"
    else:
        do = "look at `warehouse status` and repeat the command"
    return WarehouseError(f"The warehouse did not answer: {told}", do=f"{do}; no file was written")


def literal(value: object) -> str:
    """Return a value as SQL has it: COPY, by which Arrow is read, takes no parameters."""
    if isinstance(value, datetime):
        return f"timestamptz '{value.isoformat()}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def statement(name: str, **values: Any) -> str:  # noqa: ANN401 (what Jinja takes)
    """Return a statement of this package, filled in."""
    text = (STATEMENTS / f"{name}.sql").read_text(encoding="utf-8")
    # SQL, no page: nothing to escape.
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
    return template.from_string(text).render(values)


def rows(cursor: Any, query: str) -> list[dict[str, Any]]:  # noqa: ANN401 (ADBC's cursor)
    """Return the rows of a query by column name."""
    cursor.execute(query)
    found: list[dict[str, Any]] = cursor.fetch_arrow_table().to_pylist()
    return found
