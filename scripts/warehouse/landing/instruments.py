"""Which instrument a symbol means on a day; an unknown one becomes an instrument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from psycopg import Connection

from warehouse.errors import WarehouseError
from warehouse.landing.profile import canonical_calendar

FIND = """
    select instrument_id from ref.symbol_history
    where
        symbol = %(symbol)s and calendar = %(calendar)s
        and %(day)s >= valid_from and %(day)s < valid_to
"""
CREATE = """
    insert into ref.instruments (symbol, calendar, currency, first_source)
    values (%(symbol)s, %(calendar)s, %(currency)s, %(source)s)
    returning instrument_id
"""
# The gap between what the symbol meant before and after that day.
NAME = """
    insert into ref.symbol_history (
        symbol, calendar, valid_from, valid_to, instrument_id, source
    )
    select
        %(symbol)s,
        %(calendar)s,
        coalesce(max(valid_to) filter (where valid_to <= %(day)s), '-infinity'),
        coalesce(min(valid_from) filter (where valid_from > %(day)s), 'infinity'),
        %(instrument_id)s,
        %(source)s
    from ref.symbol_history
    where symbol = %(symbol)s and calendar = %(calendar)s
"""

CALENDARS = """
    select distinct calendar from ref.symbol_history where symbol = %(symbol)s order by 1
"""


@dataclass(frozen=True)
class Ticker:
    """A symbol on a calendar, as one source names it."""

    symbol: str
    calendar: str
    source: str
    currency: str | None = None


def find(conn: Connection, ticker: Ticker, day: date) -> int | None:
    """Return the instrument a ticker means on a day."""
    row = conn.execute(
        FIND, {"symbol": ticker.symbol, "calendar": ticker.calendar, "day": day}
    ).fetchone()
    return int(row[0]) if row else None


def create(conn: Connection, ticker: Ticker) -> int:
    """Make an instrument without a history yet."""
    row = conn.execute(CREATE, vars(ticker)).fetchone()
    assert row is not None  # noqa: S101 (insert … returning gives a row)
    return int(row[0])


def find_or_create(conn: Connection, ticker: Ticker, day: date) -> int:
    """Return the instrument a ticker means on a day; make one when nobody knows it."""
    known = find(conn, ticker, day)
    if known is not None:
        return known
    fresh = create(conn, ticker)
    conn.execute(NAME, {**vars(ticker), "day": day, "instrument_id": fresh})
    return fresh


def calendar_of(conn: Connection, symbol: str, name: str | None = None) -> str:
    """Return the calendar on which a symbol is known.

    Raises WarehouseError when there is none, or several and none is named.
    """
    try:
        wanted = None if name is None else canonical_calendar(name)
    except ValueError as error:
        raise WarehouseError(f"The calendar cannot be used: {error}.") from None
    known = [row[0] for row in conn.execute(CALENDARS, {"symbol": symbol})]
    if wanted in known:
        return str(wanted)
    if not known:
        raise WarehouseError(
            f"Nothing has landed under the symbol {symbol!r}.",
            where="ref.symbol_history",
            do="check its spelling, upper and lower case included",
        )
    if wanted is not None or len(known) > 1:
        what = f"is not known on the calendar {wanted}" if wanted else "is on several calendars"
        raise WarehouseError(
            f"The symbol {symbol!r} {what}.",
            where=f"known on: {', '.join(known)}",
            do="name one of these with --calendar",
        )
    return str(known[0])
