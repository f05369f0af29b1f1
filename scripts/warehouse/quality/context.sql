-- The bars a run of the gate looks at, each with what the rules need to know about it.
-- context.py runs the sections in this order; {names} are filled in there.

-- section: days
-- Every date that a calendar covers, with its session if it has one, numbered for cheap joins.
create temp table gate_days as
select
    row_number() over () as day_no,
    c.calendar,
    d.day::date as session_date,
    s.session_date is not null as is_session_day,
    s.open_at,
    s.close_at,
    s.break_start_at,
    s.break_end_at,
    count(s.session_date) over (partition by c.calendar order by d.day) as sessions_until,
    min(s.session_date) over (
        partition by c.calendar order by d.day desc
        rows between unbounded preceding and 1 preceding
    ) as next_session_date
from (
    select calendar, min(session_date) as first_date, max(session_date) as last_date
    from ref.exchange_sessions
    group by calendar
) as c
cross join generate_series(c.first_date::timestamp, c.last_date::timestamp, interval '1 day') as d (day)
left join ref.exchange_sessions as s on s.calendar = c.calendar and s.session_date = d.day::date;
analyze gate_days;

-- section: functions
create function pg_temp.seconds_of(timeframe text) returns bigint
language sql immutable strict
return left(timeframe, -1)::bigint
    * case right(timeframe, 1) when 'm' then 60 when 'h' then 3600 else 86400 end;

create function pg_temp.epoch(moment timestamptz) returns bigint
language sql immutable strict
return extract(epoch from moment)::bigint;

-- The last moment of a grid (any moment on it, its step in seconds) that is not after another.
create function pg_temp.on_grid(moment bigint, anchor bigint, seconds bigint) returns bigint
language sql immutable strict
return moment - (((moment - anchor) % seconds) + seconds) % seconds;

-- How many bars of a grid start in [lo, hi), where lo is on it.
create function pg_temp.steps(lo bigint, hi bigint, seconds bigint) returns bigint
language sql immutable strict
return greatest(hi - lo + seconds - 1, 0) / seconds;

-- The same, without the bars that lie whole within a break.
create function pg_temp.bars_within(
    lo bigint, hi bigint, seconds bigint, break_start_at timestamptz, break_end_at timestamptz
) returns bigint
language sql immutable
return pg_temp.steps(lo, hi, seconds) - case
    when break_start_at is null then 0
    else pg_temp.steps(
        greatest(lo, pg_temp.on_grid(pg_temp.epoch(break_start_at) + seconds - 1, lo, seconds)),
        least(hi, pg_temp.epoch(break_end_at) - seconds + 1),
        seconds
    )
end;

-- A number from a payload, as the landing table would hold it; NULL when it cannot be read.
-- In steps, because the planner computes a cast of a constant even in a branch not taken.
create function pg_temp.number(sent text, decimal_point text) returns numeric
language plpgsql immutable strict as $$
declare
    plain constant text := replace(sent, decimal_point, '.');
begin
    if pg_input_is_valid(plain, 'numeric') then
        return round(plain::numeric, 10);
    end if;
    return null;
end $$;

-- section: batch
-- What arrived in the batches: accepted rows, and quarantined ones with a readable key.
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
select distinct on (s.series_no, b.bar_ts) s.series_no, b.symbol, b.bar_ts, b.session_date, b.close
from gate_series as s
cross join lateral (
    select max(e.bar_ts) as bar_ts
    from raw_market.bars as e
    where
        e.instrument_id = s.instrument_id
        and e.timeframe = s.timeframe
        and e.bar_ts < s.first_ts
        and e.source = s.source
        and e.adjusted = s.adjusted
        and e.batch_id < s.batch_id
) as before
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
order by s.series_no, b.bar_ts, b.revision desc;

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

-- section: table
create temp table gate_series as
select
    row_number() over () as series_no,
    null::bigint as batch_id,
    s.instrument_id,
    '' as unresolved,
    s.source,
    s.timeframe,
    s.adjusted,
    i.calendar
from ref.series as s
inner join ref.instruments as i on i.instrument_id = s.instrument_id;

create temp table gate_replaced as
select o.instrument_id, o.timeframe, o.bar_ts, o.source, o.revision
from raw_market.bars as o
inner join raw_market.bars as n
    on
        n.instrument_id = o.instrument_id
        and n.timeframe = o.timeframe
        and n.bar_ts = o.bar_ts
        and n.source = o.source
        and n.revision > o.revision
where n.revision > 0;
analyze gate_replaced;

create temp view gate_rows as
select
    s.series_no,
    true as in_scope,
    false as in_quarantine,
    false as superseded,
    b.batch_id,
    b.symbol,
    b.bar_ts,
    b.session_date,
    b.open,
    b.high,
    b.low,
    b.close,
    b.volume,
    b.known_at,
    null::text[] as rejected_for
from raw_market.bars as b
inner join gate_series as s
    on
        s.instrument_id = b.instrument_id
        and s.timeframe = b.timeframe
        and s.source = b.source
        and s.adjusted = b.adjusted
-- Hashes the few that were replaced, which `not exists` does not.
where (b.instrument_id, b.timeframe, b.bar_ts, b.source, b.revision) not in (
    select r.instrument_id, r.timeframe, r.bar_ts, r.source, r.revision from gate_replaced as r
);

-- section: build
analyze gate_series;
create temp table gate_facts as
select
    s.*,
    pg_temp.seconds_of(s.timeframe) as seconds,
    c.timezone,
    coalesce(i.allow_negative_price, false) as allow_negative_price,
    coalesce(b.profile #>> '{columns,volume}' is not null, true) as has_volume,
    exists (
        select
        from ref.series as o
        where
            o.instrument_id = s.instrument_id
            and o.timeframe = s.timeframe
            and o.adjusted = s.adjusted
            and o.source <> s.source
    ) as has_other_source,
    s.adjusted = 'none' and exists (
        select
        from ref.corporate_actions as a
        where a.instrument_id = s.instrument_id and a.action_type = 'split'
    ) as has_splits
from gate_series as s
left join ref.instruments as i on i.instrument_id = s.instrument_id
left join ref.calendars as c on c.calendar = s.calendar
left join lateral (
    select o.profile
    from ops.batches as o
    where
        o.dataset = 'bars'
        and o.source = s.source
        and o.timeframe = s.timeframe
        and (s.batch_id is null or o.batch_id = s.batch_id)
    order by o.batch_id desc
    limit 1
) as b on true;
analyze gate_facts;

create temp table gate_others as
select distinct on (r.series_no, r.bar_ts) r.series_no, r.bar_ts, x.source as other_source, x.close as other_close
from gate_rows as r
inner join gate_facts as f on f.series_no = r.series_no and f.has_other_source
inner join raw_market.bars as x
    on
        x.instrument_id = f.instrument_id
        and x.timeframe = f.timeframe
        and x.bar_ts = r.bar_ts
        and x.source <> f.source
        and x.adjusted = f.adjusted
where r.in_scope and not r.superseded and not exists (
    select
    from raw_market.bars as y
    where
        y.instrument_id = x.instrument_id
        and y.timeframe = x.timeframe
        and y.bar_ts = x.bar_ts
        and y.source = x.source
        and y.revision > x.revision
)
order by r.series_no, r.bar_ts, abs(x.close - r.close) desc, x.source;
analyze gate_others;

-- The column broken is NULL for a good row, else the rules that it breaks; a row in quarantine keeps what it
-- was rejected for.
create unlogged table {table} as
with chained as (
    select
        r.*,
        f.instrument_id,
        f.source,
        f.timeframe,
        f.adjusted,
        f.calendar,
        f.seconds,
        f.timezone,
        f.allow_negative_price,
        f.has_volume,
        f.has_splits,
        d.day_no,
        d.is_session_day,
        d.open_at,
        d.close_at,
        d.break_start_at,
        d.break_end_at,
        d.sessions_until,
        lag(r.bar_ts) over series as prev_ts,
        lag(r.close) over series as prev_close,
        lag(d.day_no) over series as prev_day_no
    from gate_rows as r
    inner join gate_facts as f on f.series_no = r.series_no
    left join gate_days as d on d.calendar = f.calendar and d.session_date = r.session_date
    window series as (partition by r.series_no, r.superseded order by r.bar_ts)
),

measured as (
    select
        c.*,
        p.session_date as prev_session_date,
        p.next_session_date,
        case
            when c.seconds <= 86400 and not c.superseded
                then greatest(c.sessions_until - c.is_session_day::int - p.sessions_until, 0)
        end as missed_sessions,
        p.day_no <> c.day_no as on_another_day,
        c.seconds < 86400
        and not c.superseded
        and c.bar_ts - c.prev_ts > make_interval(secs => c.seconds)
        -- Round-the-clock calendars are given to markets with a weekend, too.
        and (c.calendar <> '24/7' or c.bar_ts - c.prev_ts <= interval '1 day') as is_after_gap,
        p.is_session_day as prev_is_session_day,
        p.open_at as prev_open_at,
        p.close_at as prev_close_at,
        p.break_start_at as prev_break_start_at,
        p.break_end_at as prev_break_end_at
    from chained as c
    left join gate_days as p on p.day_no = c.prev_day_no
    where c.in_scope
),

-- Where bars of a session may be absent: from the bar before to its close (tail), and from the
-- open to this bar (head); within one session only the head, from the bar before.
bounded as (
    select
        m.*,
        case when m.is_after_gap and m.on_another_day and m.prev_is_session_day
            then greatest(
                pg_temp.epoch(m.prev_ts) + m.seconds,
                pg_temp.on_grid(pg_temp.epoch(m.prev_open_at), pg_temp.epoch(m.prev_ts), m.seconds)
            )
        end as tail_from,
        case when m.is_after_gap and m.is_session_day
            then greatest(
                case when not m.on_another_day then pg_temp.epoch(m.prev_ts) + m.seconds end,
                pg_temp.on_grid(pg_temp.epoch(m.open_at), pg_temp.epoch(m.bar_ts), m.seconds)
            )
        end as head_from,
        case when m.is_after_gap
            then least(pg_temp.epoch(m.bar_ts), pg_temp.epoch(m.close_at))
        end as head_until
    from measured as m
),

gaps as (
    select
        b.*,
        case when b.tail_from is not null then pg_temp.bars_within(
            b.tail_from, pg_temp.epoch(b.prev_close_at), b.seconds, b.prev_break_start_at, b.prev_break_end_at
        ) end as missed_tail,
        case when b.head_from is not null then pg_temp.bars_within(
            b.head_from, b.head_until, b.seconds, b.break_start_at, b.break_end_at
        ) end as missed_head
    from bounded as b
),

context as (
    select
        g.batch_id,
        g.in_quarantine,
        g.rejected_for,
        g.series_no,
        g.source,
        g.adjusted,
        g.instrument_id,
        g.symbol,
        g.timeframe,
        g.seconds,
        g.bar_ts,
        g.session_date,
        case when g.seconds < 86400 then g.bar_ts at time zone g.timezone else g.bar_ts at time zone 'UTC' end as local_ts,
        g.open,
        g.high,
        g.low,
        g.close,
        g.volume,
        g.has_volume,
        g.allow_negative_price,
        g.known_at,
        g.open_at as session_open_at,
        g.is_session_day,
        case
            when g.seconds >= 86400 then g.is_session_day
            else g.is_session_day
                and g.bar_ts < g.close_at
                and g.bar_ts + make_interval(secs => g.seconds) > g.open_at
                and (
                    g.break_start_at is null
                    or g.bar_ts < g.break_start_at
                    or g.bar_ts + make_interval(secs => g.seconds) > g.break_end_at
                )
        end as overlaps_session,
        case when not g.superseded then g.prev_ts end as prev_ts,
        case when not g.superseded and abs(g.prev_close) < 'Infinity' and abs(g.close) < 'Infinity' then g.prev_close end as prev_close,
        case
            when g.has_splits and abs(g.close - g.prev_close) > 0.40 * abs(g.prev_close) then coalesce(
                (
                    select round(exp(sum(ln(a.split_ratio))), 8)
                    from (
                        select distinct on (o.ex_date) o.split_ratio
                        from ref.corporate_actions as o
                        where
                            o.instrument_id = g.instrument_id
                            and o.action_type = 'split'
                            and o.ex_date > g.prev_session_date
                            and o.ex_date <= g.session_date
                        order by o.ex_date, o.revision desc, o.source
                    ) as a
                ), 1
            )
            else 1
        end as split_ratio,
        g.missed_sessions,
        case when g.missed_sessions > 0 then g.next_session_date::timestamp at time zone 'UTC' end as missed_sessions_from,
        case when g.missed_sessions > 0 then g.session_date::timestamp at time zone 'UTC' end as missed_sessions_until,
        coalesce(g.missed_tail, 0) + coalesce(g.missed_head, 0) as missed_bars,
        to_timestamp(
            case when g.missed_tail > 0 then g.tail_from when g.missed_head > 0 then g.head_from end
        ) as missed_bars_from,
        to_timestamp(
            case
                when g.missed_head > 0
                    then g.head_from + pg_temp.steps(g.head_from, g.head_until, g.seconds) * g.seconds
                when g.missed_tail > 0
                    then g.tail_from
                        + pg_temp.steps(g.tail_from, pg_temp.epoch(g.prev_close_at), g.seconds) * g.seconds
            end
        ) as missed_bars_until,
        o.other_source,
        o.other_close,
        null::text as twin_symbol,
        null::bigint as twin_bars,
        null::timestamptz as twin_from,
        null::timestamptz as twin_until
    from gaps as g
    left join gate_others as o on o.series_no = g.series_no and o.bar_ts = g.bar_ts
)

select c.*, {broken} as broken
from context as c;

-- section: twins
-- Pairs are looked for among a sample of the times, then counted in full.
update {table} as g
set twin_symbol = t.twin_symbol, twin_bars = t.bars, twin_from = t.first_ts, twin_until = t.until_ts
from (
    select
        p.series_no,
        p.twin_no,
        min(b.symbol) as twin_symbol,
        count(*) as bars,
        min(a.bar_ts) as first_ts,
        max(a.bar_ts) + make_interval(secs => max(a.seconds)) as until_ts
    from (
        select a.series_no, b.series_no as twin_no
        from {table} as a
        inner join {table} as b
            on
                b.source = a.source
                and b.timeframe = a.timeframe
                and b.adjusted = a.adjusted
                and b.batch_id is not distinct from a.batch_id
                and b.bar_ts = a.bar_ts
                and b.symbol < a.symbol
                and b.open = a.open
                and b.high = a.high
                and b.low = a.low
                and b.close = a.close
                and b.volume is not distinct from a.volume
        where a.high > a.low and b.high > b.low and hashint8(extract(epoch from a.bar_ts)::bigint) % {sample} = 0
        group by 1, 2
    ) as p
    inner join {table} as a on a.series_no = p.series_no
    inner join {table} as b on b.series_no = p.twin_no and b.bar_ts = a.bar_ts
    where a.high > a.low
    group by 1, 2
    having count(*) >= 20 and count(*) filter (
        where a.open = b.open and a.high = b.high and a.low = b.low and a.close = b.close
    ) >= 0.95 * count(*)
) as t
where g.series_no = t.series_no and g.bar_ts = t.first_ts;
update {table} set broken = {broken} where twin_symbol is not null;

-- section: finish
create index on {table} (series_no, bar_ts) where broken is not null;
analyze {table};
