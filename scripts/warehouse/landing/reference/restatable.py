"""Corporate actions and company facts: append-only, a changed fact is the next revision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from warehouse.landing.instruments import Ticker, find, find_or_create
from warehouse.landing.reference.tables import Row, TableProfile

Key = tuple[Any, ...]
Facts = tuple[Any, ...]
Known = dict[Key, tuple[int, Facts | None]]

KNOWN_ACTIONS = """
    select distinct on (instrument_id, action_type, ex_date)
        instrument_id, action_type, ex_date, revision, is_withdrawn,
        split_ratio, cash_amount, currency
    from ref.corporate_actions
    where source = %(source)s and instrument_id = any(%(keys)s)
    order by instrument_id, action_type, ex_date, revision desc
"""
ACTIONS = """
    insert into ref.corporate_actions (
        instrument_id, action_type, ex_date, source, revision,
        split_ratio, cash_amount, currency, batch_id
    )
    select
        n.instrument_id, n.action_type, n.ex_date, %(source)s, n.revision,
        n.split_ratio, n.cash_amount, n.currency, %(batch_id)s
    from jsonb_to_recordset(%(rows)s) as n (
        instrument_id integer, action_type text, ex_date date, revision integer,
        split_ratio numeric, cash_amount numeric, currency text
    )
    order by n.instrument_id, n.ex_date
"""
WITHDRAW_ACTIONS = """
    insert into ref.corporate_actions (
        instrument_id, action_type, ex_date, source, revision,
        split_ratio, cash_amount, currency, batch_id, is_withdrawn
    )
    select
        a.instrument_id, a.action_type, a.ex_date, a.source, a.revision + 1,
        a.split_ratio, a.cash_amount, a.currency, %(batch_id)s, true
    from jsonb_to_recordset(%(rows)s) as n (
        instrument_id integer, action_type text, ex_date date, revision integer
    )
    inner join ref.corporate_actions as a
        on
            n.instrument_id = a.instrument_id
            and n.action_type = a.action_type
            and n.ex_date = a.ex_date
            and n.revision = a.revision
            and a.source = %(source)s
    order by a.instrument_id, a.ex_date
"""
KNOWN_INFOS = """
    select distinct on (symbol)
        symbol, revision, company_name, sector, industry, market_cap, country, currency, exchange
    from raw_market.stock_info
    where source = %(source)s and symbol = any(%(keys)s)
    order by symbol, revision desc
"""
INFO = ("company_name", "sector", "industry", "market_cap", "country", "currency", "exchange")
# The instrument is known when exactly one calendar has that ticker today.
INFOS = """
    insert into raw_market.stock_info (
        symbol, source, revision, instrument_id, company_name, sector, industry, market_cap,
        country, currency, exchange, batch_id
    )
    select
        n.symbol, %(source)s, n.revision, h.instrument_id, n.company_name, n.sector, n.industry,
        n.market_cap, n.country, n.currency, n.exchange, %(batch_id)s
    from jsonb_to_recordset(%(rows)s) as n (
        symbol text, revision integer, company_name text, sector text, industry text,
        market_cap numeric, country text, currency text, exchange text
    )
    left join lateral (
        select min(s.instrument_id) as instrument_id
        from ref.symbol_history as s
        where s.symbol = n.symbol and current_date >= s.valid_from and current_date < s.valid_to
        having count(distinct s.instrument_id) = 1
    ) as h on true
    order by n.symbol
"""


def write_actions(
    conn: Connection, rows: list[Row], profile: TableProfile, batch_id: int
) -> tuple[int, int]:
    """Write splits and dividends."""
    for row in rows:
        value = row.values
        amount = "split_ratio" if value["action_type"] == "split" else "cash_amount"
        other = "cash_amount" if amount == "split_ratio" else "split_ratio"
        if value.get(amount) is None:
            row.rules.append("bad_value")
        value[other] = None
    good = [row for row in rows if not row.rules]
    for row in good:
        day = row.values["ex_date"]
        if not isinstance(day, date):
            row.rules.append("bad_time")
            continue
        currency = row.values.get("currency")
        ticker = Ticker(
            row.symbol,
            str(row.values["calendar"]),
            profile.source,
            None if currency is None else str(currency),
        )
        row.values["instrument_id"] = find_or_create(conn, ticker, day)
    good = [row for row in good if not row.rules]
    keys = sorted({int(str(row.values["instrument_id"])) for row in good})
    names = ("split_ratio", "cash_amount", "currency")
    known: Known = {
        # A withdrawn action is there again by its next revision, the same values or others.
        (found[0], found[1], found[2]): (found[3], None if found[4] else found[5:])
        for found in conn.execute(KNOWN_ACTIONS, {"source": profile.source, "keys": keys})
    }
    fresh, same = _compare(good, known, _action_key, names)
    return _insert(conn, ACTIONS, fresh, profile, batch_id), same


def withdraw_actions(
    conn: Connection, rows: list[Row], profile: TableProfile, batch_id: int
) -> tuple[int, int]:
    """Take back splits and dividends that never happened; their amounts are not asked for."""
    for row in rows:
        day = row.values["ex_date"]
        if not isinstance(day, date):
            row.rules.append("bad_time")
            continue
        ticker = Ticker(row.symbol, str(row.values["calendar"]), profile.source)
        row.values["instrument_id"] = find(conn, ticker, day)
    named: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        if not row.rules:
            named[_action_key(row)].append(row)
    keys = sorted({key[0] for key in named if key[0] is not None})
    latest = {
        (found[0], found[1], found[2]): found[3:5]
        for found in conn.execute(KNOWN_ACTIONS, {"source": profile.source, "keys": keys})
    }
    known = 0
    doomed: list[dict[str, object]] = []
    for key, group in named.items():
        if key not in latest:
            for row in group:
                row.rules.append("unknown_action")
            continue
        revision, is_withdrawn = latest[key]
        known += len(group) - (not is_withdrawn)
        if not is_withdrawn:
            doomed.append({**group[0].values, "revision": revision})
    return _insert(conn, WITHDRAW_ACTIONS, doomed, profile, batch_id), known


def _action_key(row: Row) -> Key:
    return tuple(row.values[name] for name in ("instrument_id", "action_type", "ex_date"))


def write_infos(
    conn: Connection, rows: list[Row], profile: TableProfile, batch_id: int
) -> tuple[int, int]:
    """Write names, sectors and listings."""
    keys = sorted({row.symbol for row in rows})
    known: Known = {
        (found[0],): (found[1], found[2:])
        for found in conn.execute(KNOWN_INFOS, {"source": profile.source, "keys": keys})
    }
    for row in rows:
        cap = row.values.get("market_cap")
        row.values["market_cap"] = None if cap is None else round(cap, 2)  # type: ignore[call-overload]
    fresh, same = _compare(rows, known, lambda row: (row.symbol,), INFO)
    return _insert(conn, INFOS, fresh, profile, batch_id), same


def _compare(
    rows: list[Row],
    known: Known,
    key_of: Callable[[Row], Key],
    names: tuple[str, ...],
) -> tuple[list[dict[str, object]], int]:
    """Tell new rows (with their revision) from known ones; reject what contradicts itself."""
    by_key: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        by_key[key_of(row)].append(row)
    fresh: list[dict[str, object]] = []
    same = 0
    for key, group in by_key.items():
        facts = {tuple(row.values.get(name) for name in names) for row in group}
        if len(facts) > 1:
            for row in group:
                row.rules.append("conflicting_duplicate")
            continue
        same += len(group) - 1
        revision, stored = known.get(key, (-1, None))
        if stored == facts.copy().pop():
            same += 1
        else:
            fresh.append({**group[0].values, "revision": revision + 1})
    return fresh, same


def _insert(
    conn: Connection,
    statement: str,
    fresh: list[dict[str, object]],
    profile: TableProfile,
    batch_id: int,
) -> int:
    """Insert all rows in one statement, for one note in the change log."""
    if not fresh:
        return 0
    rows = [
        {name: None if value is None else _plain(value) for name, value in row.items()}
        for row in fresh
    ]
    facts = {"rows": Jsonb(rows), "source": profile.source, "batch_id": batch_id}
    return conn.execute(statement, facts).rowcount


def _plain(value: object) -> object:
    return value if isinstance(value, (bool, int)) else str(value)
