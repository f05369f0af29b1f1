{#
    Grain: one row per fused signal that this run attributes anew and signal that went into it.
    What it contributed to the fused score is weight times score, whatever the weights sum to. A signal that never
    landed has no score: it contributes NULL, and what it may have contributed stays in the residual.
#}
with

inputs as (

    select
        fused_signals.fused_id,
        fusion_inputs.agent_id,
        fusion_inputs.signal_id,
        fusion_inputs.weight,
        {{ computable('signals.score') }} as signal_score
    from {{ ref('int_fused_signals_this_run') }} as fused_signals
    inner join {{ ref('stg_signals__fusion_inputs') }} as fusion_inputs
        on fused_signals.fused_id = fusion_inputs.fused_id
    left join {{ ref('stg_signals__signals') }} as signals
        on
            fusion_inputs.agent_id = signals.agent_id
            and fusion_inputs.signal_id = signals.signal_id
    where fused_signals.is_known

)

select
    fused_id,
    agent_id,
    signal_id,
    weight,
    signal_score,
    weight * signal_score as score_contribution

from inputs
