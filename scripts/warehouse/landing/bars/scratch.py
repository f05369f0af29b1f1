"""SQL over the temporary tables of a landing.

scratch: the rows as read. resolved: which instrument a symbol means, and when. aside: rows set
aside, with the rules they break, or without any when they repeat another row of the batch.
existing: rows whose key the landing table already has, from this batch too (direct.py).

Storage plain keeps the long header of a number, which every comparison would unpack otherwise: a
quarter of the judge's time.
"""

SCRATCH = """
    create temp table scratch (
        line bigint not null,
        symbol text,
        bar_ts timestamptz,
        session_date date,
        open numeric storage plain,
        high numeric storage plain,
        low numeric storage plain,
        close numeric storage plain,
        volume numeric storage plain,
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
    create temp table existing (
        line bigint primary key, revision integer, same boolean, is_of_batch boolean
    );
"""
COPY = "copy scratch from stdin"
COPY_BINARY = "copy scratch from stdin (format binary)"

HAS_RENAMED = "select count(distinct symbol) > count(distinct instrument_id) from resolved"

JOINED = """
    scratch as s
    inner join resolved as r
        on s.symbol = r.symbol and s.session_date >= r.valid_from and s.session_date < r.valid_to
"""
# With every landed revision of the bars that the rows name.
LANDED = f"""
    {JOINED}
    inner join raw_market.bars as b
        on
            r.instrument_id = b.instrument_id
            and b.timeframe = %(timeframe)s
            and s.bar_ts = b.bar_ts
            and b.source = %(source)s
    where
        b.bar_ts between %(first_ts)s and %(last_ts)s
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

# Only the latest revision counts.
KNOWN = """
    insert into existing (line, revision, is_of_batch, same)
    select distinct on (s.line)
        s.line,
        b.revision,
        b.batch_id = %(batch_id)s,
        not b.is_withdrawn
        and b.adjusted = %(adjusted)s
        and b.open = round(s.open, 10)
        and b.high = round(s.high, 10)
        and b.low = round(s.low, 10)
        and b.close = round(s.close, 10)
        and b.volume is not distinct from round(s.volume, 10)
    from {landed}
        {not_aside}
    order by s.line, b.revision desc
"""

CONTRADICTED = "select from existing where is_of_batch and not same limit 1"

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
        (select count(*) from existing where same) + count(*) filter (where rules is null),
        count(rules)
    from aside
"""


GOOD = """
    select s.line from scratch as s
    left join aside as a on s.line = a.line
    where a.rules is null
"""
