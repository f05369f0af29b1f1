-- The bars of the scope, each with what the rules need to know about it and what it breaks.
-- The column broken is NULL for a good row, else the rules that it breaks; a row in quarantine keeps what it
-- was rejected for.
create unlogged table {table} as
-- offset 0: computes each column once, not again wherever a later step asks for it.
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
    offset 0
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
    offset 0
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
    offset 0
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
                            and not o.is_withdrawn
                            and not exists (
                                select
                                from ref.corporate_actions as n
                                where
                                    n.instrument_id = o.instrument_id
                                    and n.action_type = o.action_type
                                    and n.ex_date = o.ex_date
                                    and n.source = o.source
                                    and n.revision > o.revision
                            )
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
    offset 0
)

select c.*, {broken} as broken
from context as c;
