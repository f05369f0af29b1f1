{#
    Grain: one row per prediction and feature that it says it saw, against the value that the marts have for the bar the
    prediction starts from. The marts hold what is known now: where something was restated after the prediction had been
    written, a difference says nothing of the model, and the status says so.
#}
{{
    config(
        incremental_strategy='touched_replace',
        unique_key=['prediction_id', 'feature'],
        meta={'touched': 'int_predictions_this_run'},
    )
}}
-- depends_on: {{ ref('int_run_window') }}
with

served as (

    select
        outcomes.prediction_id,
        outcomes.model_id,
        outcomes.prediction_type,
        outcomes.timeframe,
        outcomes.horizon_bars,
        outcomes.instrument_id,
        outcomes.symbol,
        outcomes.predicted_at,
        outcomes.base_bar_at,
        predictions.created_at,
        predictions.feature_version,
        seen.feature,
        jsonb_typeof(seen.value) = 'null' as is_null,
        types.number_of(seen.value) as served_value
    from {{ ref('int_predictions_this_run') }} as predictions_this_run
    inner join {{ ref('int_prediction_outcomes') }} as outcomes
        on predictions_this_run.prediction_id = outcomes.prediction_id
    inner join {{ ref('stg_ml__predictions') }} as predictions
        on predictions_this_run.prediction_id = predictions.prediction_id
    cross join lateral jsonb_each(predictions.features) as seen (feature, value)
    where predictions_this_run.is_known

),

matched as (

    select
        served.*,
        {{ feature_value('features', 'served.feature') }} as mart_value,
        features.instrument_id is not null as has_bar,
        catalogue.name is not null or served.feature in ('open', 'high', 'low', 'close', 'volume') as is_in_marts
    from served
    left join {{ ref('feature_engineered_data') }} as features
        on
            served.instrument_id = features.instrument_id
            and served.timeframe = features.timeframe
            and served.base_bar_at = features."timestamp"
            and features.feature_version = '{{ var("feature_version") }}'
    left join {{ ref('feature_catalog') }} as catalogue on served.feature = catalogue.name

),

judged as (

    select
        *,
        case
            when not is_in_marts then 'unknown_feature'
            when feature_version <> '{{ var("feature_version") }}' then 'other_version'
            when not has_bar then 'no_bar'
            when is_null and mart_value is null then 'equal'
            when abs(served_value - mart_value) <= greatest(1e-9 * greatest(abs(served_value), abs(mart_value)), 1e-12)
                then 'equal'
            else 'differs'
        end as status
    from matched

)

select
    judged.prediction_id::text as prediction_id,
    judged.feature,
    judged.model_id::text as model_id,
    judged.prediction_type::text as prediction_type,
    judged.timeframe,
    judged.horizon_bars,
    judged.instrument_id,
    judged.symbol::text as symbol,
    judged.predicted_at,
    judged.base_bar_at,
    judged.served_value,
    judged.mart_value,
    judged.served_value - judged.mart_value as difference,
    case
        when
            judged.status = 'differs'
            and exists (
                select from {{ ref('int_prediction_restatements') }} as restatements
                where
                    judged.instrument_id = restatements.instrument_id
                    and judged.base_bar_at >= restatements.bar_ts
                    and judged.created_at >= restatements.known_from
                    and judged.created_at < restatements.known_at
                    and restatements.timeframe in (judged.timeframe, '1d')
            )
            then 'corrected_since'
        else judged.status
    end as status

from judged
