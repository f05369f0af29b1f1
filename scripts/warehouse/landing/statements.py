"""The SQL of a landing, statement by statement, over temporary tables of one session.

scratch: the rows as read. resolved: which instrument a symbol means, and when. aside: rows set
aside, with the rules they break, or without any when they repeat another row of the batch.
existing: rows whose key the landing table already has.
"""

from __future__ import annotations

from collections.abc import Collection

from psycopg import Connection

from warehouse.landing.calendars import calendar
from warehouse.landing.judge import reasons
from warehouse.landing.profile import Profile

Facts = dict[str, object]
MANY = 20_000
"""From so many rows on, looking each key up in the index is slower than one pass over both."""

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
        instrument_id integer,
        allow_negative_price boolean
    );
    create temp table aside (line bigint primary key, rules text []);
    create temp table existing (line bigint primary key, revision integer, same boolean);
"""
COPY = "copy scratch from stdin"

RESOLVE = """
    insert into resolved (symbol, valid_from, valid_to, instrument_id, allow_negative_price)
    select h.symbol, h.valid_from, h.valid_to, h.instrument_id, i.allow_negative_price
    from ref.symbol_history as h
    inner join ref.instruments as i on h.instrument_id = i.instrument_id
    where h.calendar = %(calendar)s and h.symbol = any(%(symbols)s)
"""

# Symbols that nobody knows, or not for all time.
STRANGE = """
    select s.symbol, r.symbol is not null as is_partly_known
    from unnest(%(symbols)s::text []) as s (symbol)
    left join (
        select symbol, bool_or(valid_from = '-infinity' and valid_to = 'infinity') as always
        from resolved
        group by symbol
    ) as r on s.symbol = r.symbol
    where r.always is not true
"""

# A symbol outside every known range is another instrument: it gets the gap it falls into.
NEW_INSTRUMENTS = """
    with good as (
        select s.symbol, s.session_date, s.line
        from scratch as s
        where
            s.broken is null
            and not exists (select from aside as a where a.line = s.line)
    ),

    strangers as (
        select symbol, null::date as session_date, min(line) as line
        from good
        where symbol = any(%(unknown)s)
        group by symbol
        union all
        select g.symbol, g.session_date, min(g.line)
        from good as g
        where
            g.symbol = any(%(partly)s)
            and not exists (
                select from resolved as r
                where
                    r.symbol = g.symbol
                    and g.session_date >= r.valid_from and g.session_date < r.valid_to
            )
        group by g.symbol, g.session_date
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

    insert into resolved (symbol, valid_from, valid_to, instrument_id, allow_negative_price)
    select symbol, valid_from, valid_to, instrument_id, %(allow_negative_price)s
    from created
"""

HAS_RENAMED = "select count(distinct symbol) > count(distinct instrument_id) from resolved"

JOINED = """
    scratch as s
    inner join resolved as r
        on s.symbol = r.symbol and s.session_date >= r.valid_from and s.session_date < r.valid_to
"""
NOT_ASIDE = "and not exists (select from aside as a where a.line = s.line)"

REPEATED = f"""
    with keyed as (
        select
            s.line,
            min(s.line) over same_values as first_line,
            min(s.line) over same_key as key_line,
            max(s.line) over same_key as key_last
        from {JOINED}
        where not exists (select from aside as a where a.line = s.line)
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
    )

    insert into aside (line, rules)
    select line, case when conflicts then array['conflicting_duplicate'] end from twice
    where conflicts or line <> first_line
"""  # noqa: S608 (no part comes from outside)

# Joined with every revision known; only the latest counts.
KNOWN = """
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
    from {joined}
    inner join raw_market.bars as b
        on
            r.instrument_id = b.instrument_id
            and b.timeframe = %(timeframe)s
            and s.bar_ts = b.bar_ts
            and b.source = %(source)s
    where
        b.bar_ts between %(first_ts)s and %(last_ts)s
        {not_aside}
    order by s.line, b.revision desc
"""

INSERT = """
    insert into raw_market.bars (
        instrument_id, timeframe, bar_ts, source, revision, symbol, session_date,
        open, high, low, close, volume, adjusted, batch_id
    )
    select
        r.instrument_id,
        %(timeframe)s,
        s.bar_ts,
        %(source)s,
        {revision},
        s.symbol,
        s.session_date,
        s.open,
        s.high,
        s.low,
        s.close,
        s.volume,
        %(adjusted)s,
        %(batch_id)s
    from {joined}
    {existing}
    where
        true
        {not_aside}
    {order}
"""

COUNT = """
    select
        (select count(*) from scratch),
        (select count(*) from existing where same) + count(*) filter (where rules is null),
        count(rules)
    from aside
"""


GOOD = """
    select s.line from scratch as s
    left join aside as a on s.line = a.line
    where a.rules is null
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


class Landing:
    """The statements of one landing, in their order; each knows what the others found."""

    def __init__(self, conn: Connection, known: Facts, symbols: Collection[str]) -> None:
        """Fetch what the symbols of the batch mean."""
        self.conn = conn
        self.facts = known | {"symbols": list(symbols)}
        self.is_aside = False
        self.is_known = False
        conn.execute("analyze scratch")
        conn.execute(RESOLVE, self.facts)
        conn.execute("analyze resolved")

    def judge(self, statement: str) -> None:
        """Set rows aside that break a rule."""
        if self.conn.execute(statement, self.facts).rowcount:
            self.conn.execute("analyze aside")
            self.is_aside = True

    def make_instruments(self) -> None:
        """Make an instrument of each symbol that good rows name and nobody knows."""
        strange = self.conn.execute(STRANGE, self.facts).fetchall()
        if strange:
            groups = {
                "unknown": [symbol for symbol, partly in strange if not partly],
                "partly": [symbol for symbol, partly in strange if partly],
            }
            self.conn.execute(NEW_INSTRUMENTS, self.facts | groups)
            self.conn.execute("analyze resolved")

    def find_repeated(self, *, in_order: bool) -> None:
        """Set rows aside whose key the batch has more than once."""
        row = self.conn.execute(HAS_RENAMED).fetchone()
        # Rising times of contiguous symbols cannot repeat a key: no need to look.
        if in_order and row and not row[0]:
            return
        if self.conn.execute(REPEATED, self.facts).rowcount:
            self.conn.execute("analyze aside")
            self.is_aside = True

    def find_known(self, rows: int) -> None:
        """Find rows whose key is landed already, and whether their values are the same."""
        statement = KNOWN.format(joined=JOINED, not_aside=NOT_ASIDE if self.is_aside else "")
        # The planner takes instrument, timeframe and source for independent and expects few rows.
        if rows >= MANY:
            self.conn.execute("set local enable_nestloop = off")
        self.is_known = bool(self.conn.execute(statement, self.facts).rowcount)
        self.conn.execute("set local enable_nestloop = on")
        if self.is_known:
            self.conn.execute("analyze existing")

    def insert(self, *, in_order: bool) -> int:
        """Insert the rest in one statement, for one note in the change log; return how many."""
        statement = INSERT.format(
            joined=JOINED,
            revision="coalesce(e.revision + 1, 0)" if self.is_known else "0",
            existing="left join existing as e on s.line = e.line" if self.is_known else "",
            not_aside=(NOT_ASIDE if self.is_aside else "")
            + (" and e.same is not true" if self.is_known else ""),
            # Rows in the order of the key fill its index twice as fast; most files have it.
            order="" if in_order else "order by r.instrument_id, s.bar_ts",
        )
        return self.conn.execute(statement, self.facts).rowcount

    def count(self) -> tuple[int, int, int]:
        """Return how many rows arrived, were known, and are rejected."""
        row = self.conn.execute(COUNT).fetchone()
        return row if row else (0, 0, 0)

    def good_lines(self) -> list[int]:
        """Return the lines that break no rule; asked of replays, which are small."""
        return [row[0] for row in self.conn.execute(GOOD)]

    def rule_counts(self) -> dict[str, int]:
        """Return how often each rule was broken, in the order of the catalogue."""
        found: dict[str, int] = dict(
            self.conn.execute("select rule, count(*) from aside, unnest(rules) as rule group by 1")
        )
        return {rule: found[rule] for rule in reasons() if rule in found}
