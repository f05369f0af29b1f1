{#
    Grain: one row per bar that this run reads, in the order of series and time.
    The bounded scratch of a run: what is recomputed (is_recomputed) and, before it, the bars that its
    windows look back on. Everything a feature family needs of a bar is here, so that families join nothing.
#}
{{ config(materialized='table', post_hook='{{ index_scratch(ordered=true) }}') }}
with

run_window as (

    select
        series_no,
        instrument_id,
        timeframe,
        recompute_from,
        read_from,
        checkpoint_at,
        checkpoint_bar_number
    from {{ ref('int_run_window') }}

),

bars as (

    -- offset 0 keeps the bounds of the series inside the views, where they become index conditions.
    select
        adjusted.*,
        run_window.series_no,
        run_window.recompute_from,
        run_window.checkpoint_at,
        run_window.checkpoint_bar_number
    from run_window
    cross join lateral (
        select bars_adjusted.*
        from {{ ref('int_bars_adjusted') }} as bars_adjusted
        where
            bars_adjusted.instrument_id = run_window.instrument_id
            and bars_adjusted.timeframe = run_window.timeframe
            and bars_adjusted.bar_ts >= run_window.read_from
        offset 0 -- noqa: AM09
    ) as adjusted

),

calendars as (

    select
        instruments.instrument_id,
        instruments.calendar,
        calendars.timezone
    from {{ source('ref', 'instruments') }} as instruments
    left join {{ source('ref', 'calendars') }} as calendars on instruments.calendar = calendars.calendar

),

numbered as (

    select
        *,
        timeframe::interval as duration,
        row_number() over by_bar as row_in_series,
        count(*) filter (where bar_ts <= checkpoint_at) over by_series as rows_to_checkpoint,
        row_number() over (order by series_no, bar_ts) as bar_row
    from bars
    window
        by_series as (partition by series_no),
        by_bar as (partition by series_no order by bar_ts)

),

placed as (

    select
        numbered.series_no,
        numbered.instrument_id,
        numbered.timeframe,
        numbered.bar_ts,
        numbered.session_date,
        numbered.open,
        numbered.high,
        numbered.low,
        numbered.close,
        numbered.volume,
        numbered.split_factor,
        numbered.dividend_factor,
        numbered.symbol,
        numbered.source,
        numbered.created_at,
        numbered.updated_at,
        calendars.timezone,
        numbered.duration,
        sessions.open_at as session_open_at,
        sessions.close_at as session_close_at,
        sessions.is_half_day,
        numbered.bar_row::integer as bar_row,
        (numbered.row_in_series - numbered.rows_to_checkpoint + numbered.checkpoint_bar_number)::integer as bar_number,
        numbered.bar_ts >= numbered.recompute_from as is_recomputed,
        numbered.bar_ts > coalesce(numbered.checkpoint_at, '-infinity') as is_after_checkpoint,
        numbered.duration >= interval '1 day' as is_session_bar,
        coalesce(
            numbered.duration >= interval '1 day'
            or (
                numbered.bar_ts < sessions.close_at
                and numbered.bar_ts + numbered.duration > sessions.open_at
                and not (
                    sessions.break_start_at is not null
                    and numbered.bar_ts >= sessions.break_start_at
                    and numbered.bar_ts + numbered.duration <= sessions.break_end_at
                )
            ),
            false
        ) as is_market_open

    from numbered
    left join calendars on numbered.instrument_id = calendars.instrument_id
    left join {{ source('ref', 'exchange_sessions') }} as sessions
        on
            calendars.calendar = sessions.calendar
            and numbered.session_date = sessions.session_date

)

select
    bar_row,
    series_no,
    instrument_id,
    timeframe,
    bar_ts,
    session_date,
    bar_number,
    is_recomputed,
    is_after_checkpoint,
    open,
    high,
    low,
    close,
    volume,
    split_factor,
    dividend_factor,
    symbol,
    source,
    created_at,
    updated_at,
    timezone,
    duration,
    session_open_at,
    session_close_at,
    is_half_day,
    is_session_bar,
    is_market_open

from placed
order by bar_row
