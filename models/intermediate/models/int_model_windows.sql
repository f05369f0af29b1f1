{#
    Grain: one row per model, type of prediction, timeframe, horizon, segment and period: what model_performance has
    a row for. is_open says that its numbers are computed again: predictions or outcomes in it are not those that
    the mart was computed from, or the code is another. Compared, not listened for: a label that is found late, a
    company that changes its sector, a run that failed half-way all show in the fingerprint.
#}
-- depends_on: {{ ref('int_run_window') }}
{% set mart = built_relation('model_performance') -%}
{% set salt = local_md5(code_version('model_performance') ~ var('prediction_cost_bps'))[:8] if execute else '' -%}
with

monthly as (

    select
        outcomes.model_id,
        outcomes.prediction_type,
        outcomes.judged_as,
        outcomes.timeframe,
        outcomes.horizon_bars,
        coalesce(info.sector, 'unknown') as sector,
        to_char(outcomes.predicted_at at time zone 'UTC', 'YYYY-MM') as month,
        count(*) as predictions,
        count(*) filter (where outcomes.is_mature) as mature,
        min(outcomes.predicted_at) as first_predicted_at,
        max(outcomes.predicted_at) as last_predicted_at,
        bit_xor(
            hashtextextended(
                concat(outcomes.prediction_id, '|', outcomes.realised_return, '|', outcomes.realised_volatility), 0
            )
        ) as fingerprint
    from {{ ref('int_prediction_outcomes') }} as outcomes
    left join {{ ref('stg_market__stock_info') }} as info on outcomes.instrument_id = info.instrument_id
    group by
        outcomes.model_id,
        outcomes.prediction_type,
        outcomes.judged_as,
        outcomes.timeframe,
        outcomes.horizon_bars,
        coalesce(info.sector, 'unknown'),
        to_char(outcomes.predicted_at at time zone 'UTC', 'YYYY-MM')

),

windows as (

    select
        monthly.model_id,
        monthly.prediction_type,
        monthly.judged_as,
        monthly.timeframe,
        monthly.horizon_bars,
        segment.kind as segment_kind,
        segment.name as segment,
        period.name as period,
        sum(monthly.predictions)::bigint as predictions,
        sum(monthly.mature)::bigint as mature,
        min(monthly.first_predicted_at) as first_predicted_at,
        max(monthly.last_predicted_at) as last_predicted_at,
        '{{ salt }}' || to_hex(bit_xor(monthly.fingerprint)) as input_fingerprint
    from monthly
    cross join lateral (values ('all', 'all'), ('sector', monthly.sector)) as segment (kind, name)
    cross join lateral (values ('all'), (monthly.month)) as period (name)
    group by
        monthly.model_id,
        monthly.prediction_type,
        monthly.judged_as,
        monthly.timeframe,
        monthly.horizon_bars,
        segment.kind,
        segment.name,
        period.name

)

select
    windows.*,
    row_number() over (
        order by
            windows.model_id,
            windows.prediction_type,
            windows.timeframe,
            windows.horizon_bars,
            windows.segment_kind,
            windows.segment,
            windows.period
    )::integer as window_no,
    {% if mart is none -%}
        true as is_open
    {%- else -%}
        kept.model_id is null
        or exists (
            select from {{ ref('int_run_window') }} as run_window
            where run_window.is_whole
        ) as is_open
    {%- endif %}

from windows
{% if mart is not none -%}
    left join {{ mart }} as kept
        on
            windows.model_id = kept.model_id
            and windows.prediction_type = kept.prediction_type
            and windows.timeframe = kept.timeframe
            and windows.horizon_bars = kept.horizon_bars
            and windows.segment_kind = kept.segment_kind
            and windows.segment = kept.segment
            and windows.period = kept.period
            and windows.input_fingerprint = kept.input_fingerprint
{% endif %}
