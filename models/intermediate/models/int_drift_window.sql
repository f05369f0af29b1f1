{#
    Grain: one row per frozen reference and feature whose drift this run measures again, and from which day on; empty
    when nothing changed. A reference of a model is touched by predictions of that model, one of all bars by bars of its
    timeframe; a new one is measured from its first day. is_known is false for one that a build as of an earlier instant
    does not know; it is only deleted.
#}
{%- set built = built_relation('model_drift_daily') %}
with

changes as (

    {{ entity_changes(built) }}

),

bars as (

    select
        timeframe,
        min(recompute_from) as recompute_from
    from {{ ref('int_run_window') }}
    group by timeframe

),

touched as (

    select
        frozen.reference,
        frozen.feature,
        case
            when changes.relation = 'raw_ml.predictions'::regclass then (changes.lo at time zone 'UTC')::date
            else '-infinity'
        end as touched_from
    from {{ source('ops', 'drift_references') }} as frozen
    inner join changes
        on
            changes.relation is null
            or (changes.relation = 'raw_ml.predictions'::regclass and frozen.model_id = changes.entity)
            or (changes.relation = 'ops.drift_references'::regclass and frozen.reference = changes.entity)

    union all

    select
        frozen.reference,
        frozen.feature,
        -- A session can begin on the evening before its date.
        (bars.recompute_from at time zone 'UTC')::date - 1 as touched_from
    from {{ source('ops', 'drift_references') }} as frozen
    inner join bars on frozen.timeframe = bars.timeframe
    where frozen.model_id is null

),

first_days as (

    select
        reference,
        feature,
        min(touched_from) as first_day
    from touched
    group by reference, feature

)

select
    frozen.reference::text as reference,
    frozen.feature::text as feature,
    frozen.model_id::text as model_id,
    frozen.prediction_type::text as prediction_type,
    frozen.horizon_bars,
    frozen.timeframe,
    frozen.feature_version,
    frozen.edges,
    frozen.counts,
    frozen.missing,
    first_days.first_day,
    first_days.first_day - {{ drift_window_days() - 1 }} as read_day,
    {{ "frozen.frozen_at <= timestamptz '" ~ var('as_of') ~ "'" if var('as_of') else 'true' }} as is_known

from {{ source('ops', 'drift_references') }} as frozen
inner join first_days
    on
        frozen.reference = first_days.reference
        and frozen.feature = first_days.feature
