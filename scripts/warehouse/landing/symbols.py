"""Which instruments the symbols of a batch mean; one that nobody knows becomes an instrument."""

from __future__ import annotations

from collections.abc import Collection

from psycopg import Connection

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
    from unnest(%(symbols)s::text []) with ordinality as s (symbol, place)
    left join (
        select symbol, bool_or(valid_from = '-infinity' and valid_to = 'infinity') as always
        from resolved
        group by symbol
    ) as r on s.symbol = r.symbol
    where r.always is not true
    order by s.place
"""

# Where every row is good, each unknown symbol has one; they come in the order of the file.
STRANGERS = """
    with strangers as (
        select symbol, null::date as session_date, line
        from unnest(%(unknown)s::text []) with ordinality as u (symbol, line)
    ),
"""
STRANGERS_AMONG_GOOD = """
    with good as not materialized (
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
"""

# A symbol outside every known range is another instrument: it gets the gap it falls into.
NEW_INSTRUMENTS = """
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

IDS = "select symbol, instrument_id from resolved where symbol = any(%s)"


class Symbols:
    """What the temporary table `resolved` says of the symbols seen so far."""

    def __init__(self, conn: Connection, facts: dict[str, object]) -> None:
        """Begin with none; `facts`: calendar, source, and what new instruments get."""
        self.conn = conn
        self.facts = facts
        self.learnt: frozenset[str] = frozenset()
        self.ids: dict[str, int] = {}
        """Of the symbols that always meant one instrument, as far as `find()` was asked."""

    def learn(self, symbols: Collection[str]) -> None:
        """Fetch what symbols mean."""
        fresh = [each for each in symbols if each not in self.learnt]
        self.conn.execute(RESOLVE, self.facts | {"symbols": fresh})
        self.learnt |= {*fresh}

    def make(self, symbols: Collection[str], *, is_aside: bool) -> None:
        """Make an instrument of each symbol that good rows of scratch name and nobody knows.

        `is_aside`: some rows are no good ones.
        """
        strange = self._strange(symbols)
        if any(strange.values()):
            # Most often every row is good and no symbol is known in part: no need to look at rows.
            look = is_aside or strange["partly"]
            strangers = STRANGERS_AMONG_GOOD if look else STRANGERS
            self._make(strangers, strange)

    def find(self, symbols: Collection[str]) -> dict[str, int] | None:
        """Return the instrument of each symbol, made where nobody knew it.

        None where one changed hands: then it is a matter of each row.
        """
        fresh = [each for each in symbols if each not in self.learnt]
        if fresh:
            self.learn(fresh)
            strange = self._strange(fresh)
            if strange["partly"]:
                return None
            if strange["unknown"]:
                self._make(STRANGERS, strange)
            self.ids |= dict(self.conn.execute(IDS, [fresh]).fetchall())
        if any(each not in self.ids for each in symbols):
            return None
        return {each: self.ids[each] for each in symbols}

    def forget(self, learnt: frozenset[str]) -> None:
        """Know no more than before a transaction that was taken back."""
        self.learnt = learnt
        self.ids = {name: number for name, number in self.ids.items() if name in learnt}

    def _strange(self, symbols: Collection[str]) -> dict[str, list[str]]:
        """Return the symbols that nobody knows, and those that are not known for all time."""
        found = self.conn.execute(STRANGE, {"symbols": list(symbols)}).fetchall()
        return {
            "unknown": [symbol for symbol, partly in found if not partly],
            "partly": [symbol for symbol, partly in found if partly],
        }

    def _make(self, strangers: str, strange: dict[str, list[str]]) -> None:
        self.conn.execute(strangers + NEW_INSTRUMENTS, self.facts | strange)
