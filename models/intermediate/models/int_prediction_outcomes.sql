{#
    Grain: one row per prediction, with what came true of it.
    A prediction starts from the last bar that had ended by its time: of daily bars the last session that had
    closed, whether its bar is there or not, because an older one would be another prediction. Its label ends
    horizon_bars later: sessions of the exchange for daily bars, bars of the series for others.
    Until both bars are there, the outcome is NULL and the next build looks again.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='touched_replace',
        unlogged=false,
        unique_key=['prediction_id'],
        meta={'touched': 'int_predictions_this_run'},
    )
}}
-- depends_on: {{ ref('int_run_window') }}
with

predictions as (

    select
        predictions_this_run.*,
        named.instrument_id,
        instruments.calendar
    from {{ ref('int_predictions_this_run') }} as predictions_this_run
    left join lateral (

        {{ instrument_of('predictions_this_run.symbol', 'predictions_this_run.predicted_at') }}

    ) as named on true
    left join {{ source('ref', 'instruments') }} as instruments on named.instrument_id = instruments.instrument_id
    where predictions_this_run.is_known

),

labels as (

    -- Many models predict the same.
    select distinct
        instrument_id,
        calendar,
        timeframe,
        predicted_at,
        horizon_bars
    from predictions
    where instrument_id is not null

),

daily as (

    select
        labels.*,
        base.session_date::timestamp at time zone 'UTC' as base_bar_at,
        ending.session_date::timestamp at time zone 'UTC' as label_bar_at,
        ending.close_at as label_end_at
    from labels
    inner join lateral (

        select sessions.session_date
        from {{ source('ref', 'exchange_sessions') }} as sessions
        where
            sessions.calendar = labels.calendar
            and sessions.session_date <= (labels.predicted_at at time zone 'UTC')::date + 1
            and sessions.close_at <= labels.predicted_at
        order by sessions.session_date desc
        limit 1

    ) as base on true
    inner join lateral (

        select
            sessions.session_date,
            sessions.close_at
        from {{ source('ref', 'exchange_sessions') }} as sessions
        where
            sessions.calendar = labels.calendar
            and sessions.session_date > base.session_date
        order by sessions.session_date
        limit 1 offset labels.horizon_bars - 1

    ) as ending on true
    where labels.timeframe = '1d'

),

others as (

    select
        labels.*,
        base.bar_at as base_bar_at,
        ending.bar_at as label_bar_at,
        ending.bar_at + labels.timeframe::interval as label_end_at
    from labels
    inner join lateral (

        -- The last bar of a session ends with it.
        select features."timestamp" as bar_at
        from {{ ref('feature_engineered_data') }} as features
        left join {{ source('ref', 'exchange_sessions') }} as sessions
            on
                labels.calendar = sessions.calendar
                and features.session_date = sessions.session_date
                and features."timestamp" < sessions.close_at
        where
            features.instrument_id = labels.instrument_id
            and features.timeframe = labels.timeframe
            and features.feature_version = '{{ var("feature_version") }}'
            and features."timestamp" < labels.predicted_at
            and least(features."timestamp" + labels.timeframe::interval, sessions.close_at) <= labels.predicted_at
        order by features."timestamp" desc
        limit 1

    ) as base on true
    inner join lateral (

        select features."timestamp" as bar_at
        from {{ ref('feature_engineered_data') }} as features
        where
            features.instrument_id = labels.instrument_id
            and features.timeframe = labels.timeframe
            and features.feature_version = '{{ var("feature_version") }}'
            and features."timestamp" > base.bar_at
        order by features."timestamp"
        limit 1 offset labels.horizon_bars - 1

    ) as ending on true
    where labels.timeframe <> '1d'

),

dated as (

    select * from daily
    union all
    select * from others

),

numbered as (

    select
        *,
        row_number() over () as label_no
    from dated

),

steps as (

    -- offset 0 keeps the bounds of the label inside, where they become index conditions.
    select
        numbered.label_no,
        stretch.bar_at,
        stretch.price,
        case
            when stretch.price > 0 and lag(stretch.price) over by_label > 0
                then ln(stretch.price / lag(stretch.price) over by_label)
        end as log_return
    from numbered
    inner join lateral (

        select
            features."timestamp" as bar_at,
            features.close * features.dividend_factor as price
        from {{ ref('feature_engineered_data') }} as features
        where
            features.instrument_id = numbered.instrument_id
            and features.timeframe = numbered.timeframe
            and features.feature_version = '{{ var("feature_version") }}'
            and features."timestamp" between numbered.base_bar_at and numbered.label_bar_at
        offset 0 -- noqa: AM09

    ) as stretch on true

    window by_label as (partition by numbered.label_no order by stretch.bar_at)

),

paths as (

    select
        label_no,
        min(bar_at) as first_bar_at,
        max(bar_at) as last_bar_at,
        min(price) as lowest_price,
        (array_agg(price order by bar_at))[1] as first_price,
        (array_agg(price order by bar_at desc))[1] as last_price,
        sum(power(log_return, 2) order by bar_at) as squares
    from steps
    group by label_no

),

realised as (

    select
        numbered.*,
        -- A price at or below zero has no return.
        case when paths.first_price > 0 then paths.last_price / paths.first_price - 1 end as realised_return,
        case when paths.lowest_price > 0 then sqrt(paths.squares) end as realised_volatility
    from numbered
    left join paths
        on
            numbered.label_no = paths.label_no
            -- Both ends must be there.
            and numbered.base_bar_at = paths.first_bar_at
            and numbered.label_bar_at = paths.last_bar_at

)

select
    predictions.prediction_id,
    predictions.model_id,
    predictions.symbol,
    predictions.instrument_id,
    predictions.predicted_at,
    predictions.prediction_type,
    predictions.judged_as,
    predictions.timeframe,
    predictions.horizon_bars,
    predictions.prediction_value,
    predictions.probability_up,
    realised.base_bar_at,
    realised.label_bar_at,
    realised.label_end_at,
    realised.realised_return,
    realised.realised_volatility,
    realised.realised_return is not null as is_mature

from predictions
left join realised
    on
        predictions.instrument_id = realised.instrument_id
        and predictions.timeframe = realised.timeframe
        and predictions.predicted_at = realised.predicted_at
        and predictions.horizon_bars = realised.horizon_bars
