{#
    Grain: one row per daily bar and horizon (var label_horizons, in sessions of the exchange).
    What a position opened at the close of the bar's session returned by the close so many sessions later, dividends
    included: the label of whatever was said before that first close. A label is open (NULL, not mature) until the bar
    of its last session is there, however many later ones are: no price is carried over a missing bar.
    Open labels need no list of their own: the bar that closes one lies in the window that re-opens them.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='window_replace',
        unlogged=false,
        unique_key=['instrument_id', 'timeframe', 'bar_ts', 'horizon'],
        meta={'window_column': 'bar_ts', 'window_bound': 'labels_from'},
    )
}}
with

sessions as (

    select
        calendar,
        session_date,
        close_at,
        row_number() over (partition by calendar order by session_date) as session_no
    from {{ source('ref', 'exchange_sessions') }}

),

bars as (

    select
        bars_this_run.instrument_id,
        bars_this_run.timeframe,
        bars_this_run.bar_ts,
        bars_this_run.session_date,
        sessions.session_no,
        sessions.close_at,
        bars_this_run.close * bars_this_run.dividend_factor as price,
        bars_this_run.bar_ts >= run_window.labels_from as is_recomputed
    from {{ ref('int_bars_this_run') }} as bars_this_run
    inner join {{ ref('int_run_window') }} as run_window on bars_this_run.series_no = run_window.series_no
    inner join {{ source('ref', 'instruments') }} as instruments
        on bars_this_run.instrument_id = instruments.instrument_id
    inner join sessions
        on
            instruments.calendar = sessions.calendar
            and bars_this_run.session_date = sessions.session_date
    where bars_this_run.timeframe = '1d'

)

select
    bars.instrument_id,
    bars.timeframe,
    bars.bar_ts,
    horizons.horizon,
    bars.session_date,
    bars.close_at as entry_at,
    ending.close_at as label_end_at,
    case when bars.price > 0 then ending.price / bars.price - 1 end as fwd_ret,
    ending.instrument_id is not null as is_mature

from bars
cross join unnest(array[{{ label_horizons() | join(', ') }}]) as horizons (horizon)
left join bars as ending
    on
        bars.instrument_id = ending.instrument_id
        and bars.session_no + horizons.horizon = ending.session_no
where bars.is_recomputed
