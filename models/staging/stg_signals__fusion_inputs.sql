{# Grain: one row per fused signal and signal that went into it; as known at var as_of. #}
with

fusion_inputs as (

    select
        fused_id::text as fused_id,
        agent_id::text as agent_id,
        signal_id::text as signal_id,
        weight::double precision as weight,
        known_at

    from {{ source('raw_signals', 'fusion_inputs') }}
    {% if var('as_of') %}
    where known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

)

select
    fused_id,
    agent_id,
    signal_id,
    known_at,
    {{ computable('weight') }} as weight

from fusion_inputs
