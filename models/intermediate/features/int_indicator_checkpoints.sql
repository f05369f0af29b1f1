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
    trend.ema_state,
    trend.macd_state,
    momentum.rsi_state,
    trend.trix_state,
    volatility.directional_state,
    volume.volume_state,
    volume.session_state

from {{ ref('int_bars_this_run') }} as bars_this_run
inner join {{ ref('int_features_trend') }} as trend on bars_this_run.bar_row = trend.bar_row
inner join {{ ref('int_features_momentum') }} as momentum on bars_this_run.bar_row = momentum.bar_row
inner join {{ ref('int_features_volatility') }} as volatility on bars_this_run.bar_row = volatility.bar_row
inner join {{ ref('int_features_volume') }} as volume on bars_this_run.bar_row = volume.bar_row
where
    bars_this_run.is_recomputed
    and bars_this_run.bar_number % {{ checkpoint_bars() }} = 0
