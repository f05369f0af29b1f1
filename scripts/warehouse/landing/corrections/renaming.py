"""SQL of a rename: from `emptied`, the instrument that a ticker wrongly was, to `kept`.

doomed: the bars of the emptied instrument that belong to the other one, at their latest revision.
They are withdrawn there by the statement of every withdrawal (doomed.py).
"""

MEANINGS = """
    select valid_from::text, valid_to::text from ref.symbol_history
    where symbol = %(old)s and calendar = %(calendar)s
    order by symbol_history.valid_from
"""
MEANT_BEFORE = """
    select instrument_id from ref.symbol_history
    where
        symbol = %(old)s and calendar = %(calendar)s
        and valid_from < %(on)s and valid_to >= %(on)s
"""
# Whom the new ticker means from that day on, unless it is the right one already.
TAKEN = """
    select instrument_id, valid_from::text, valid_from > %(on)s as begins_later
    from ref.symbol_history
    where
        symbol = %(new)s and calendar = %(calendar)s and valid_to > %(on)s
        and instrument_id <> %(kept)s
    order by symbol_history.valid_from desc
    limit 1
"""
MOVING = """
    create temp table doomed on commit drop as
    select instrument_id, timeframe, bar_ts, source, revision, is_withdrawn, session_date
    from (
        select distinct on (timeframe, bar_ts, source)
            instrument_id, timeframe, bar_ts, source, revision, session_date, is_withdrawn
        from raw_market.bars
        where instrument_id = %(emptied)s
        order by timeframe, bar_ts, source, revision desc
    ) as latest
    where not is_withdrawn
"""
AROUND = """
    select
        count(*) filter (where session_date < %(on)s),
        count(*) filter (where session_date >= %(on)s),
        min(session_date)::text,
        max(session_date)::text
    from doomed
"""
STAYING = "delete from doomed where session_date < %(on)s"
NEGATIVE = """
    update ref.instruments set allow_negative_price = true
    where
        instrument_id = %(kept)s
        and not allow_negative_price
        and exists (
            select from ref.instruments as other
            where other.instrument_id = %(emptied)s and other.allow_negative_price
        )
"""
APPEND = """
    insert into raw_market.bars (
        instrument_id, timeframe, bar_ts, source, revision, symbol, session_date,
        open, high, low, close, volume, adjusted, batch_id
    )
    select
        %(kept)s, b.timeframe, b.bar_ts, b.source, coalesce(k.revision + 1, 0), b.symbol,
        b.session_date, b.open, b.high, b.low, b.close, b.volume, b.adjusted, %(batch_id)s
    from doomed as m
    inner join raw_market.bars as b using (instrument_id, timeframe, bar_ts, source, revision)
    left join lateral (
        select h.* from raw_market.bars as h
        where
            h.instrument_id = %(kept)s
            and h.timeframe = m.timeframe
            and h.bar_ts = m.bar_ts
            and h.source = m.source
        order by h.revision desc
        limit 1
    ) as k on true
    where
        k.revision is null
        or k.is_withdrawn
        or (k.open, k.high, k.low, k.close, k.volume, k.adjusted)
        is distinct from (b.open, b.high, b.low, b.close, b.volume, b.adjusted)
    order by b.timeframe, b.bar_ts
"""
# In one statement: the right instrument gains the action, the wrong one loses it.
ACTIONS = """
    insert into ref.corporate_actions (
        instrument_id, action_type, ex_date, source, revision,
        split_ratio, cash_amount, currency, batch_id, is_withdrawn
    )
    with latest as (
        select distinct on (instrument_id, action_type, ex_date, source) *
        from ref.corporate_actions
        where instrument_id in (%(kept)s, %(emptied)s) and ex_date >= %(on)s
        order by instrument_id, action_type, ex_date, source, revision desc
    ),

    moving as (
        select a.*, k.revision as known_revision,
            k.revision is null
            or k.is_withdrawn
            or (k.split_ratio, k.cash_amount, k.currency)
            is distinct from (a.split_ratio, a.cash_amount, a.currency) as is_news
        from latest as a
        left join latest as k
            on
                k.instrument_id = %(kept)s
                and a.action_type = k.action_type
                and a.ex_date = k.ex_date
                and a.source = k.source
        where a.instrument_id = %(emptied)s and not a.is_withdrawn
    )

    select
        instrument_id, action_type, ex_date, source, revision + 1,
        split_ratio, cash_amount, currency, %(batch_id)s::bigint, true
    from moving
    union all
    select
        %(kept)s, action_type, ex_date, source, coalesce(known_revision + 1, 0),
        split_ratio, cash_amount, currency, %(batch_id)s, false
    from moving
    where is_news
    returning is_withdrawn
"""
INFOS = """
    insert into raw_market.stock_info (
        symbol, source, revision, instrument_id, company_name, sector, industry, market_cap,
        country, currency, exchange, batch_id
    )
    select
        symbol, source, revision + 1, %(kept)s, company_name, sector, industry, market_cap,
        country, currency, exchange, %(batch_id)s
    from (
        select distinct on (symbol, source) * from raw_market.stock_info
        order by symbol, source, revision desc
    ) as latest
    where instrument_id = %(emptied)s
"""
# Of a range that begins before that day: the part from then on.
CUT_IN_TWO = """
    insert into ref.symbol_history (
        symbol, calendar, valid_from, valid_to, instrument_id, source
    )
    select symbol, calendar, %(on)s, valid_to, %(kept)s, %(told_by)s
    from ref.symbol_history
    where
        instrument_id = %(emptied)s and valid_from < %(on)s and valid_to > %(on)s
        and (symbol = %(new)s or %(is_whole)s)
"""
CUT_OFF = """
    update ref.symbol_history set valid_to = %(on)s, known_at = now()
    where
        instrument_id = %(emptied)s and valid_from < %(on)s and valid_to > %(on)s
        and (symbol = %(new)s or %(is_whole)s)
"""
HANDED_OVER = """
    update ref.symbol_history
    set instrument_id = %(kept)s, source = %(told_by)s, known_at = now()
    where
        instrument_id = %(emptied)s and valid_from >= %(on)s
        and (symbol = %(new)s or %(is_whole)s)
"""
NAMED = """
    insert into ref.symbol_history (
        symbol, calendar, valid_from, valid_to, instrument_id, source
    )
    select
        %(new)s, %(calendar)s, %(on)s,
        coalesce(min(valid_from) filter (where valid_from > %(on)s), 'infinity'),
        %(kept)s, %(told_by)s
    from ref.symbol_history
    where symbol = %(new)s and calendar = %(calendar)s
    having coalesce(bool_and(valid_from > %(on)s or valid_to <= %(on)s), true)
"""
# A source may have used the old ticker for longer: landed again, its bars would be a stranger's.
ENDED = """
    with last_use as (
        select greatest(%(on)s, max(session_date) + 1) as valid_to
        from raw_market.bars
        where instrument_id = %(kept)s and symbol = %(old)s
    )

    update ref.symbol_history as h set valid_to = u.valid_to, known_at = now()
    from last_use as u
    where
        h.symbol = %(old)s and h.calendar = %(calendar)s and h.instrument_id = %(kept)s
        and h.valid_from < %(on)s and h.valid_to > u.valid_to
"""
