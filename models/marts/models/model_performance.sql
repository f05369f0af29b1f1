{#
    Grain: one row per model, type of prediction, timeframe, horizon, segment and period (a month, or all).
    Numbers of windows whose predictions and outcomes are as they were stay (int_model_windows compares them); what a
    model claims is read anew, because its row changes in place.
#}
{{
    config(
        incremental_strategy='replace_all',
        unique_key=['model_id', 'prediction_type', 'timeframe', 'horizon_bars', 'segment_kind', 'segment', 'period'],
    )
}}
{%- set counts = ['true_positives', 'false_positives', 'false_negatives', 'true_negatives'] -%}
{%- set classification = [
    'accuracy', 'precision_up', 'recall_up', 'f1_up', 'matthews_correlation', 'roc_auc', 'pr_auc', 'log_loss',
    'brier_score', 'expected_calibration_error', 'reliability_bins', 'reliability_predictions',
    'reliability_mean_probability', 'reliability_share_up',
] -%}
{%- set errors = [
    'evaluated', 'mae', 'rmse', 'r2', 'qlike', 'information_coefficient', 'rank_information_coefficient',
    'trades', 'mean_gross_return', 'mean_net_return', 'breakeven_cost_bps',
] -%}
{%- set numbers = counts + classification + errors -%}
{#- What was realised, and the names under which trainers claim it. -#}
{%- set claims = {
    'accuracy': ['accuracy'], 'precision_up': ['precision'], 'recall_up': ['recall'], 'f1_up': ['f1', 'f1_score'],
    'roc_auc': ['auc', 'roc_auc'], 'log_loss': ['log_loss'], 'mae': ['mae'], 'rmse': ['rmse'], 'r2': ['r2'],
} -%}
with

windows as (

    select * from {{ ref('int_model_windows') }}

),

measured as (

    select
        {% for number in counts + classification -%}
            classification.{{ number }},
        {% endfor -%}
        {% for number in errors -%}
            errors.{{ number }},
        {% endfor -%}
        windows.window_no
    from windows
    left join {{ ref('int_model_errors') }} as errors on windows.window_no = errors.window_no
    left join {{ ref('int_model_classification') }} as classification on windows.window_no = classification.window_no
    where windows.is_open
    {% if is_incremental() %}

        union all

        select
            {% for number in numbers -%}
                kept.{{ number }},
            {% endfor -%}
            windows.window_no
        from windows
        inner join {{ this }} as kept
            on
                windows.model_id = kept.model_id
                and windows.prediction_type = kept.prediction_type
                and windows.timeframe = kept.timeframe
                and windows.horizon_bars = kept.horizon_bars
                and windows.segment_kind = kept.segment_kind
                and windows.segment = kept.segment
                and windows.period = kept.period
                and windows.input_fingerprint = kept.input_fingerprint
        where not windows.is_open
    {% endif %}

),

claimed as (

    select
        model_id,
        name,
        version,
        status,
        metrics
        {% for metric, names in claims.items() -%}
            , {{ claimed_metric('metrics', names) }} as claimed_{{ metric }}
        {% endfor %}
    from {{ ref('stg_ml__models') }}

)

select
    windows.model_id,
    windows.prediction_type,
    windows.timeframe,
    windows.horizon_bars,
    windows.segment_kind,
    windows.segment,
    windows.period,
    windows.judged_as,
    claimed.name as model_name,
    claimed.version as model_version,
    claimed.status as model_status,
    windows.first_predicted_at,
    windows.last_predicted_at,
    windows.predictions,
    windows.mature,
    windows.mature::double precision / windows.predictions as maturity,
    coalesce(measured.evaluated, 0) as evaluated,
    {% for number in numbers if number != 'evaluated' -%}
        measured.{{ number }},
    {% endfor -%}
    claimed.metrics as claimed_metrics,
    {% for metric in claims -%}
        measured.{{ metric }} - claimed.claimed_{{ metric }} as {{ metric }}_gap,
    {% endfor -%}
    windows.input_fingerprint

from windows
inner join measured on windows.window_no = measured.window_no
inner join claimed on windows.model_id = claimed.model_id
