{# Grain: one row per fused signal, with its direction as a side and its strength signed; as known at var as_of. #}
with

fused_signals as (

    select
        fused_id::text as fused_id,
        agent_id::text as allocator_id,
        strategy_id::text as strategy_id,
        symbol::text as symbol,
        signal_ts,
        horizon as stated_horizon,
        direction::text as direction,
        strength::double precision as strength,
        confidence::double precision as confidence,
        method,
        known_at,
        case direction when 'long' then 1 when 'short' then -1 else 0 end as side

    from {{ source('raw_signals', 'fused_signals') }}
    {% if var('as_of') %}
    where known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

)

select
    fused_id,
    allocator_id,
    strategy_id,
    symbol,
    signal_ts,
    stated_horizon,
    direction,
    strength,
    confidence,
    method,
    known_at,
    side * {{ computable('strength') }} as score

from fused_signals
