{#
    Grain: one row per series and UTC day. Partial aggregates from which the dashboards' moving windows are
    summed, so that a window of 90 days reads 90 rows of a series and not its bars.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='window_replace',
        unlogged=false,
        unique_key=['instrument_id', 'timeframe', 'day_start', 'feature_version'],
        meta={'window_column': 'day_start', 'window_unit': 'day', 'versioned': true},
    )
}}
-- depends_on: {{ ref('int_run_window') }}
select
    features.instrument_id,
    features.timeframe,
    features.feature_version,
    date_trunc('day', features."timestamp", 'UTC') as day_start,
    max(features.symbol) as symbol,
    count(*) as records,
    count(features.rsi_1d) as rsi_records,
    count(features.price_ma_short) as ma_records,
    max(features."timestamp") as latest_timestamp,
    max(features.high) as high,
    min(features.low) as low,
    -- In order: a sum of floats depends on it, and an incremental build may meet the rows in another one.
    sum(features.volume order by features."timestamp") as volume,
    sum(features.dollar_volume order by features."timestamp") as dollar_volume

from {{ ref('feature_engineered_data') }} as features
{% if is_incremental() -%}
    inner join {{ ref('int_run_window') }} as run_window
        on
            features.instrument_id = run_window.instrument_id
            and features.timeframe = run_window.timeframe
            and features."timestamp" >= {{ day_of_window('run_window.recompute_from') }}
{% endif -%}
where features.feature_version = '{{ var("feature_version") }}'
group by
    features.instrument_id,
    features.timeframe,
    date_trunc('day', features."timestamp", 'UTC'),
    features.feature_version
