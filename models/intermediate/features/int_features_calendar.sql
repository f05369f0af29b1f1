{{ config(materialized='ephemeral') }}
{#
    Grain: one row per recomputed bar. Where the bar lies in the day, the session and the year, by the
    clock of its exchange, added to the family before; and what the bar itself says. Clock and session features are NULL for bars of a day or longer,
    which have a session but no time of day.
    date_part() and not extract(), which is numeric: casts to float took longer than everything else here.
#}
select
    bars.*, -- noqa: AM04
    bars_this_run.instrument_id,
    bars_this_run.timeframe,
    bars_this_run.bar_ts,
    bars_this_run.symbol,
    bars_this_run.session_date,
    bars_this_run.open,
    bars_this_run.high,
    bars_this_run.low,
    bars_this_run.close,
    bars_this_run.volume,
    bars_this_run.split_factor,
    bars_this_run.dividend_factor,
    bars_this_run.source,
    bars_this_run.created_at,
    bars_this_run.updated_at,
    clock.hour::smallint as hour,
    clock.minute::smallint as minute,
    clock.day_of_week::smallint as day_of_week,
    date_part('day', bars_this_run.session_date)::smallint as day_of_month,
    date_part('doy', bars_this_run.session_date)::smallint as day_of_year,
    date_part('week', bars_this_run.session_date)::smallint as week_of_year,
    clock.month::smallint as month,
    date_part('quarter', bars_this_run.session_date)::smallint as quarter,
    sin(2 * pi() * (clock.hour * 60 + clock.minute) / 1440) as time_of_day_sin,
    cos(2 * pi() * (clock.hour * 60 + clock.minute) / 1440) as time_of_day_cos,
    sin(2 * pi() * clock.day_of_week / 7) as day_of_week_sin,
    cos(2 * pi() * clock.day_of_week / 7) as day_of_week_cos,
    sin(2 * pi() * (clock.month - 1) / 12) as month_sin,
    cos(2 * pi() * (clock.month - 1) / 12) as month_cos,
    bars_this_run.is_market_open,
    bars_this_run.is_half_day,
    clock.session_minutes,
    clock.minutes_since_open,
    clock.minutes_to_close,
    {{ function('safe_divide') }}(clock.minutes_since_open, clock.session_minutes) as session_progress,
    (bars_this_run.session_date is distinct from bars_this_run.previous_session_date) as is_first_bar_of_session,
    (bars_this_run.session_date - bars_this_run.previous_session_date)::smallint as days_since_previous_session
from {{ ref('int_features_statistical') }} as bars
inner join {{ ref('int_bars_this_run') }} as bars_this_run
    on bars.series_no = bars_this_run.series_no and bars.row_before + bars.bar = bars_this_run.bar_row
cross join lateral (
    select
        date_part('hour', local_time.start_at) as hour,
        date_part('minute', local_time.start_at) as minute,
        date_part('isodow', bars_this_run.session_date) - 1 as day_of_week,
        date_part('month', bars_this_run.session_date) as month,
        date_part('epoch', local_time.intraday_ts - bars_this_run.session_open_at) / 60 as minutes_since_open,
        date_part('epoch', bars_this_run.session_close_at - local_time.intraday_ts - bars_this_run.duration) / 60
            as minutes_to_close,
        date_part('epoch', bars_this_run.session_close_at - bars_this_run.session_open_at) / 60 as session_minutes
    from (
        select
            case when not bars_this_run.is_session_bar then bars_this_run.bar_ts at time zone bars_this_run.timezone end
                as start_at,
            case when not bars_this_run.is_session_bar then bars_this_run.bar_ts end as intraday_ts
        from (values (true)) as fence (is_up)
        -- The parts of the clock are used more than once; the fences keep them computed once.
        offset 0 -- noqa: AM09
    ) as local_time
    offset 0 -- noqa: AM09
) as clock
