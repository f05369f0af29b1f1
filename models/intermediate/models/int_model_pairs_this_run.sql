{#
    Grain: one row per open window and mature prediction in it: what was said and what came true.
    For a direction the probability of up counts as its score where it is given, elsewhere the value.
#}
with

open_windows as (

    select * from {{ ref('int_model_windows') }}
    where is_open

),

outcomes as (

    select
        mature.*,
        coalesce(info.sector, 'unknown') as sector,
        to_char(mature.predicted_at at time zone 'UTC', 'YYYY-MM') as month
    from {{ ref('int_prediction_outcomes') }} as mature
    left join {{ ref('stg_market__stock_info') }} as info on mature.instrument_id = info.instrument_id
    where mature.is_mature

),

placed as (

    select
        outcomes.*,
        segment.kind as segment_kind,
        segment.name as segment,
        period.name as period
    from outcomes
    cross join lateral (values ('all', 'all'), ('sector', outcomes.sector)) as segment (kind, name)
    cross join lateral (values ('all'), (outcomes.month)) as period (name)

)

select
    open_windows.window_no,
    placed.prediction_id,
    placed.judged_as,
    placed.probability_up,
    placed.prediction_value,
    placed.realised_return,
    placed.realised_return > 0 as is_up,
    case
        when placed.judged_as = 'volatility' then placed.realised_volatility
        else placed.realised_return
    end as outcome,
    {{ prediction_score('placed') }} as score,
    {{ prediction_side('placed') }} as side

from placed
inner join open_windows
    on
        placed.model_id = open_windows.model_id
        and placed.prediction_type = open_windows.prediction_type
        and placed.timeframe = open_windows.timeframe
        and placed.horizon_bars = open_windows.horizon_bars
        and placed.segment_kind = open_windows.segment_kind
        and placed.segment = open_windows.segment
        and placed.period = open_windows.period
