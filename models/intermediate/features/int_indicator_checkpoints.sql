{#
    Grain: one row per series and every 64th bar of it: the recursive state after that bar.
    Where the next incremental build takes up the recursive indicators instead of warming them up.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='window_replace',
        unlogged=false,
        unique_key=['instrument_id', 'timeframe', 'bar_ts'],
        meta={'window_column': 'bar_ts'},
    )
}}
select
    bars_this_run.instrument_id,
    bars_this_run.timeframe,
    bars_this_run.bar_ts,
    bars_this_run.bar_number,
    recursive_family.ema_state,
    recursive_family.macd_state,
    recursive_family.rsi_state,
    recursive_family.trix_state,
    recursive_family.directional_state,
    recursive_family.volume_state,
    recursive_family.session_state

from {{ ref('int_bars_this_run') }} as bars_this_run
inner join {{ ref('int_features_recursive') }} as recursive_family on bars_this_run.bar_row = recursive_family.bar_row
where
    bars_this_run.is_recomputed
    and bars_this_run.bar_number % {{ checkpoint_bars() }} = 0
