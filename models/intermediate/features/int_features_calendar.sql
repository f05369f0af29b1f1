{#
    Grain: one row per recomputed bar. Where the bar lies in the day, the session and the year, by the
    clock of its exchange. Clock and session features are NULL for bars of a day or longer, which have
    a session but no time of day.
    date_part() and not extract(), which is numeric: casts to float took longer than everything else here.
#}
with

bars_this_run as (

    select
        bar_row,
        session_date,
        previous_session_date,
        session_open_at,
        session_close_at,
        is_half_day,
        is_market_open,
        duration,
        case when not is_session_bar then bar_ts at time zone timezone end as local_start,
        case when not is_session_bar then bar_ts end as intraday_ts
    from {{ ref('int_bars_this_run') }}
    where is_recomputed

),

-- What a date alone decides is computed once a date and not for each of its bars.
distinct_dates as (

    select distinct session_date
    from {{ ref('int_bars_this_run') }}

),

dates as (

    select
        session_date,
        date_part('isodow', session_date) - 1 as day_of_week,
        date_part('month', session_date) as month
    from distinct_dates
    offset 0 -- noqa: AM09

),

parts_of_dates as (

    select
        session_date,
        day_of_week::smallint as day_of_week,
        month::smallint as month,
        date_part('day', session_date)::smallint as day_of_month,
        date_part('doy', session_date)::smallint as day_of_year,
        date_part('week', session_date)::smallint as week_of_year,
        date_part('quarter', session_date)::smallint as quarter,
        sin(2 * pi() * day_of_week / 7) as day_of_week_sin,
        cos(2 * pi() * day_of_week / 7) as day_of_week_cos,
        sin(2 * pi() * (month - 1) / 12) as month_sin,
        cos(2 * pi() * (month - 1) / 12) as month_cos
    from dates
    offset 0 -- noqa: AM09

),

clock as (

    select
        *,
        date_part('hour', local_start) as hour,
        date_part('minute', local_start) as minute,
        date_part('epoch', intraday_ts - session_open_at) / 60 as minutes_since_open,
        date_part('epoch', session_close_at - intraday_ts - duration) / 60 as minutes_to_close,
        date_part('epoch', session_close_at - session_open_at) / 60 as session_minutes
    from bars_this_run
    -- The parts of the clock are used more than once below; the fence keeps them computed once.
    offset 0 -- noqa: AM09

)

select
    clock.bar_row,
    clock.hour::smallint as hour,
    clock.minute::smallint as minute,
    parts_of_dates.day_of_week,
    parts_of_dates.day_of_month,
    parts_of_dates.day_of_year,
    parts_of_dates.week_of_year,
    parts_of_dates.month,
    parts_of_dates.quarter,
    sin(2 * pi() * (clock.hour * 60 + clock.minute) / 1440) as time_of_day_sin,
    cos(2 * pi() * (clock.hour * 60 + clock.minute) / 1440) as time_of_day_cos,
    parts_of_dates.day_of_week_sin,
    parts_of_dates.day_of_week_cos,
    parts_of_dates.month_sin,
    parts_of_dates.month_cos,
    clock.is_market_open,
    clock.is_half_day,
    clock.session_minutes,
    clock.minutes_since_open,
    clock.minutes_to_close,
    {{ function('safe_divide') }}(clock.minutes_since_open, clock.session_minutes) as session_progress,
    (clock.session_date is distinct from clock.previous_session_date) as is_first_bar_of_session,
    (clock.session_date - clock.previous_session_date)::smallint as days_since_previous_session

from clock
inner join parts_of_dates on clock.session_date = parts_of_dates.session_date
