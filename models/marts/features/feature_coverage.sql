{# Grain: one row per timeframe, session date, feature and feature version: how many bars have a value. #}
{{
    config(
        incremental_strategy='day_replace',
        unique_key=['timeframe', 'session_date', 'feature', 'feature_version'],
    )
}}
-- depends_on: {{ ref('int_run_window') }}
{%- set features = feature_names() %}
with

{% if is_incremental() -%}
    touched as (

        {{ first_touched_days() }}

    ),

    series as (

        -- One row per source there.
        select distinct
            instrument_id,
            timeframe
        from {{ source('ref', 'series') }}

    ),

{% endif -%}
counted as (

    select
        features.timeframe,
        features.session_date,
        count(*) as bars,
        array[
            {% for name in features -%}
                count(features.{{ name }}){{ ',' if not loop.last }}
            {% endfor -%}
        ] as present
    {% if is_incremental() -%}
        from touched
        inner join series on touched.timeframe = series.timeframe
        -- offset 0 keeps the bounds inside, where they are index conditions: the mart has no index on sessions. The
        -- session of a bar lies at most one day after its UTC date.
        cross join lateral (
            select recounted.*
            from {{ ref('feature_engineered_data') }} as recounted
            where
                recounted.instrument_id = series.instrument_id
                and recounted.timeframe = series.timeframe
                and recounted."timestamp" >= (touched.first_day - 1)::timestamp at time zone 'UTC'
                and recounted.session_date >= touched.first_day
            offset 0 -- noqa: AM09
        ) as features
    {% else -%}
        from {{ ref('feature_engineered_data') }} as features
    {% endif -%}
    where features.feature_version = '{{ var("feature_version") }}'
    group by features.timeframe, features.session_date

)

select
    counted.timeframe,
    counted.session_date,
    feature.name as feature,
    '{{ var("feature_version") }}'::text as feature_version,
    counted.bars,
    counted.present[feature.position] as present,
    counted.present[feature.position]::double precision / counted.bars as coverage

from counted
cross join unnest(array[
    {% for name in features -%}
        '{{ name }}'{{ ',' if not loop.last }}
    {% endfor -%}
]) with ordinality as feature (name, position)
