{#
    Grain: one row per instrument, timeframe and source that has a bar.
    A series never mixes adjustment bases: bars of the basis that the best source sends are eligible
    for the golden bar, others are not, because unadjusted and adjusted prices differ by every split.
#}
{%- set instant = "timestamptz '" ~ var('as_of') ~ "'" -%}
{%- set lasting = "returned_at = 'infinity'" -%}
{%- if var('as_of') -%}
    {%- set lasting = "withdrawn_at <= " ~ instant ~ " and returned_at > " ~ instant -%}
{%- endif %}
with

series as (

    select
        instrument_id,
        timeframe,
        source,
        adjusted,
        first_known_at

    from {{ source('ref', 'series') }}
    {% if var('as_of') %}
    where first_known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

),

-- Sources without a bar of the series left choose nothing while that lasts.
withdrawn as (

    select
        instrument_id,
        timeframe,
        source,
        adjusted

    from {{ source('ref', 'withdrawn_series') }}
    where {{ lasting }}

),

priorities as (

    select
        source,
        priority

    from {{ ref('source_priorities') }}

),

ranked as (

    select
        series.instrument_id,
        series.timeframe,
        series.source,
        series.adjusted,
        coalesce(priorities.priority, 100) as source_priority,
        first_value(series.adjusted) over (
            partition by series.instrument_id, series.timeframe
            order by coalesce(priorities.priority, 100), series.source, series.adjusted
        ) as golden_basis

    from series
    left join priorities on series.source = priorities.source
    left join withdrawn
        on
            series.instrument_id = withdrawn.instrument_id
            and series.timeframe = withdrawn.timeframe
            and series.source = withdrawn.source
            and series.adjusted = withdrawn.adjusted
    where withdrawn.instrument_id is null

)

select
    instrument_id,
    timeframe,
    source,
    adjusted,
    source_priority,
    adjusted = golden_basis as is_eligible

from ranked
