{#
    Grain: one row per instrument, timeframe and bar start: the bar of the best source.
    A flat bar without volume is what vendors write when they have nothing: any other source wins over it.
#}
with

bars as (

    select * from {{ ref('stg_market__bars') }}

),

series as (

    select * from {{ ref('stg_market__series') }}

),

candidates as (

    select
        bars.*,
        series.source_priority,
        bars.volume = 0 and bars.high = bars.low as is_filler

    from bars
    inner join series
        on
            bars.instrument_id = series.instrument_id
            and bars.timeframe = series.timeframe
            and bars.source = series.source
            and bars.adjusted = series.adjusted
    where series.is_eligible

)

select distinct on (instrument_id, timeframe, bar_ts)
    instrument_id,
    timeframe,
    bar_ts,
    symbol,
    session_date,
    open,
    high,
    low,
    close,
    volume,
    source,
    adjusted,
    revision,
    created_at,
    updated_at

from candidates
order by
    instrument_id,
    timeframe,
    bar_ts,
    coalesce(is_filler, false),
    source_priority,
    source
