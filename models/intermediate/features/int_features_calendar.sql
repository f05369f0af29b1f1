{#
    Grain: one row per recomputed bar. Where the bar lies in the day, the session and the year, by the
    clock of its exchange. Clock and session features are NULL for bars of a day or longer, which have
    a session but no time of day.
#}
with

bars_this_run as (

    select
        bar_row,
        bar_ts,
        session_date,
        session_open_at,
        session_close_at,
        is_half_day,
        is_market_open,
        is_recomputed,
        case when not is_session_bar then bar_ts at time zone timezone end as local_start,
        case when not is_session_bar then bar_ts end as intraday_ts,
        extract(epoch from duration)::double precision / 60 as duration_minutes,
        lag(session_date) over (partition by series_no order by bar_row) as previous_session_date
    from {{ ref('int_bars_this_run') }}

),

clock as (

    select
        *,
        extract(hour from local_start)::double precision as hour,
        extract(minute from local_start)::double precision as minute,
        extract(isodow from session_date)::double precision - 1 as day_of_week,
        extract(month from session_date)::double precision as month,
        extract(epoch from intraday_ts - session_open_at)::double precision / 60 as minutes_since_open,
        extract(epoch from session_close_at - intraday_ts)::double precision / 60 - duration_minutes
            as minutes_to_close,
        extract(epoch from session_close_at - session_open_at)::double precision / 60 as session_minutes
    from bars_this_run
    where is_recomputed
    -- The parts of the clock are used more than once below; the fence keeps them computed once.
    offset 0 -- noqa: AM09

)

select
    bar_row,
    hour::smallint as hour,
    minute::smallint as minute,
    day_of_week::smallint as day_of_week,
    extract(day from session_date)::smallint as day_of_month,
    extract(doy from session_date)::smallint as day_of_year,
    extract(week from session_date)::smallint as week_of_year,
    month::smallint as month,
    extract(quarter from session_date)::smallint as quarter,
    sin(2 * pi() * (hour * 60 + minute) / 1440) as time_of_day_sin,
    cos(2 * pi() * (hour * 60 + minute) / 1440) as time_of_day_cos,
    sin(2 * pi() * day_of_week / 7) as day_of_week_sin,
    cos(2 * pi() * day_of_week / 7) as day_of_week_cos,
    sin(2 * pi() * (month - 1) / 12) as month_sin,
    cos(2 * pi() * (month - 1) / 12) as month_cos,
    is_market_open,
    is_half_day,
    session_minutes,
    minutes_since_open,
    minutes_to_close,
    {{ function('safe_divide') }}(minutes_since_open, session_minutes) as session_progress,
    (session_date is distinct from previous_session_date) as is_first_bar_of_session,
    (session_date - previous_session_date)::smallint as days_since_previous_session

from clock
