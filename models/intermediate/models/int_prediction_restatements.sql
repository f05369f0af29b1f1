{#
    Grain: one row per bar of instruments whose predictions this run looks at again, and fact that changed what was known
    of it: a revision, a bar of another source, or a bar that filled a gap. Who wrote a prediction from known_from on and
    before known_at did not know it. Bars that land later in the order of time, as all do, restate nothing.
#}
with

series as (

    select distinct
        outcomes.instrument_id,
        timeframe.name as timeframe
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

),

bars as (

    select
        bars.instrument_id,
        bars.timeframe,
        bars.bar_ts,
        bars.known_at,
        case
            when bars.revision > 0 then '-infinity'
            else min(bars.known_at) over (
                    partition by bars.instrument_id, bars.timeframe
                    order by bars.bar_ts desc
                    range between unbounded preceding and current row
                )
        end as known_from
    from series
    inner join {{ source('raw_market', 'bars') }} as bars
        on
            series.instrument_id = bars.instrument_id
            and series.timeframe = bars.timeframe
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
where known_from < known_at

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
