"""The SQL of a landing, statement by statement, over temporary tables of one session.

scratch: the rows as read. resolved: which instrument a symbol means, and when. rejected: rows
that go to quarantine. repeated: exact repeats within the batch. existing: rows whose key the
landing table already has.
"""

from __future__ import annotations

from psycopg import Connection

from warehouse.landing.calendars import calendar
from warehouse.landing.judge import reasons
from warehouse.landing.profile import Profile

Facts = dict[str, object]

SCRATCH = """
    create temp table scratch (
        line bigint not null,
        symbol text,
        bar_ts timestamptz,
        session_date date,
        open numeric,
        high numeric,
        low numeric,
        close numeric,
        volume numeric,
        broken text []
    );
    create temp table resolved (
        symbol text,
        valid_from date,
        valid_to date,
        instrument_id integer
    );
    create temp table rejected (line bigint primary key, rules text []);
    create temp table repeated (line bigint primary key);
    create temp table existing (line bigint primary key, revision integer, same boolean);
"""
COPY = "copy scratch from stdin"

RESOLVE = """
    insert into resolved (symbol, valid_from, valid_to, instrument_id)
    select symbol, valid_from, valid_to, instrument_id
    from ref.symbol_history
    where calendar = %(calendar)s
"""

# A symbol outside every known range is another instrument: it gets the gap it falls into.
NEW_INSTRUMENTS = """
    with strangers as (
        select s.symbol, s.session_date, min(s.line) as line
        from scratch as s
        left join resolved as r
            on
                s.symbol = r.symbol
                and s.session_date >= r.valid_from and s.session_date < r.valid_to
        where
            r.symbol is null
            and s.broken is null
            and not exists (select from rejected as j where j.line = s.line)
        group by s.symbol, s.session_date
    ),

    gaps as (
        select
            s.symbol,
            coalesce(
                (
                    select max(h.valid_to) from resolved as h
                    where h.symbol = s.symbol and h.valid_to <= s.session_date
                ), '-infinity'
            ) as valid_from,
            coalesce(
                (
                    select min(h.valid_from) from resolved as h
                    where h.symbol = s.symbol and h.valid_from > s.session_date
                ), 'infinity'
            ) as valid_to,
            min(s.line) as line
        from strangers as s
        group by 1, 2, 3
    ),

    created as (
        select
            symbol,
            valid_from,
            valid_to,
            nextval(pg_get_serial_sequence('ref.instruments', 'instrument_id')) as instrument_id
        from (select * from gaps order by line) as gaps
    ),

    instruments as (
        insert into ref.instruments (
            instrument_id, symbol, calendar, currency, asset_class, allow_negative_price,
            first_source
        ) overriding system value
        select
            instrument_id,
            symbol,
            %(calendar)s,
            %(currency)s,
            %(asset_class)s,
            %(allow_negative_price)s,
            %(source)s
        from created
    ),

    histories as (
        insert into ref.symbol_history (
            symbol, calendar, valid_from, valid_to, instrument_id, source
        )
        select symbol, %(calendar)s, valid_from, valid_to, instrument_id, %(source)s
        from created
    )

    insert into resolved (symbol, valid_from, valid_to, instrument_id)
    select symbol, valid_from, valid_to, instrument_id
    from created
"""

HAS_RENAMED = """
    select count(distinct symbol) > count(distinct instrument_id)
    from resolved as r
    where exists (select from scratch as s where s.symbol = r.symbol)
"""

JOINED = """
    scratch as s
    inner join resolved as r
        on s.symbol = r.symbol and s.session_date >= r.valid_from and s.session_date < r.valid_to
"""

REPEATED = f"""
    with keyed as (
        select
            s.line,
            min(s.line) over same_values as first_line,
            min(s.line) over same_key as key_line,
            max(s.line) over same_key as key_last
        from {JOINED}
        where not exists (select from rejected as j where j.line = s.line)
        window
            same_key as (partition by r.instrument_id, s.bar_ts),
            same_values as (
                partition by
                    r.instrument_id, s.bar_ts, round(s.open, 10), round(s.high, 10),
                    round(s.low, 10), round(s.close, 10), round(s.volume, 10)
            )
    ),

    twice as (
        select
            line,
            first_line,
            -- Two distinct rows for a key: nobody can say which is right.
            bool_or(first_line <> key_line) over (partition by key_line) as conflicts
        from keyed
        where key_line <> key_last
    ),

    conflicting as (
        insert into rejected (line, rules)
        select line, array['conflicting_duplicate'] from twice
        where conflicts
    )

    insert into repeated (line)
    select line from twice
    where not conflicts and line <> first_line
"""  # noqa: S608 (no part comes from outside)

# Joined with every revision known; only the latest counts.
KNOWN = f"""
    insert into existing (line, revision, same)
    select distinct on (s.line)
        s.line,
        b.revision,
        b.adjusted = %(adjusted)s
        and b.open = round(s.open, 10)
        and b.high = round(s.high, 10)
        and b.low = round(s.low, 10)
        and b.close = round(s.close, 10)
        and b.volume is not distinct from round(s.volume, 10)
    from {JOINED}
    inner join raw_market.bars as b
        on
            r.instrument_id = b.instrument_id
            and b.timeframe = %(timeframe)s
            and s.bar_ts = b.bar_ts
            and b.source = %(source)s
    where
        not exists (select from rejected as j where j.line = s.line)
        and not exists (select from repeated as d where d.line = s.line)
    order by s.line, b.revision desc
"""  # noqa: S608

INSERT = f"""
    insert into raw_market.bars (
        instrument_id, timeframe, bar_ts, source, revision, symbol, session_date,
        open, high, low, close, volume, adjusted, batch_id
    )
    select
        r.instrument_id,
        %(timeframe)s,
        s.bar_ts,
        %(source)s,
        coalesce(e.revision + 1, 0),
        s.symbol,
        s.session_date,
        s.open,
        s.high,
        s.low,
        s.close,
        s.volume,
        %(adjusted)s,
        %(batch_id)s
    from {JOINED}
    left join existing as e on s.line = e.line
    where
        e.same is not true
        and not exists (select from rejected as j where j.line = s.line)
        and not exists (select from repeated as d where d.line = s.line)
"""  # noqa: S608

COUNT = """
    select
        (select count(*) from scratch),
        (select count(*) from existing where same) + (select count(*) from repeated),
        (select count(*) from rejected)
"""


def facts(profile: Profile) -> Facts:
    """Return what the statements need to know of a source."""
    return {
        "source": profile.source,
        "timeframe": profile.timeframe,
        "seconds": profile.seconds,
        "zone": "UTC" if profile.is_daily else calendar(profile.calendar).timezone,
        "calendar": profile.calendar,
        "currency": profile.currency,
        "asset_class": profile.asset_class,
        "allow_negative_price": profile.allow_negative_price,
        "adjusted": profile.adjusted,
    }


def create_scratch(conn: Connection) -> None:
    """Create the temporary tables of this session; they vanish with it."""
    conn.execute(SCRATCH)


def resolve(conn: Connection, known: Facts) -> None:
    """Fetch the calendar's symbols; there are thousands of them at most."""
    conn.execute("analyze scratch")
    conn.execute(RESOLVE, known)
    conn.execute("analyze resolved")


def new_instruments(conn: Connection, known: Facts) -> None:
    """Make an instrument of each symbol that good rows name and nobody knows."""
    conn.execute("analyze rejected")
    if conn.execute(NEW_INSTRUMENTS, known).rowcount:
        conn.execute("analyze resolved")


def find_repeated(conn: Connection, known: Facts, *, in_order: bool) -> None:
    """Find keys that the batch has more than once."""
    if not in_order or _one(conn, HAS_RENAMED):
        conn.execute(REPEATED, known)
        conn.execute("analyze rejected, repeated")


def find_known(conn: Connection, known: Facts) -> None:
    """Find rows whose key is landed already, and whether their values are the same."""
    if conn.execute(KNOWN, known).rowcount:
        conn.execute("analyze existing")


def insert(conn: Connection, known: Facts, *, in_order: bool) -> int:
    """Insert the rest in one statement, for one note in the change log; return how many."""
    # Rows in the order of the key fill its index twice as fast; most files have that order.
    return conn.execute(INSERT + ("" if in_order else "order by 1, 3"), known).rowcount


def count(conn: Connection) -> tuple[int, int, int]:
    """Return how many rows arrived, were known, and are rejected."""
    row = conn.execute(COUNT).fetchone()
    return row if row else (0, 0, 0)


def rule_counts(conn: Connection) -> dict[str, int]:
    """Return how often each rule was broken, in the order of the catalogue."""
    found: dict[str, int] = dict(
        conn.execute("select rule, count(*) from rejected, unnest(rules) as rule group by rule")
    )
    return {rule: found[rule] for rule in reasons() if rule in found}


def _one(conn: Connection, sql: str) -> int:
    row = conn.execute(sql).fetchone()
    return int(row[0]) if row else 0
