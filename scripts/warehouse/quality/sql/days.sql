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
