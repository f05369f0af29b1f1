-- Scope batch. What arrived in the batches: accepted rows, and quarantined ones with a readable key.
create temp table gate_arrived as
select
    b.batch_id,
    false as in_quarantine,
    b.source,
    b.timeframe,
    b.adjusted,
    i.calendar,
    b.instrument_id,
    '' as unresolved,
    b.symbol,
    b.bar_ts,
    b.session_date,
    b.open::numeric as open,
    b.high::numeric as high,
    b.low::numeric as low,
    b.close::numeric as close,
    b.volume::numeric as volume,
    b.known_at,
    null::bigint as quarantine_id,
    null::text[] as rejected_for
from raw_market.bars as b
inner join ref.instruments as i on i.instrument_id = b.instrument_id
where b.batch_id = any({batches});

insert into gate_arrived
select
    q.batch_id,
    true,
    q.source,
    q.timeframe,
    b.profile ->> 'adjusted',
    b.profile ->> 'calendar',
    coalesce(h.instrument_id, 0),
    case when h.instrument_id is null then q.symbol else '' end,
    q.symbol,
    q.bar_ts,
    t.session_date,
    pg_temp.number(p.payload ->> (p.named ->> 'open'), p.point),
    pg_temp.number(p.payload ->> (p.named ->> 'high'), p.point),
    pg_temp.number(p.payload ->> (p.named ->> 'low'), p.point),
    pg_temp.number(p.payload ->> (p.named ->> 'close'), p.point),
    pg_temp.number(p.payload ->> (p.named ->> 'volume'), p.point),
    q.quarantined_at,
    q.quarantine_id,
    q.rules
from ops.quarantine as q
inner join ops.batches as b on b.batch_id = q.batch_id
left join ref.calendars as c on c.calendar = b.profile ->> 'calendar'
cross join lateral (
    select
        coalesce(q.original_payload, q.payload) as payload,
        b.profile -> 'columns' as named,
        coalesce(b.profile ->> 'decimal', '.') as point
) as p
cross join lateral (
    select case
        when pg_temp.seconds_of(q.timeframe) >= 86400 then (q.bar_ts at time zone 'UTC')::date
        else coalesce(
            (
                select s.session_date
                from ref.exchange_sessions as s
                where s.calendar = c.calendar and s.open_at <= q.bar_ts and q.bar_ts < s.close_at
                limit 1
            ),
            (q.bar_ts at time zone coalesce(c.timezone, 'UTC'))::date
        )
    end as session_date
) as t
left join ref.symbol_history as h
    on
        h.symbol = q.symbol
        and h.calendar = c.calendar
        and h.valid_from <= t.session_date
        and t.session_date < h.valid_to
where
    q.batch_id = any({batches})
    and q.dataset = 'bars'
    and q.replayed_at is null
    and q.symbol is not null
    and q.bar_ts is not null
    and q.timeframe is not null;
analyze gate_arrived;

create temp table gate_series as
select
    row_number() over () as series_no,
    a.batch_id,
    a.instrument_id,
    a.unresolved,
    a.source,
    a.timeframe,
    a.adjusted,
    a.calendar,
    a.first_ts,
    a.last_ts
from (
    select
        batch_id,
        instrument_id,
        unresolved,
        source,
        timeframe,
        adjusted,
        calendar,
        min(bar_ts) as first_ts,
        max(bar_ts) as last_ts
    from gate_arrived
    group by 1, 2, 3, 4, 5, 6, 7
) as a;

-- The landed neighbours of what arrived, so that one day's bars are compared with the day before.
create temp table gate_neighbours as
select series_no, symbol, bar_ts, session_date, close
from (
    select distinct on (s.series_no, b.bar_ts)
        s.series_no, b.symbol, b.bar_ts, b.session_date, b.close, b.is_withdrawn
    from gate_series as s
    left join lateral (
        select e.bar_ts
        from raw_market.bars as e
        where
            e.instrument_id = s.instrument_id
            and e.timeframe = s.timeframe
            and e.bar_ts < s.first_ts
            and e.source = s.source
            and e.adjusted = s.adjusted
            and e.batch_id < s.batch_id
            and not e.is_withdrawn
            and not exists (
                select
                from raw_market.bars as w
                where
                    w.instrument_id = e.instrument_id
                    and w.timeframe = e.timeframe
                    and w.bar_ts = e.bar_ts
                    and w.source = e.source
                    and w.revision > e.revision
                    and w.is_withdrawn
                    and w.batch_id < s.batch_id
            )
        order by e.bar_ts desc
        limit 1
    ) as before on true
    inner join raw_market.bars as b
        on
            b.instrument_id = s.instrument_id
            and b.timeframe = s.timeframe
            and b.bar_ts >= coalesce(before.bar_ts, s.first_ts)
            and b.bar_ts < s.last_ts
            and b.source = s.source
            and b.adjusted = s.adjusted
            and b.batch_id < s.batch_id
    where exists (
        select
        from ops.batches as o
        where
            o.source = s.source and o.timeframe = s.timeframe and o.batch_id < s.batch_id and o.accepted > 0
    )
    and not exists (
        select
        from gate_arrived as a
        where a.batch_id = s.batch_id and a.instrument_id = s.instrument_id and a.bar_ts = b.bar_ts
    )
    order by s.series_no, b.bar_ts, b.revision desc
) as known
where not is_withdrawn;

create temp view gate_rows as
select
    s.series_no,
    true as in_scope,
    a.in_quarantine,
    a.in_quarantine and (
        row_number() over (
            partition by s.series_no, a.bar_ts order by a.in_quarantine, a.quarantine_id desc
        ) > 1
    ) as superseded,
    a.batch_id,
    a.symbol,
    a.bar_ts,
    a.session_date,
    a.open,
    a.high,
    a.low,
    a.close,
    a.volume,
    a.known_at,
    a.rejected_for
from gate_arrived as a
inner join gate_series as s
    on
        s.batch_id = a.batch_id
        and s.instrument_id = a.instrument_id
        and s.unresolved = a.unresolved
        and s.source = a.source
        and s.timeframe = a.timeframe
        and s.adjusted = a.adjusted
        and s.calendar = a.calendar
union all
select
    n.series_no,
    false,
    false,
    false,
    null,
    n.symbol,
    n.bar_ts,
    n.session_date,
    null,
    null,
    null,
    n.close,
    null,
    null,
    null
from gate_neighbours as n;
