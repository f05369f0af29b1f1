{#
    Grain: one row per champion, challenger, type of prediction, timeframe, horizon and period: what model_comparison
    has a row for. A champion is an active model; its challengers are all others that are active or may become so
    (training, shadow) and predicted the same task in the same month. Months are those of the base bar, which both share.
    is_open says that the numbers are computed again, found as in int_model_windows: by comparing fingerprints.
#}
-- depends_on: {{ ref('int_run_window') }}
{% set mart = built_relation('model_comparison') -%}
{% set salt = local_md5(code_version('model_comparison') ~ var('prediction_cost_bps'))[:8] if execute else '' -%}
with

monthly as (

    select
        model_id,
        prediction_type,
        judged_as,
        timeframe,
        horizon_bars,
        to_char(base_bar_at at time zone 'UTC', 'YYYY-MM') as month,
        bit_xor(
            hashtextextended(
                concat_ws(
                    '|',
                    prediction_id,
                    instrument_id,
                    extract(epoch from base_bar_at),
                    realised_return,
                    realised_volatility
                ),
                0
            )
        ) as fingerprint
    from {{ ref('int_prediction_outcomes') }}
    where is_mature
    group by
        model_id,
        prediction_type,
        judged_as,
        timeframe,
        horizon_bars,
        to_char(base_bar_at at time zone 'UTC', 'YYYY-MM')

),

common as (

    select
        champion.model_id as champion_id,
        challenger.model_id as challenger_id,
        champion.prediction_type,
        champion.judged_as,
        champion.timeframe,
        champion.horizon_bars,
        champion.month,
        hashtextextended(
            concat_ws('|', champion.month, champion.fingerprint, challenger.fingerprint), 0
        ) as fingerprint
    from monthly as champion
    inner join {{ ref('stg_ml__models') }} as champion_model
        on
            champion.model_id = champion_model.model_id
            and champion_model.status = 'active'
    inner join monthly as challenger
        on
            champion.model_id <> challenger.model_id
            and champion.prediction_type = challenger.prediction_type
            and champion.timeframe = challenger.timeframe
            and champion.horizon_bars = challenger.horizon_bars
            and champion.month = challenger.month
    inner join {{ ref('stg_ml__models') }} as challenger_model
        on
            challenger.model_id = challenger_model.model_id
            and challenger_model.status in ('training', 'shadow', 'active')

),

comparisons as (

    select
        common.champion_id,
        common.challenger_id,
        common.prediction_type,
        common.judged_as,
        common.timeframe,
        common.horizon_bars,
        periods.period,
        '{{ salt }}' || to_hex(bit_xor(common.fingerprint)) as input_fingerprint
    from common
    cross join lateral (values ('all'), (common.month)) as periods (period)
    group by
        common.champion_id,
        common.challenger_id,
        common.prediction_type,
        common.judged_as,
        common.timeframe,
        common.horizon_bars,
        periods.period

)

select
    comparisons.*,
    row_number() over (
        order by
            comparisons.champion_id,
            comparisons.challenger_id,
            comparisons.prediction_type,
            comparisons.timeframe,
            comparisons.horizon_bars,
            comparisons.period
    )::integer as comparison_no,
    {% if mart is none -%}
        true as is_open
    {%- else -%}
        kept.champion_id is null
        or exists (
            select from {{ ref('int_run_window') }} as run_window
            where run_window.is_whole
        ) as is_open
    {%- endif %}

from comparisons
{% if mart is not none -%}
    left join {{ mart }} as kept
        on
            comparisons.champion_id = kept.champion_id
            and comparisons.challenger_id = kept.challenger_id
            and comparisons.prediction_type = kept.prediction_type
            and comparisons.timeframe = kept.timeframe
            and comparisons.horizon_bars = kept.horizon_bars
            and comparisons.period = kept.period
            and comparisons.input_fingerprint = kept.input_fingerprint
{% endif %}
