{% macro signal_entries(moments) -%}
    {#-
        The session in which what was said of a ticker at a moment can first be acted on, and of which instrument, as a
        query over a CTE of distinct (symbol, signal_ts). That is the first session of the instrument's exchange that
        closes after the moment. A ticker that several exchanges have then means the instrument we knew first; one
        that means nothing in that session has no row.
    -#}
    select distinct on (moments.symbol, moments.signal_ts)
        moments.symbol,
        moments.signal_ts,
        tickers.instrument_id,
        sessions.session_date
    from {{ moments }} as moments
    inner join {{ source('ref', 'symbol_history') }} as tickers on moments.symbol = tickers.symbol
    inner join {{ source('ref', 'instruments') }} as instruments on tickers.instrument_id = instruments.instrument_id
    inner join lateral (

        select exchange_sessions.session_date
        from {{ source('ref', 'exchange_sessions') }} as exchange_sessions
        where
            exchange_sessions.calendar = instruments.calendar
            and exchange_sessions.session_date >= (moments.signal_ts at time zone 'UTC')::date - 1
            and exchange_sessions.close_at > moments.signal_ts
        order by exchange_sessions.session_date
        limit 1

    ) as sessions on true
    where
        sessions.session_date >= tickers.valid_from
        and sessions.session_date < tickers.valid_to
    order by moments.symbol, moments.signal_ts, tickers.instrument_id
{%- endmacro %}
