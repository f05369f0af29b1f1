"""SQL over the bars that a command takes back: doomed holds the latest revision of each."""

from warehouse.landing.bars import scratch

# line is NULL where no file asks.
TABLE = """
    create temp table doomed (
        line bigint,
        instrument_id integer,
        timeframe text,
        bar_ts timestamptz,
        source text,
        revision integer,
        is_withdrawn boolean
    )
"""
IN_RANGE = """
    insert into doomed
    select distinct on (b.instrument_id, b.bar_ts)
        null, b.instrument_id, b.timeframe, b.bar_ts, b.source, b.revision, b.is_withdrawn
    from ref.symbol_history as h
    inner join raw_market.bars as b
        on
            h.instrument_id = b.instrument_id
            and b.session_date >= h.valid_from and b.session_date < h.valid_to
    where
        h.symbol = %(symbol)s
        and h.calendar = %(calendar)s
        and b.timeframe = %(timeframe)s
        and b.source = %(source)s
        -- A session begins at most a day before its date: bounds that the index knows.
        and b.bar_ts >= coalesce(
            %(first_ts)s, (%(first_day)s::date - 2)::timestamp at time zone 'UTC'
        )
        and b.bar_ts <= coalesce(
            %(last_ts)s, (%(last_day)s::date + 2)::timestamp at time zone 'UTC'
        )
        and b.session_date >= coalesce(%(first_day)s::date, '-infinity')
        and b.session_date <= coalesce(%(last_day)s::date, 'infinity')
    order by b.instrument_id, b.bar_ts, b.revision desc
"""
PARSED = "insert into aside (line, rules) select line, broken from scratch where broken is not null"
IN_FILE = f"""
    insert into doomed
    select distinct on (s.line)
        s.line, b.instrument_id, b.timeframe, b.bar_ts, b.source, b.revision, b.is_withdrawn
    from {scratch.LANDED}
        {scratch.NOT_ASIDE}
    order by s.line, b.revision desc
"""  # noqa: S608 (no part comes from outside)
UNKNOWN = """
    insert into aside (line, rules)
    select s.line, array['unknown_bar'] from scratch as s
    where
        not exists (select from aside as a where a.line = s.line)
        and not exists (select from doomed as d where d.line = s.line)
"""
WITHDRAW = """
    insert into raw_market.bars (
        instrument_id, timeframe, bar_ts, source, revision, symbol, session_date,
        open, high, low, close, volume, adjusted, batch_id, is_withdrawn
    )
    select
        b.instrument_id, b.timeframe, b.bar_ts, b.source, b.revision + 1, b.symbol, b.session_date,
        b.open, b.high, b.low, b.close, b.volume, b.adjusted, %(batch_id)s, true
    from (
        select distinct instrument_id, timeframe, bar_ts, source, revision
        from doomed
        where not is_withdrawn
    ) as d
    inner join raw_market.bars as b using (instrument_id, timeframe, bar_ts, source, revision)
    order by b.instrument_id, b.bar_ts
"""
SERIES = """
    select
        min(b.symbol) as symbol, b.instrument_id, b.timeframe, b.source,
        count(distinct b.bar_ts) as bars, min(b.bar_ts) as first_ts, max(b.bar_ts) as last_ts
    from doomed as d
    inner join raw_market.bars as b using (instrument_id, timeframe, bar_ts, source, revision)
    where not d.is_withdrawn
    group by b.instrument_id, b.timeframe, b.source
    order by 1, 2
"""
SOURCES = """
    select distinct s.source
    from ref.symbol_history as h
    inner join ref.series as s on h.instrument_id = s.instrument_id
    where
        h.symbol = %(symbol)s and h.calendar = %(calendar)s and s.timeframe = %(timeframe)s
    order by 1
"""
RULES = "select rule, count(*) from aside, unnest(rules) as rule group by 1 order by 1"
