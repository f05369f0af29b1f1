"""ref.exchange_sessions: the sessions of a calendar, with the version they come from."""

from __future__ import annotations

from datetime import date

import pandas as pd
import psycopg

from warehouse.landing.calendars import calendar, version

COVERED = """
    select min(session_date), max(session_date), bool_and(calendar_version = %(version)s)
    from ref.exchange_sessions
    where calendar = %(calendar)s
"""
SCRATCH = """
    create temp table if not exists new_sessions
    (like ref.exchange_sessions) on commit delete rows
"""
GONE = """
    delete from ref.exchange_sessions as old
    where
        old.calendar = %(calendar)s
        and old.session_date between (select min(session_date) from new_sessions)
        and (select max(session_date) from new_sessions)
        and not exists (
            select from new_sessions as new
            where new.session_date = old.session_date
        )
"""
CALENDAR = """
    insert into ref.calendars (calendar, timezone, calendar_version)
    values (%(calendar)s, %(timezone)s, %(version)s)
    on conflict (calendar) do update set
        timezone = excluded.timezone,
        calendar_version = excluded.calendar_version
"""
STORE = """
    insert into ref.exchange_sessions as old
    select * from new_sessions
    on conflict (calendar, session_date) do update set
        open_at = excluded.open_at,
        close_at = excluded.close_at,
        break_start_at = excluded.break_start_at,
        break_end_at = excluded.break_end_at,
        is_half_day = excluded.is_half_day,
        calendar_version = excluded.calendar_version
    where old is distinct from excluded
"""


def ensure_sessions(conn: psycopg.Connection, name: str, first: date, last: date) -> int:
    """Store the sessions of a calendar for whole years from `first`, and a year ahead.

    Cheap when they are there already in the installed version. Returns how many rows changed.
    """
    cal = calendar(name)
    cal.cover(first)
    facts = {"calendar": name, "version": version()}
    with conn.transaction():
        row = conn.execute(COVERED, facts).fetchone()
        stored_first, stored_last, same = row if row else (None, None, None)
        wanted = max(first.year, cal.first_year, cal.inner.first_session.year)
        if stored_first is not None:
            if same and stored_first.year <= wanted and stored_last >= min(last, cal.last):
                return 0
            wanted = min(wanted, stored_first.year)
            cal.cover(stored_first)
        conn.execute(SCRATCH)
        with conn.cursor().copy("copy new_sessions from stdin") as copy:
            for session in _rows(name, wanted):
                copy.write_row(session)
        conn.execute(CALENDAR, {**facts, "timezone": cal.timezone})
        gone = conn.execute(GONE, facts).rowcount
        return gone + conn.execute(STORE).rowcount


def _rows(name: str, year: int) -> list[tuple[object, ...]]:
    """Return the sessions from a year on, as rows of the table."""
    inner = calendar(name).inner
    half = set(inner.early_closes) | set(inner.late_opens)
    rows: list[tuple[object, ...]] = []
    for each in inner.schedule[inner.schedule.index.year >= year].itertuples():
        pause = (None, None) if pd.isna(each.break_start) else (each.break_start, each.break_end)
        rows.append((name, each.Index.date(), each.open, each.close, *pause, each.Index in half,
                     version()))  # fmt: skip
    return rows
