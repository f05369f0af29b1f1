{#
    Grain: one row per instrument, timeframe, bar start and source: its latest revision, unless that one
    withdraws the bar.
#}
with

bars as (

    select
        instrument_id,
        timeframe,
        bar_ts,
        source,
        revision,
        symbol,
        session_date,
        open,
        high,
        low,
        close,
        volume,
        adjusted,
        is_withdrawn,
        known_at

    from {{ source('raw_market', 'bars') }}
    {% if var('as_of') %}
    where known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

),

latest_revision as (

    select distinct on (instrument_id, timeframe, bar_ts, source) *
    from bars
    order by instrument_id asc, timeframe asc, bar_ts asc, source asc, revision desc

)

select
    instrument_id,
    timeframe,
    bar_ts,
    source,
    revision,
    symbol,
    session_date,
    open,
    high,
    low,
    close,
    volume,
    adjusted,
    case
        when revision = 0 then known_at
        else (
            select first_revision.known_at
            -- Not the CTE: read twice it would be materialised, all bars for each series (229 s, not 9).
            from {{ source('raw_market', 'bars') }} as first_revision
            where
                first_revision.instrument_id = latest_revision.instrument_id
                and first_revision.timeframe = latest_revision.timeframe
                and first_revision.bar_ts = latest_revision.bar_ts
                and first_revision.source = latest_revision.source
                and first_revision.revision = 0
        )
    end as created_at,
    known_at as updated_at

from latest_revision
-- After the choice of the revision: withdrawn is the bar, not its newest values.
where not is_withdrawn
