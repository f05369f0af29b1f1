{# Grain: one row per signal, with its direction as a side and its strength signed; as known at var as_of. #}
with

signals as (

    select
        agent_id::text as agent_id,
        signal_id::text as signal_id,
        symbol::text as symbol,
        signal_ts,
        known_at,
        strength::double precision as strength,
        case direction when 'long' then 1 when 'short' then -1 else 0 end as side

    from {{ source('raw_signals', 'signals') }}
    {% if var('as_of') %}
    where known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

)

select
    agent_id,
    signal_id,
    symbol,
    signal_ts,
    side,
    strength,
    known_at,
    side * strength as score

from signals
