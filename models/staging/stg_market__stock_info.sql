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
    where
        instrument_id is not null
    {% if var('as_of') %}
        and known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

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

from stock_info
order by instrument_id asc, known_at desc, source asc, revision desc
