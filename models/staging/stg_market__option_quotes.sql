{#
    Grain: one row per option contract, time of the quote, source and revision, with the span of time in which it was
    what we knew; as known at var as_of. A query should give instrument_id and quote_ts, which the key begins with.
    A chain at 00:00 UTC stands for the session of that date and is known at its close; of a date without a session, a
    day later.
#}
{%- set contract = ['instrument_id', 'quote_ts', 'expiry', 'strike', 'option_right', 'source'] %}
with

quotes as (

    select
        option_quotes.*,
        case
            when option_quotes.quote_ts <> date_trunc('day', option_quotes.quote_ts, 'UTC') then option_quotes.quote_ts
            else coalesce(sessions.close_at, option_quotes.quote_ts + interval '1 day')
        end as event_at
    from {{ source('raw_market', 'option_quotes') }} as option_quotes
    left join {{ source('ref', 'instruments') }} as instruments
        on option_quotes.instrument_id = instruments.instrument_id
    left join {{ source('ref', 'exchange_sessions') }} as sessions
        on
            instruments.calendar = sessions.calendar
            and (option_quotes.quote_ts at time zone 'UTC')::date = sessions.session_date
    {% if var('as_of') %}
    where option_quotes.known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

)

select
    instrument_id,
    quote_ts,
    expiry,
    strike::double precision as strike,
    option_right,
    source::text as source,
    event_at,
    {{ known_from('event_at', 'known_at', 'source') }} as known_from,
    {{ restated_from(source('raw_market', 'option_quotes'), 'quotes', 'quotes.event_at', contract) }} as known_until,
    is_withdrawn,
    bid::double precision as bid,
    ask::double precision as ask,
    volume::double precision as volume,
    open_interest::double precision as open_interest,
    implied_volatility::double precision as implied_volatility,
    delta::double precision as delta,
    gamma::double precision as gamma,
    underlying_price::double precision as underlying_price

from quotes
