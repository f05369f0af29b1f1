{#
    Grain: one row per instrument, timeframe and bar start.
    Prices in today's shares (split-adjusted); volume the other way, so that price * volume is the money
    that changed hands. Bars that the source has adjusted already keep their values and a factor of 1.
#}
with

bars as (

    select * from {{ ref('int_bars_golden') }}

),

factors as (

    select * from {{ ref('int_adjustment_factors') }}

),

factored as (

    select
        bars.instrument_id,
        bars.timeframe,
        bars.bar_ts,
        bars.symbol,
        bars.session_date,
        bars.open::double precision as open,
        bars.high::double precision as high,
        bars.low::double precision as low,
        bars.close::double precision as close,
        bars.volume::double precision as volume,
        bars.source,
        bars.revision,
        bars.created_at,
        bars.updated_at,
        case when bars.adjusted = 'none' then coalesce(factors.split_factor, 1) else 1 end as split_factor,
        case
            when bars.adjusted in ('none', 'splits') then coalesce(factors.dividend_factor, 1) else 1
        end as dividend_factor

    from bars
    left join factors
        on
            bars.instrument_id = factors.instrument_id
            and bars.session_date >= factors.valid_from
            and bars.session_date < factors.valid_to

)

select
    instrument_id,
    timeframe,
    bar_ts,
    symbol,
    session_date,
    split_factor,
    dividend_factor,
    source,
    revision,
    created_at,
    updated_at,
    open * split_factor as open,
    high * split_factor as high,
    low * split_factor as low,
    close * split_factor as close,
    volume / split_factor as volume

from factored
