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

{% if is_incremental() -%}
    from {{ ref('int_run_window') }} as run_window
    -- offset 0 keeps the bounds of a series inside, where they are index conditions: joined, the mart of 750 MB was
    -- read whole for 7 bars of each series.
    cross join lateral (
        select recomputed.*
        from {{ ref('feature_engineered_data') }} as recomputed
        where
            recomputed.instrument_id = run_window.instrument_id
            and recomputed.timeframe = run_window.timeframe
            and recomputed."timestamp" >= {{ day_of_window('run_window.recompute_from') }}
        offset 0 -- noqa: AM09
    ) as features
{% else -%}
    from {{ ref('feature_engineered_data') }} as features
{% endif -%}
where features.feature_version = '{{ var("feature_version") }}'
group by
    features.instrument_id,
    features.timeframe,
    date_trunc('day', features."timestamp", 'UTC'),
    features.feature_version
