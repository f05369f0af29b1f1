{#
    Grain: one row per bar of instruments whose predictions this run looks at again, and fact that changed what was known
    of it after the first of those predictions: a revision, a bar of another source, or a bar that filled a gap. Who wrote
    a prediction from known_from on and before known_at did not know it. Bars that land later in the order of time, as all
    do, restate nothing.
    Read is what landed since the first of those predictions, found by the time of landing; earlier bars only where one
    of it is not the last of its series.
#}
with

series as (

    select
        outcomes.instrument_id,
        timeframe.name as timeframe,
        min(predictions.created_at) as predicted_from
    from {{ ref('int_predictions_this_run') }} as predictions_this_run
    inner join {{ ref('int_prediction_outcomes') }} as outcomes
        on predictions_this_run.prediction_id = outcomes.prediction_id
    inner join {{ ref('stg_ml__predictions') }} as predictions
        on predictions_this_run.prediction_id = predictions.prediction_id
    -- Features of shorter bars look at daily ones too.
    cross join lateral (values (outcomes.timeframe), ('1d')) as timeframe (name)
    where
        outcomes.instrument_id is not null
        and predictions.features <> '{}'
    group by outcomes.instrument_id, timeframe.name

),

-- Materialized, for the planner would rather read every bar of every series by its key.
landed_since as materialized (

    select
        instrument_id,
        timeframe,
        bar_ts,
        revision,
        known_at
    from {{ source('raw_market', 'bars') }}
    where
        known_at > (select min(series.predicted_from) from series)
        and known_at <= {{ known_until() }}

),

landed as (

    select landed_since.*
    from series
    inner join landed_since
        on
            series.instrument_id = landed_since.instrument_id
            and series.timeframe = landed_since.timeframe
            and series.predicted_from < landed_since.known_at

),

firsts as (

    select
        instrument_id,
        timeframe,
        min(bar_ts) as first_bar_ts,
        min(known_at) as first_known_at
    from landed
    where revision = 0
    group by instrument_id, timeframe

),

bars as (

    select
        bars.instrument_id,
        bars.timeframe,
        bars.bar_ts,
        bars.revision,
        bars.known_at,
        firsts.first_known_at,
        min(bars.known_at) over (
            partition by bars.instrument_id, bars.timeframe
            order by bars.bar_ts desc
            range between unbounded preceding and current row
        ) as known_from
    from firsts
    inner join {{ source('raw_market', 'bars') }} as bars
        on
            firsts.instrument_id = bars.instrument_id
            and firsts.timeframe = bars.timeframe
            and firsts.first_bar_ts <= bars.bar_ts
    {% if var('as_of') %}
        where bars.known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

)

select
    instrument_id,
    timeframe,
    bar_ts,
    known_from,
    known_at
from bars
where
    revision = 0
    and known_from < known_at
    and first_known_at <= known_at

union all

select
    instrument_id,
    timeframe,
    bar_ts,
    '-infinity' as known_from,
    known_at
from landed
where revision > 0

union all

-- Splits and dividends restate every earlier bar, and by the look-back every later one.
select distinct
    series.instrument_id,
    '1d' as timeframe,
    '-infinity'::timestamptz as bar_ts,
    '-infinity'::timestamptz as known_from,
    actions.known_at
from series
inner join {{ source('ref', 'corporate_actions') }} as actions on series.instrument_id = actions.instrument_id
{% if var('as_of') %}
    where actions.known_at <= timestamptz '{{ var("as_of") }}'
{% endif %}
