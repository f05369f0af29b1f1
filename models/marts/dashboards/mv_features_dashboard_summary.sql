{#
    Grain: one row per symbol with a bar in the last 90 days (var dashboard_days) before the dashboards' as-of.
    The summary of the design, exact to the second: whole days from the daily partials, the day in which the
    window begins from its bars. A symbol leaves when its last bar leaves the window.
#}
{{
    config(
        incremental_strategy='replace_all',
        unique_key=['symbol'],
    )
}}
{%- set window_start = dashboard_until() ~ " - interval '" ~ (var('dashboard_days') | int) ~ " days'" %}
with

whole_days as (

    select
        symbol,
        feature_version,
        latest_timestamp,
        records,
        rsi_records,
        ma_records
    from {{ ref('int_features_daily') }}
    where day_start >= {{ window_start }}

),

first_day as (

    select
        symbol,
        feature_version,
        "timestamp" as latest_timestamp,
        1 as records,
        (rsi_1d is not null)::integer as rsi_records,
        (price_ma_short is not null)::integer as ma_records
    from {{ ref('feature_engineered_data') }}
    where
        "timestamp" >= {{ window_start }}
        and "timestamp" < date_trunc('day', {{ window_start }} + interval '1 day' - interval '1 microsecond', 'UTC')

),

parts as (

    select * from whole_days
    union all
    select * from first_day

)

select
    symbol,
    max(latest_timestamp) as latest_timestamp,
    sum(records)::bigint as total_records,
    -- By number, not by text: '10.0' is later than '9.0'.
    (array_agg(feature_version order by string_to_array(feature_version, '.')::integer[] desc))[1] as latest_version,
    sum(rsi_records)::double precision / sum(records) as rsi_coverage,
    sum(ma_records)::double precision / sum(records) as ma_coverage

from parts
group by symbol
