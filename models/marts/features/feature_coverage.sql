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
    from {{ ref('feature_engineered_data') }} as features
    {% if is_incremental() -%}
        inner join touched
            on
                features.timeframe = touched.timeframe
                and features.session_date >= touched.first_day
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
