"""Instruments, and which of them a ticker meant when."""

from __future__ import annotations

from psycopg import Connection

from warehouse.landing.instruments import Ticker, create
from warehouse.landing.reference.tables import Row, TableProfile

DESCRIBE = """
    update ref.instruments
    set
        currency = coalesce(%(currency)s, currency),
        asset_class = coalesce(%(asset_class)s, asset_class),
        allow_negative_price = coalesce(%(allow_negative_price)s, allow_negative_price)
    where instrument_id = %(instrument_id)s and (currency, asset_class, allow_negative_price)
        is distinct from (
            coalesce(%(currency)s, currency),
            coalesce(%(asset_class)s, asset_class),
            coalesce(%(allow_negative_price)s, allow_negative_price)
        )
"""
CURRENT = """
    select instrument_id from ref.symbol_history
    where symbol = %(symbol)s and calendar = %(calendar)s and valid_to = 'infinity'
"""
NAMED = """
    select instrument_id from ref.instruments
    where symbol = %(symbol)s and calendar = %(calendar)s
    order by instrument_id
    limit 1
"""
FOREVER = """
    insert into ref.symbol_history (symbol, calendar, instrument_id, source)
    values (%(symbol)s, %(calendar)s, %(instrument_id)s, %(source)s)
"""
SAME = """
    select from ref.symbol_history
    where
        symbol = %(symbol)s and calendar = %(calendar)s and instrument_id = %(instrument_id)s
        and valid_from = %(valid_from)s and valid_to = %(valid_to)s
"""
# Bars keep their instrument for ever, so a history may not move under them.
STRANDED = """
    select from raw_market.bars as b
    inner join ref.symbol_history as h
        on b.instrument_id = h.instrument_id and b.symbol = h.symbol
    where
        h.symbol = %(symbol)s
        and h.calendar = %(calendar)s
        and h.instrument_id <> %(instrument_id)s
        and b.session_date >= greatest(h.valid_from, %(valid_from)s)
        and b.session_date < least(h.valid_to, %(valid_to)s)
    limit 1
"""
# What an overlapped range keeps: its parts before and after the new one.
TRIM = """
    with overlapped as (
        delete from ref.symbol_history
        where
            symbol = %(symbol)s and calendar = %(calendar)s
            and valid_from < %(valid_to)s and valid_to > %(valid_from)s
        returning *
    ),

    parts as (
        select valid_from, least(valid_to, %(valid_from)s) as valid_to, instrument_id, source
        from overlapped
        union all
        select greatest(valid_from, %(valid_to)s), valid_to, instrument_id, source
        from overlapped
    )

    select valid_from::text, valid_to::text, instrument_id, source from parts
    where valid_from < valid_to
"""
STORE = """
    insert into ref.symbol_history (
        symbol, calendar, valid_from, valid_to, instrument_id, source
    )
    values (
        %(symbol)s, %(calendar)s, %(valid_from)s, %(valid_to)s, %(instrument_id)s, %(source)s
    )
"""


def write_instruments(
    conn: Connection, rows: list[Row], profile: TableProfile, batch_id: int
) -> tuple[int, int]:
    """Make instruments, or correct what is known of them."""
    del batch_id
    accepted = known = 0
    optional = {"currency": None, "asset_class": None, "allow_negative_price": None}
    for row in rows:
        facts = {**optional, **row.values, "source": profile.source}
        found = conn.execute(CURRENT, facts).fetchone()
        if found:
            facts["instrument_id"] = found[0]
        else:
            facts["instrument_id"] = create(
                conn, Ticker(row.symbol, str(row.values["calendar"]), profile.source)
            )
            conn.execute(FOREVER, facts)
        changed = conn.execute(DESCRIBE, facts).rowcount
        accepted += bool(changed or not found)
        known += not (changed or not found)
    return accepted, known


def write_histories(
    conn: Connection, rows: list[Row], profile: TableProfile, batch_id: int
) -> tuple[int, int]:
    """Say which instrument a ticker meant, from one session to another."""
    del batch_id
    accepted = known = 0
    labels: dict[tuple[str, str], int] = {}
    for row in rows:
        facts = {**row.values, "source": profile.source}
        facts["valid_from"] = row.values.get("valid_from") or "-infinity"
        facts["valid_to"] = row.values.get("valid_to") or "infinity"
        if str(facts["valid_from"]) >= str(facts["valid_to"]) and facts["valid_to"] != "infinity":
            row.rules.append("bad_value")
            continue
        label = str(row.values.get("instrument") or row.symbol)
        calendar = str(row.values["calendar"])
        at = (label, calendar)
        if at not in labels:
            named = {"symbol": label, "calendar": calendar}
            found = conn.execute(NAMED, named).fetchone()
            labels[at] = (
                int(found[0]) if found else create(conn, Ticker(label, calendar, profile.source))
            )
        facts["instrument_id"] = labels[at]
        if conn.execute(SAME, facts).fetchone() is not None:
            known += 1
        elif conn.execute(STRANDED, facts).fetchone() is not None:
            row.rules.append("history_conflict")
        else:
            for part in conn.execute(TRIM, facts).fetchall():
                kept = dict(
                    zip(("valid_from", "valid_to", "instrument_id", "source"), part, strict=True)
                )
                conn.execute(STORE, {**facts, **kept})
            conn.execute(STORE, facts)
            accepted += 1
    return accepted, known
