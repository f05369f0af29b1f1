{#
    Grain: one row per prediction whose outcome this run finds anew; is_known is false for one that is not known
    (any more: a build as of an earlier instant), which is only deleted.
    Found anew is: what landed; what had no outcome yet; outcomes that end in bars that this run recomputes; and
    predictions of tickers that moved between instruments, because a rename need not touch a bar.
#}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('int_unseen_changes') }}, {{ source('ref', 'symbol_history') }}
{% set outcomes = built_relation('int_prediction_outcomes') -%}
with

{% if outcomes is not none -%}
    changes as (

        -- After the cut of the run window, which the reference below sees to.
        select
            entity,
            lo,
            hi,
            relation
        from {{ ref('int_unseen_changes') }}
        where entity is not null or relation is null

    ),

    run_window as (

        select
            instrument_id,
            timeframe,
            recompute_from
        from {{ ref('int_run_window') }}

    ),

    moved_symbols as (

        select symbol
        from {{ source('ref', 'symbol_history') }}
        group by symbol
        having count(*) > 1 or bool_or(isfinite(valid_from) or isfinite(valid_to))

    ),

{% endif -%}
touched as (

    {% if outcomes is none -%}
        select prediction_id
        from {{ ref('stg_ml__predictions') }}
    {%- else -%}
        select predictions.prediction_id
        from changes
        inner join {{ ref('stg_ml__predictions') }} as predictions
            on
                (changes.entity = predictions.model_id and predictions.predicted_at between changes.lo and changes.hi)
                or changes.relation is null

        union

        select outcomes.prediction_id
        from {{ outcomes }} as outcomes
        left join run_window
            on
                outcomes.instrument_id = run_window.instrument_id
                and outcomes.timeframe = run_window.timeframe
        where
            not outcomes.is_mature
            or outcomes.label_bar_at >= run_window.recompute_from
            or exists (
                select from moved_symbols
                where moved_symbols.symbol = outcomes.symbol
            )
            or exists (
                select from changes
                where changes.relation is null
            )
    {%- endif %}

)

select
    touched.prediction_id,
    predictions.model_id,
    predictions.symbol,
    predictions.predicted_at,
    predictions.prediction_type,
    predictions.judged_as,
    predictions.timeframe,
    predictions.horizon_bars,
    predictions.prediction_value,
    predictions.probability_up,
    predictions.prediction_id is not null as is_known

from touched
left join {{ ref('stg_ml__predictions') }} as predictions on touched.prediction_id = predictions.prediction_id
