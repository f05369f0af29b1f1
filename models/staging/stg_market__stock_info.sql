{# Grain: one row per instrument: what the source that stated it last says of the company. #}
with

stock_info as (

    select
        instrument_id,
        symbol,
        company_name,
        sector,
        industry,
        market_cap,
        country,
        currency,
        exchange,
        source,
        revision,
        known_at

    from {{ source('raw_market', 'stock_info') }}
    {% if var('as_of') %}
    where known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

),

-- What a source said of a symbol goes with the symbol when a rename moves it to another instrument.
latest_revision as (

    select distinct on (symbol, source) *
    from stock_info
    order by symbol asc, source asc, revision desc

)

select distinct on (instrument_id)
    instrument_id,
    symbol,
    company_name,
    sector,
    industry,
    market_cap,
    country,
    currency,
    exchange,
    source,
    known_at

from latest_revision
where instrument_id is not null
order by instrument_id asc, known_at desc, source asc, symbol asc
