{#
    Grain: one row per model, type of prediction, timeframe, horizon and base bar with a mature prediction: the information
    coefficient of the last 20 base bars, and the CUSUM of its falls below the first 250 of them.
    Sums are about the mean score of the first bar, which keeps the digits that cancellation would eat, and in one order.
#}
{{
    config(
        incremental_strategy='touched_replace',
        unique_key=['model_id', 'prediction_type', 'timeframe', 'horizon_bars', 'base_bar_at'],
        meta={'touched': 'int_ic_models_this_run'},
    )
}}
-- depends_on: {{ ref('int_run_window') }}
{%- set window_bars = 20 -%}
{%- set baseline = 250 -%}
{%- set allowance = 0.5 -%}
{%- set threshold = 5 -%}
{%- set task = 'model_id, prediction_type, timeframe, horizon_bars' %}
with

outcomes as (

    select
        outcomes.*,
        {{ prediction_score('outcomes') }} as score,
        case
            when outcomes.judged_as = 'volatility' then outcomes.realised_volatility
            else outcomes.realised_return
        end as outcome
    from {{ ref('int_prediction_outcomes') }} as outcomes
    inner join {{ ref('int_ic_models_this_run') }} as models on outcomes.model_id = models.model_id
    where outcomes.is_mature

),

centred as (

    select
        *,
        score - first_value(score) over (partition by {{ task }} order by base_bar_at, prediction_id) as x,
        outcome as y
    from outcomes
    where score is not null and outcome is not null

),

bars as (

    select
        {{ task }},
        base_bar_at,
        max(label_end_at) as label_end_at,
        count(*) as pairs,
        sum(x order by prediction_id) as x,
        sum(y order by prediction_id) as y,
        sum(x * x order by prediction_id) as xx,
        sum(y * y order by prediction_id) as yy,
        sum(x * y order by prediction_id) as xy
    from centred
    group by {{ task }}, base_bar_at

),

trailing_sums as (

    select
        {{ task }},
        base_bar_at,
        label_end_at,
        row_number() over by_task as bar_no,
        sum(pairs) over window_bars as pairs,
        sum(x) over window_bars as x,
        sum(y) over window_bars as y,
        sum(xx) over window_bars as xx,
        sum(yy) over window_bars as yy,
        sum(xy) over window_bars as xy
    from bars

    window
        by_task as (partition by {{ task }} order by base_bar_at),
        window_bars as (by_task rows between {{ window_bars - 1 }} preceding and current row)

),

coefficients as (

    -- NULL where a side does not vary by more than rounding.
    select
        *,
        case
            when
                bar_no >= {{ window_bars }}
                and pairs * xx - x * x > 1e-12 * pairs * xx
                and pairs * yy - y * y > 1e-12 * pairs * yy
                then (pairs * xy - x * y) / sqrt((pairs * xx - x * x) * (pairs * yy - y * y))
        end::double precision as ic
    from trailing_sums

),

numbered as (

    select
        *,
        count(ic) over (partition by {{ task }} order by base_bar_at) as ic_no
    from coefficients

),

baselines as (

    select
        {{ task }},
        avg(ic order by base_bar_at) as baseline_ic,
        stddev_samp(ic order by base_bar_at) as baseline_sd
    from numbered
    where ic_no <= {{ baseline }}
    group by {{ task }}
    having count(ic) = {{ baseline }} and stddev_samp(ic order by base_bar_at) > 0

),

steps as (

    -- Neighbouring windows share all but one bar: each counts for one of its bars.
    select
        numbered.*,
        baselines.baseline_ic,
        baselines.baseline_sd,
        sum(
            ((baselines.baseline_ic - numbered.ic) / baselines.baseline_sd - {{ allowance }}) / {{ window_bars }}
        ) over (
            partition by
                numbered.model_id, numbered.prediction_type, numbered.timeframe, numbered.horizon_bars,
                baselines.model_id is not null and numbered.ic_no > {{ baseline }}
            order by numbered.base_bar_at
        ) as fallen
    from numbered
    left join baselines
        on
            numbered.model_id = baselines.model_id
            and numbered.prediction_type = baselines.prediction_type
            and numbered.timeframe = baselines.timeframe
            and numbered.horizon_bars = baselines.horizon_bars

),

cusums as (

    -- max(0, last + step) is the sum of all steps less the lowest it has been, 0 included.
    select
        *,
        case
            when baseline_ic is not null and ic_no > {{ baseline }}
                then
                    fallen - least(0, min(fallen) over (
                        partition by {{ task }}, ic_no > {{ baseline }}
                        order by base_bar_at
                    ))
        end as cusum
    from steps

),

falls as (

    select
        *,
        count(*) filter (where coalesce(cusum, 0) = 0) over (partition by {{ task }} order by base_bar_at) as fall_no
    from cusums

),

alarms as (

    select
        *,
        min(bar_no) filter (where cusum > 0) over this_fall as change_bar_no,
        min(base_bar_at) filter (where cusum > 0) over this_fall as change_bar_at,
        min(bar_no) filter (where cusum > {{ threshold }}) over this_fall as alarm_bar_no,
        min(label_end_at) filter (where cusum > {{ threshold }}) over this_fall as alarm_at
    from falls

    window this_fall as (partition by {{ task }}, fall_no order by base_bar_at)

)

select
    model_id::text as model_id,
    prediction_type::text as prediction_type,
    timeframe,
    horizon_bars,
    base_bar_at,
    label_end_at,
    bar_no,
    pairs::bigint as pairs,
    ic as information_coefficient,
    baseline_ic as baseline_information_coefficient,
    baseline_sd as baseline_standard_deviation,
    cusum,
    coalesce(cusum > {{ threshold }}, false) as is_alarm,
    alarm_at,
    case when alarm_bar_no is not null then change_bar_at end as change_estimated_at,
    alarm_bar_no - change_bar_no + 1 as delay_bars

from alarms
