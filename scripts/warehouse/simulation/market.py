"""Read the market of a simulation from the landing zone: latest revisions, nothing withdrawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from psycopg import Connection

from warehouse.errors import WarehouseError
from warehouse.simulation.world import HISTORY, Bar, Market, Session

LAND = "land some first: `warehouse demo`, or `warehouse land bars FILE… --source NAME`"
MOST = 8
"""Symbols of a universe that nobody named."""
PAUSE = timedelta(hours=1)
"""Least time between sessions: decisions follow a close, and orders precede an open."""
WINDOW = timedelta(days=2 * 366)
"""How far bars are read before and after the first session; what lands beyond changes nothing."""
COMPLETE = 0.95
"""Share of the best-covered symbol's sessions that a symbol needs to be in the universe."""

CALENDARS = """
    with breaks as (
        select
            calendar,
            open_at - lag(close_at) over (partition by calendar order by open_at) as pause
        from ref.exchange_sessions
    )

    select i.calendar, max(b.session_date)
    from (select distinct instrument_id from ref.series where timeframe = '1d') as s
    inner join ref.instruments as i using (instrument_id)
    cross join lateral (
        select session_date from raw_market.bars
        where instrument_id = s.instrument_id and timeframe = '1d'
        order by bar_ts desc
        limit 1
    ) as b
    where
        (%(symbols)s::text[] is null or i.symbol = any(%(symbols)s))
        and (select min(pause) from breaks where calendar = i.calendar) >= %(pause)s
    group by i.calendar
    order by count(*) desc, i.calendar
    limit 1
"""
BARS = """
    with latest as (
        select distinct on (b.instrument_id, b.bar_ts, b.source)
            b.instrument_id, b.source, b.session_date, b.open, b.high, b.low, b.close, b.volume,
            b.is_withdrawn, b.adjusted
        from raw_market.bars as b
        inner join ref.instruments as i using (instrument_id)
        where b.timeframe = '1d' and i.calendar = %(calendar)s
            and b.bar_ts between %(since)s and %(until)s
        order by b.instrument_id, b.bar_ts, b.source, b.revision desc
    ),

    -- Basis and source of an instrument stay the same from its first bar to its last.
    chosen as (
        select distinct on (instrument_id) instrument_id, source, adjusted
        from latest
        where not is_withdrawn
        group by instrument_id, source, adjusted
        order by instrument_id, count(*) desc, source, adjusted
    )

    select
        i.symbol, i.currency, l.source, l.adjusted,
        l.session_date, l.open, l.high, l.low, l.close, l.volume
    from latest as l
    inner join chosen using (instrument_id, source, adjusted)
    inner join ref.instruments as i using (instrument_id)
    where
        not l.is_withdrawn and l.low > 0
        and (%(symbols)s::text[] is null or i.symbol = any(%(symbols)s))
    order by i.symbol, l.session_date
"""
SPLITS = """
    select distinct i.symbol
    from (
        select distinct on (instrument_id, ex_date, source) instrument_id, is_withdrawn
        from ref.corporate_actions
        where action_type = 'split' and ex_date between %(since)s and %(until)s
        order by instrument_id, ex_date, source, revision desc
    ) as s
    inner join ref.instruments as i using (instrument_id)
    where not s.is_withdrawn
"""
SESSIONS = """
    select session_date, open_at, close_at from ref.exchange_sessions
    where calendar = %(calendar)s and session_date between %(since)s and %(until)s
    order by session_date
"""
KNOWN = """
    select array_agg(distinct i.symbol order by i.symbol)
    from ref.series as s
    inner join ref.instruments as i using (instrument_id)
    where s.timeframe = '1d'
"""

Quotes = dict[str, dict[date, Bar]]


def load_market(
    conn: Connection,
    *,
    symbols: Sequence[str] | None = None,
    start: date | None = None,
    days: int | None = None,
) -> Market:
    """Return the daily bars of the universe, and where the simulation begins in them.

    It begins with the year before the last landed one, so that more days only add. Raises
    WarehouseError when no bars are landed, too few, or a symbol has none.
    """
    _check_symbols(conn, symbols)
    facts: dict[str, Any] = {"symbols": list(symbols) if symbols else None, "pause": PAUSE}
    row = conn.execute(CALENDARS, facts).fetchone()
    if row is None:
        raise WarehouseError(
            "No daily bars with a pause between their sessions are landed: nothing to trade on.",
            do=LAND,
        )
    start = start or date(row[1].year - 1, 1, 1)
    facts |= {"calendar": row[0], "since": start - WINDOW, "until": start + WINDOW}
    splits = {str(symbol) for (symbol,) in conn.execute(SPLITS, facts)}
    quotes, origins, currency = _read(conn, facts)
    if missing := sorted(set(symbols or ()) - set(quotes)):
        raise WarehouseError(
            f"{', '.join(missing)} cannot be traded together with the others.",
            where=f"calendar {facts['calendar']}, {facts['since']} to {facts['until']}",
            do="name symbols of one calendar, which have daily bars in these years",
        )
    quotes = _universe(quotes, splits, named=bool(symbols))
    hours = {day: Session(day, opens, ends) for day, opens, ends in conn.execute(SESSIONS, facts)}
    shared = sorted(set(hours).intersection(*(set(bars) for bars in quotes.values())))
    first = _first(shared, start)
    _check_length(shared, first, days)
    return Market(
        facts["calendar"],
        currency,
        tuple(quotes),
        tuple(origins[symbol] for symbol in quotes),
        tuple(hours[day] for day in shared),
        {symbol: tuple(bars[day] for day in shared) for symbol, bars in quotes.items()},
        first,
    )


def _check_symbols(conn: Connection, symbols: Sequence[str] | None) -> None:
    row = conn.execute(KNOWN).fetchone()
    landed = (row[0] if row else None) or []
    unknown = [symbol for symbol in symbols or () if symbol not in landed]
    if unknown and landed:
        raise WarehouseError(
            f"No daily bars of {', '.join(unknown)} are landed.",
            where=f"landed: {', '.join(landed[:20])}{', …' if len(landed) > 20 else ''}",
            do="name landed symbols with --symbol, or leave it out",
        )


def _read(conn: Connection, facts: dict[str, Any]) -> tuple[Quotes, dict[str, str], str]:
    quotes: Quotes = {}
    origins: dict[str, str] = {}
    currencies: Counter[str] = Counter()
    for symbol, currency, source, adjusted, day, *prices, volume in conn.execute(BARS, facts):
        exact = [Decimal(price).normalize() + Decimal(0) for price in prices]
        quotes.setdefault(symbol, {})[day] = Bar(exact[0], exact[1], exact[2], exact[3], volume)
        origins[symbol] = f"{symbol}/{source}/{adjusted}"
        currencies[currency or "USD"] += 1
    return quotes, origins, currencies.most_common(1)[0][0] if currencies else "USD"


def _universe(quotes: Quotes, splits: set[str], *, named: bool) -> Quotes:
    """Return the symbols to trade: well covered, and without a split to account for."""
    if named and (split := sorted(splits & set(quotes))):
        raise WarehouseError(
            f"{', '.join(split)} split within the bars that the simulation reads.",
            do="leave it out, or begin elsewhere with --start: the sample books no splits",
        )
    whole = {symbol: bars for symbol, bars in quotes.items() if symbol not in splits}
    most = max((len(bars) for bars in whole.values()), default=0)
    chosen = {s: b for s, b in whole.items() if named or len(b) >= COMPLETE * most}
    if not chosen:
        raise WarehouseError("No symbol has daily bars without a split.", do=LAND)
    return {symbol: chosen[symbol] for symbol in sorted(chosen)[: None if named else MOST]}


def _first(shared: list[date], wanted: date) -> int:
    later = [number for number, day in enumerate(shared) if day >= wanted]
    return max(later[0] if later else len(shared), HISTORY)


def _check_length(shared: list[date], first: int, days: int | None) -> None:
    there = max(len(shared) - first, 0)
    if there >= (days or 1):
        return
    span = f"{len(shared)} shared sessions" + (
        f", {shared[0]} to {shared[-1]}; {there} from {shared[first]} on" if there else ""
    )
    raise WarehouseError(
        f"{days} sessions are asked for, but only {there} can be simulated.",
        where=f"{span}; the first {HISTORY} are history for features and models",
        do="ask for fewer --days, begin earlier with --start, or land more daily bars",
    )
