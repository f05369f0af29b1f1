"""What the report asks the warehouse, one statement each."""

from __future__ import annotations

HEADLINE = """
with series as (
    select s.instrument_id, s.timeframe, s.source
    from ref.series as s
    where not exists (
        select from ref.withdrawn_series as w
        where
            w.returned_at = 'infinity'
            and w.instrument_id = s.instrument_id
            and w.timeframe = s.timeframe
            and w.source = s.source
            and w.adjusted = s.adjusted
    )
)
select
    (select count(*) from raw_market.bars where not is_withdrawn) as bars,
    (select count(*) from ref.instruments) as instruments,
    (select count(distinct source) from series) as sources,
    (select count(distinct (instrument_id, timeframe)) from series) as series,
    (select count(*) from ops.batches) as batches,
    (select count(*) from ops.quarantine where replayed_at is null) as quarantined
"""

LAST_BUILD = """
select max(finished_at) as finished_at
from ops.model_runs
where starts_with(model, 'model.') and status = 'success'
"""

FEATURE_COUNT = """
select count(*) as features
from information_schema.columns as c
inner join ref.feature_catalog as f on f.name = c.column_name
where c.table_schema = 'marts' and c.table_name = 'feature_engineered_data'
"""

GATE = """
select
    run_id,
    max(checked_at) as checked_at,
    count(distinct rule) as rules,
    count(distinct rule) filter (where not success and severity = 'error') as failed,
    count(distinct rule) filter (where found > quarantined and severity = 'warning') as flagged
from ops.dq_results
group by run_id
order by checked_at desc
limit 1
"""

# Every batch by its latest verdict, so that a run that found nothing new to check still shows what
# arrived; the table by the latest run.
HEALTH = """
with arrived as (
    select distinct on (batch_id, rule) rule, evaluated, found, quarantined
    from ops.dq_results
    where scope = 'batch'
    order by batch_id, rule, checked_at desc
),
by_rule as (
    select rule, sum(evaluated) as evaluated, sum(found) as found, sum(quarantined) as quarantined
    from arrived
    group by rule
),
landed as (
    select distinct on (rule) rule, evaluated, found
    from ops.dq_results
    where scope = 'table'
    order by rule, checked_at desc
),
stopping as (
    select distinct rule
    from ops.dq_results
    where severity = 'error' and not success
        and run_id = (select run_id from ops.dq_results order by checked_at desc limit 1)
),
rules as (
    select distinct on (rule) rule, tier, severity
    from ops.dq_results
    order by rule, checked_at desc
)
select
    rules.rule,
    rules.tier,
    rules.severity,
    coalesce(by_rule.evaluated, landed.evaluated, 0)::bigint as evaluated,
    coalesce(by_rule.found, 0)::bigint as found,
    coalesce(by_rule.quarantined, 0)::bigint as quarantined,
    coalesce(
        landed.found,
        case when not exists (select from landed) then by_rule.found - by_rule.quarantined end,
        0
    )::bigint as landed,
    stopping.rule is not null as stops
from rules
left join stopping on stopping.rule = rules.rule
left join by_rule on by_rule.rule = rules.rule
left join landed on landed.rule = rules.rule
order by rules.rule
"""

QUARANTINE_RULES = """
select
    broken.rule,
    count(*) filter (where q.replayed_at is null) as waiting,
    count(*) filter (where q.replayed_at is not null) as replayed,
    count(distinct q.symbol) as symbols,
    count(distinct q.file) as files
from ops.quarantine as q
cross join lateral unnest(q.rules) as broken (rule)
group by broken.rule
order by waiting desc, replayed desc, broken.rule
"""

QUARANTINE_ROWS = """
select rules, reason, source, file, line, symbol, timeframe, bar_ts, payload::text as payload
from (
    select q.*, row_number() over (partition by rule order by quarantine_id) as nth
    from ops.quarantine as q
    where replayed_at is null
) as q
order by nth, rule
limit %(limit)s
"""

SERIES = """
with withdrawn as (
    select b.instrument_id, b.timeframe, b.source, b.bar_ts
    from raw_market.bars as b
    where b.is_withdrawn and not exists (
        select from raw_market.bars as n
        where
            n.instrument_id = b.instrument_id
            and n.timeframe = b.timeframe
            and n.bar_ts = b.bar_ts
            and n.source = b.source
            and n.revision > b.revision
    )
),
days as (
    select
        instrument_id, timeframe, source, session_date, min(symbol) as symbol, count(*) as bars
    from raw_market.bars
    where revision = 0 and (instrument_id, timeframe, source, bar_ts) not in (
        select w.instrument_id, w.timeframe, w.source, w.bar_ts from withdrawn as w
    )
    group by instrument_id, timeframe, source, session_date
),
seen as (
    select
        instrument_id, timeframe, source, max(symbol) as symbol, sum(bars)::bigint as bars,
        min(session_date) as first_day, max(session_date) as last_day
    from days
    group by instrument_id, timeframe, source
),
checked as (
    select run_id from ops.dq_results where scope = 'table' order by checked_at desc limit 1
),
gaps as (
    select instrument_id, timeframe, source, sum(count)::bigint as missing_bars
    from ops.dq_findings
    where scope = 'table' and rule = 'missing_bar' and run_id = (select run_id from checked)
    group by instrument_id, timeframe, source
),
expected as (
    select
        seen.instrument_id, seen.timeframe, seen.source, count(*) as sessions,
        count(*) filter (where s.is_half_day) as half_days,
        count(*) filter (where days.session_date is null) as missing_sessions
    from seen
    inner join ref.instruments as i on i.instrument_id = seen.instrument_id
    inner join ref.exchange_sessions as s
        on s.calendar = i.calendar and s.session_date between seen.first_day and seen.last_day
    left join days
        on days.instrument_id = seen.instrument_id
        and days.timeframe = seen.timeframe
        and days.source = seen.source
        and days.session_date = s.session_date
    group by seen.instrument_id, seen.timeframe, seen.source
)
select
    seen.symbol, seen.timeframe, seen.source, i.calendar, seen.first_day, seen.last_day, seen.bars,
    expected.sessions as expected, expected.half_days, expected.missing_sessions,
    case when exists (select from checked) then coalesce(gaps.missing_bars, 0) end as missing_bars
from seen
inner join ref.instruments as i on i.instrument_id = seen.instrument_id
left join expected
    on expected.instrument_id = seen.instrument_id
    and expected.timeframe = seen.timeframe
    and expected.source = seen.source
left join gaps
    on gaps.instrument_id = seen.instrument_id
    and gaps.timeframe = seen.timeframe
    and gaps.source = seen.source
order by missing_sessions desc nulls last, missing_bars desc nulls last, seen.symbol, seen.timeframe
"""

GAPS = """
select symbol, timeframe, source, rule, bar_ts, until_ts, count
from ops.dq_findings
where scope = 'table' and rule in ('missing_session', 'missing_bar') and run_id = (
    select run_id from ops.dq_results where scope = 'table' order by checked_at desc limit 1
)
order by count desc, bar_ts desc, symbol
limit %(limit)s
"""

BATCHES = """
select
    batch_id, started_at, dataset, source, timeframe, file, landed, accepted, known, quarantined,
    seconds, landed / nullif(seconds, 0) as rows_per_second
from ops.batches
order by batch_id desc
limit %(limit)s
"""

LATEST_RUN = """
select split_part(model, '.', 3) as model, status, seconds, rows, finished_at
from ops.model_runs
where run_id = (
    select run_id from ops.model_runs
    where starts_with(model, 'model.') order by finished_at desc limit 1
) and starts_with(model, 'model.')
order by seconds desc
"""

RUNS = """
select
    run_id, max(finished_at) as finished_at,
    sum(seconds) filter (where starts_with(model, 'model.')) as model_seconds,
    sum(seconds) filter (where starts_with(model, 'test.')) as test_seconds,
    max(rows) filter (where model = 'model.trading_warehouse.feature_engineered_data') as rows
from ops.model_runs
group by run_id
having count(*) filter (where starts_with(model, 'model.')) > 0
order by finished_at desc
limit %(limit)s
"""

# One series of each timeframe first, the longest; then more of the longest.
PRICE_SERIES = """
with counted as (
    select s.instrument_id, s.timeframe, f.symbol, f.bars
    from (select distinct instrument_id, timeframe from ref.series) as s
    cross join lateral (
        select max(d.bar_number) as bars, (array_agg(d.symbol))[1] as symbol
        from (
            select bar_number, symbol
            from marts.feature_engineered_data as d
            where d.instrument_id = s.instrument_id and d.timeframe = s.timeframe
            order by d."timestamp" desc
            limit 1
        ) as d
    ) as f
    where f.bars is not null
)
select instrument_id, timeframe, symbol, bars
from (
    select
        *,
        row_number() over (partition by timeframe order by bars desc, symbol, instrument_id) as nth
    from counted
) as ranked
order by nth, timeframe::interval desc, symbol
limit %(limit)s
"""

PRICES = """
select *
from (
    select
        d."timestamp" as at,
        case when d.timeframe::interval >= interval '1 day' then d.session_date::text
            else to_char(d."timestamp" at time zone c.timezone, 'YYYY-MM-DD HH24:MI') end as label,
        c.timezone, i.currency,
        d.open, d.high, d.low, d.close, d.volume,
        d.sma_20, d.sma_50, d.bb_upper, d.bb_lower, d.rsi_14, d.macd, d.macd_signal, d.macd_hist
    from marts.feature_engineered_data as d
    inner join ref.instruments as i on i.instrument_id = d.instrument_id
    inner join ref.calendars as c on c.calendar = i.calendar
    where d.instrument_id = %(instrument_id)s and d.timeframe = %(timeframe)s
        and d.feature_version = (
            select max(v.feature_version) from marts.feature_engineered_data as v
            where v.instrument_id = d.instrument_id and v.timeframe = d.timeframe
        )
    order by d."timestamp" desc
    limit %(limit)s
) as latest
order by at
"""

# Coverage comes from the mart that keeps it, or, before that was built, from the features.
SPANS_KEPT = """
select timeframe, min(session_date) as first_day, max(session_date) as last_day,
    count(distinct session_date) as days
from marts.feature_coverage
group by timeframe
order by timeframe::interval desc
"""

COVERAGE_KEPT = """
select period, max(bars)::bigint as bars,
    array_agg(filled::bigint order by array_position(%(names)s, feature)) as filled
from (
    select {period} as period, f.feature, sum(f.bars) as bars, sum(f.present) as filled
    from marts.feature_coverage as f
    where f.timeframe = %(timeframe)s and f.feature = any(%(names)s)
        and f.feature_version = (select max(feature_version) from marts.feature_coverage)
    group by 1, 2
) as by_feature
group by period
order by period
"""

SPANS_COUNTED = """
select timeframe, min(session_date) as first_day, max(session_date) as last_day,
    count(distinct session_date) as days
from marts.feature_engineered_data
group by timeframe
order by timeframe::interval desc
"""

COVERAGE_COUNTED = """
select {period} as period, count(*) as bars, array[{counts}] as filled
from marts.feature_engineered_data as f
where f.timeframe = %(timeframe)s
group by 1
order by 1
"""
