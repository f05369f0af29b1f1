{#
    Grain: one row per timeframe and bar start whose cross-section this run computes again; empty when nothing changed.
    A changed bar makes its series dirty to the end, but few values differ there: compared are the features of the
    dirty series with those that the cross-sections were computed from, which the mart keeps. One bar corrected years
    ago costs the cross-sections that it is in, not those since. What readers have is compared too, as a build whose
    tests failed has computed cross-sections that nobody has seen.
    Everything is computed when other code built the mart or what readers have of it.
#}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('feature_engineered_data') }}
{%- set built = built_relation('features_cross_section') -%}
{%- set published = published_relation('features_cross_section') -%}
{%- set stored = [built, published] | reject('none') | list -%}
{%- set is_whole = built is none or not has_watermarks({
    'features_cross_section': code_version('features_cross_section'),
    'publication': window_consumers()['publication'],
}) -%}
{%- set compared = ['instrument_id', 'timeframe', '"timestamp"', 'symbol'] + cross_section_features() %}
with

features as (

    select
        {{ compared | join(',\n        ') }}
    from {{ ref('feature_engineered_data') }}
    where
        feature_version = '{{ var("feature_version") }}'
        and timeframe in ('{{ var("factor_timeframes") | join("', '") }}')

),

{% if is_whole -%}
    touched as (

        select
            timeframe,
            "timestamp"
        from features
        {% for relation in stored %}
            union all
            select
                timeframe,
                "timestamp"
            from {{ relation }}
        {% endfor %}

    )
{%- else -%}
    run_window as (

        select
            instrument_id,
            timeframe,
            recompute_from
        from {{ ref('int_run_window') }}

    ),

    computed as (

        select features.*
        from run_window
        inner join features
            on
                run_window.instrument_id = features.instrument_id
                and run_window.timeframe = features.timeframe
                and run_window.recompute_from <= features."timestamp"

    ),

    {% for relation in stored -%}
        stored_{{ loop.index }} as (

            select
                {% for column in compared -%}
                    stored.{{ column }}{{ ',' if not loop.last }}
                {% endfor %}
            from run_window
            inner join {{ relation }} as stored
                on
                    run_window.instrument_id = stored.instrument_id
                    and run_window.timeframe = stored.timeframe
                    and run_window.recompute_from <= stored."timestamp"

        ),

    {% endfor -%}
    touched as (

        {% for relation in stored %}
            (
                select * from computed
                except
                select * from stored_{{ loop.index }}
            )
            union all
            (
                select * from stored_{{ loop.index }}
                except
                select * from computed
            )
            {{ 'union all' if not loop.last }}
        {% endfor %}

    )
{%- endif %}

select distinct
    timeframe,
    "timestamp"
from touched
