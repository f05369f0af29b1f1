{#
    Grain: one row per timeframe, bar start (timestamp) and instrument, for the timeframes of var factor_timeframes.
    Where each instrument stands among all that have a bar of that timeframe and time. The universe is who was there:
    nobody is left out for what became of them later.
    Whole cross-sections are computed, and only those in which a value changed: int_cross_sections_this_run.
    Sums are taken in the order of instruments: a sum of floats depends on it.
#}
{{
    config(
        incremental_strategy='touched_replace',
        unique_key=['timeframe', 'timestamp', 'instrument_id'],
        meta={
            'touched': 'int_cross_sections_this_run',
            'touched_keys': ['timeframe', 'timestamp'],
            'physical_design': {'time_column': 'timestamp', 'chunk_interval': 'auto'},
        },
    )
}}
-- depends_on: {{ ref('int_run_window') }}
{%- set features = cross_section_features() %}
{%- set minimum = var('cross_section_minimum') | int %}
with

touched as (

    select
        timeframe,
        "timestamp"
    from {{ ref('int_cross_sections_this_run') }}

),

members as (

    -- The key of the features begins with the instrument: naming each makes a cross-section a few look-ups.
    select distinct
        instrument_id,
        timeframe
    from {{ ref('stg_market__series') }}

),

bars as (

    select
        {% for name in features -%}
            features.{{ name }},
        {% endfor -%}
        features.timeframe,
        features."timestamp",
        features.instrument_id,
        features.symbol
    from touched
    inner join members on touched.timeframe = members.timeframe
    inner join {{ ref('feature_engineered_data') }} as features
        on
            members.instrument_id = features.instrument_id
            and members.timeframe = features.timeframe
            and touched."timestamp" = features."timestamp"
    where
        features.feature_version = '{{ var("feature_version") }}'
        and features.timeframe in ('{{ var("factor_timeframes") | join("', '") }}')

),

compared as (

    -- NULL sorts last, so the ranks of the others do not know of it.
    select
        *,
        {% for name in features -%}
            count({{ name }}) over bar as {{ name }}_count,
            avg({{ name }}) over bar as {{ name }}_mean,
            stddev_samp({{ name }}) over bar as {{ name }}_deviation,
            min({{ name }}) over bar < max({{ name }}) over bar as {{ name }}_varies,
            rank() over by_{{ name }}
            + (count(*) over (by_{{ name }} range current row) - 1) / 2.0::double precision as {{ name }}_place,
        {% endfor -%}
        count(*) over bar as instruments
    from bars
    window
        {% for name in features -%}
            by_{{ name }} as (partition by timeframe, "timestamp" order by {{ name }}),
        {% endfor -%}
        bar as (
            partition by timeframe, "timestamp" order by instrument_id
            rows between unbounded preceding and unbounded following
        )

)

select
    {% for name in features -%}
        {{ name }},
        case
            when {{ name }}_count >= {{ minimum }} then {{ name }} - {{ name }}_mean
        end as {{ name }}_demeaned,
        case
            when {{ name }}_count >= {{ minimum }} and {{ name }}_varies
                then ({{ name }} - {{ name }}_mean) / {{ name }}_deviation
        end as {{ name }}_zscore,
        case
            when {{ name }} is not null and {{ name }}_count >= {{ minimum }}
                then {{ name }}_place / {{ name }}_count
        end as {{ name }}_rank,
    {% endfor -%}
    timeframe,
    "timestamp",
    instrument_id,
    symbol,
    instruments

from compared
