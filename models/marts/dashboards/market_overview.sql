{#
    Grain: one row per instrument and timeframe with a bar in the last 90 days (var dashboard_days) before the
    dashboards' as-of. Where each market stands: its latest bar and how that compares with the window.
#}
{{
    config(
        incremental_strategy='replace_all',
        unique_key=['instrument_id', 'timeframe'],
    )
}}
{%- set window_start = dashboard_until() ~ " - interval '" ~ (var('dashboard_days') | int) ~ " days'" %}
with

window_days as (

    select
        instrument_id,
        timeframe,
        max(high) as window_high,
        min(low) as window_low,
        sum(records)::bigint as window_bars,
        sum(volume order by day_start) as window_volume,
        sum(dollar_volume order by day_start) as window_dollar_volume
    from {{ ref('int_features_daily') }}
    where
        latest_timestamp >= {{ window_start }}
        and feature_version = '{{ var("feature_version") }}'
    group by instrument_id, timeframe

)

select
    window_days.instrument_id,
    window_days.timeframe,
    latest.symbol,
    info.company_name,
    info.sector,
    info.industry,
    latest."timestamp" as latest_timestamp,
    latest.close,
    latest.returns,
    latest.volume,
    latest.volume_ratio_20,
    latest.rsi_14,
    latest.natr_14,
    latest.realized_vol_24,
    latest.price_to_sma_50,
    latest.price_to_sma_200,
    window_days.window_high,
    window_days.window_low,
    window_days.window_bars,
    window_days.window_volume,
    window_days.window_dollar_volume,
    latest.close / nullif(window_days.window_high, 0) - 1 as from_window_high,
    latest.close / nullif(window_days.window_low, 0) - 1 as from_window_low

from window_days
inner join lateral (

    select features.*
    from {{ ref('feature_engineered_data') }} as features
    where
        features.instrument_id = window_days.instrument_id
        and features.timeframe = window_days.timeframe
        and features.feature_version = '{{ var("feature_version") }}'
    order by features."timestamp" desc
    limit 1

) as latest on true
left join {{ ref('stg_market__stock_info') }} as info on window_days.instrument_id = info.instrument_id
