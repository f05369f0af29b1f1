{#
    Grain: one row per bar that this run reads, in the order of series and time.
    The bounded scratch of a run: what is recomputed (is_recomputed) and, before it, the bars that its
    windows look back on. Everything a feature family needs of a bar is here, so that families join nothing.
    Nested loops alone keep the bars in order from the index of the landing zone to the table: with hash and
    merge joins they were sorted three times, on disk.
    Statistics are of the columns that plans ask about: sampling all of them took 0.2 s, however few rows there were.
#}
{{
    config(
        materialized='scratch',
        pre_hook=["set local enable_hashjoin = off", "set local enable_mergejoin = off"],
        post_hook=[
            'create unique index on {{ this }} (series_no, bar_row)',
            'analyze {{ this }} (series_no, bar_row)',
        ],
    )
}}
with

series as (

    select
        run_window.series_no,
        run_window.instrument_id,
        run_window.timeframe,
        run_window.recompute_from,
        run_window.read_from,
        run_window.checkpoint_at,
        run_window.checkpoint_bar_number,
        instruments.calendar,
        calendars.timezone,
        run_window.timeframe::interval as duration,
        run_window.timeframe::interval >= interval '1 day' as is_session_bar
    from {{ ref('int_run_window') }} as run_window
    inner join {{ source('ref', 'instruments') }} as instruments
        on run_window.instrument_id = instruments.instrument_id
    left join {{ source('ref', 'calendars') }} as calendars on instruments.calendar = calendars.calendar
    order by run_window.series_no

),

bars as (

    -- offset 0 keeps the bounds of the series inside the views, where they become index conditions.
    select
        series.*,
        adjusted.*
    from series
    cross join lateral (
        select
            bars_adjusted.bar_ts,
            bars_adjusted.symbol,
            bars_adjusted.session_date,
            bars_adjusted.open,
            bars_adjusted.high,
            bars_adjusted.low,
            bars_adjusted.close,
            bars_adjusted.volume,
            bars_adjusted.split_factor,
            bars_adjusted.dividend_factor,
            bars_adjusted.source,
            bars_adjusted.created_at,
            bars_adjusted.updated_at
        from {{ ref('int_bars_adjusted') }} as bars_adjusted
        where
            bars_adjusted.instrument_id = series.instrument_id
            and bars_adjusted.timeframe = series.timeframe
            and bars_adjusted.bar_ts >= series.read_from
        offset 0 -- noqa: AM09
    ) as adjusted

),

numbered as (

    select
        *,
        lag(session_date) over by_series as previous_session_date,
        row_number() over by_series as row_in_series,
        count(*) filter (where bar_ts <= checkpoint_at) over by_series as rows_to_checkpoint,
        count(*) filter (where bar_ts < recompute_from) over by_series as rows_before_recomputed,
        row_number() over (order by series_no, bar_ts) as bar_row
    from bars
    window by_series as (
        partition by series_no order by bar_ts
        rows between unbounded preceding and unbounded following
    )

)

-- What every family reads comes first: a row is read from its beginning.
select -- noqa: ST06
    numbered.bar_row::integer as bar_row,
    numbered.series_no,
    numbered.instrument_id,
    (numbered.row_in_series - numbered.rows_to_checkpoint + numbered.checkpoint_bar_number)::integer as bar_number,
    numbered.bar_ts >= numbered.recompute_from as is_recomputed,
    (numbered.rows_before_recomputed - numbered.row_in_series + 1)::integer as bars_to_recomputed,
    numbered.is_session_bar,
    coalesce(
        numbered.is_session_bar
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
    ) as is_market_open,
    numbered.open,
    numbered.high,
    numbered.low,
    numbered.close,
    numbered.volume,
    numbered.bar_ts,
    numbered.session_date,
    numbered.previous_session_date,
    numbered.timeframe,
    numbered.split_factor,
    numbered.dividend_factor,
    numbered.symbol,
    numbered.source,
    numbered.created_at,
    numbered.updated_at,
    numbered.timezone,
    numbered.duration,
    sessions.open_at as session_open_at,
    sessions.close_at as session_close_at,
    sessions.is_half_day

from numbered
left join {{ source('ref', 'exchange_sessions') }} as sessions
    on
        numbered.calendar = sessions.calendar
        and numbered.session_date = sessions.session_date
order by numbered.series_no, numbered.bar_ts
