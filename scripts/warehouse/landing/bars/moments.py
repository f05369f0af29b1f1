"""Moments as people write them: a session, or the start of a bar."""

from __future__ import annotations

from datetime import UTC, date, datetime

from warehouse.errors import WarehouseError

Moment = str | date | datetime


def bounds_of(start: Moment, end: Moment, *, is_daily: bool) -> dict[str, object]:
    """Return the bounds of a range: each is a session or the start of a bar."""
    first, last = moment(start, is_daily=is_daily), moment(end, is_daily=is_daily)
    # A day and an instant are compared by their days: the database has the last word.
    days = [each.date() if isinstance(each, datetime) else each for each in (first, last)]
    same = isinstance(first, datetime) and isinstance(last, datetime)
    if days[0] > days[1] or (same and first > last):
        raise WarehouseError(
            f"The range from {start} to {end} is empty: it ends before it begins.",
            do="swap --from and --to",
        )
    bounds: dict[str, object] = {}
    for name, each in (("first", first), ("last", last)):
        is_instant = isinstance(each, datetime)
        bounds[f"{name}_ts"] = each if is_instant else None
        bounds[f"{name}_day"] = None if is_instant else each
    return bounds


def moment(value: Moment, *, is_daily: bool) -> date | datetime:
    """Return a session date, or an instant in UTC.

    Raises WarehouseError when it cannot be read, or has a time of day but no offset.
    """
    read: date | datetime
    try:
        read = value if isinstance(value, date) else _read(value)
    except ValueError:
        raise WarehouseError(
            f"The time {value!r} cannot be read.",
            do="write a session as 2024-01-31, the start of a bar as 2024-01-31T14:30:00Z",
        ) from None
    if not isinstance(read, datetime):
        return read
    if read.tzinfo is None:
        raise WarehouseError(
            f"The time {value!s} has no offset from UTC: it may mean several instants.",
            do="write it as 2024-01-31T14:30:00Z or 2024-01-31T09:30:00-05:00",
        )
    read = read.astimezone(UTC)
    if not is_daily:
        return read
    if read.time() != datetime.min.time():
        raise WarehouseError(
            f"The time {value!s} is no session: bars of a day or longer have a date alone.",
            do=f"write {read.date()}, or name a shorter --timeframe",
        )
    return read.date()


def _read(text: str) -> date | datetime:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return datetime.fromisoformat(text.strip())
