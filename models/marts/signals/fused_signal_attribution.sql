{#
    Grain: one row per fused signal, signal that went into it and horizon: what the one owes to the other.
    Linear attribution: the score is a weighted sum, so each part is its weight times its score, of the score, and
    that times the forward return, of the return of the position. Nothing is divided by the fused score, so it holds
    where that is 0. Parts plus residual are the total: in every row, so that a row can be read by itself.
#}
{{
    config(
        incremental_strategy='touched_replace',
        unique_key=['fused_id', 'agent_id', 'signal_id', 'horizon'],
        meta={'touched': 'int_fused_signals_this_run'},
    )
}}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('int_fused_signals_this_run') }}
select -- noqa: ST06
    inputs.fused_id,
    inputs.agent_id,
    inputs.signal_id,
    outcomes.horizon,
    inputs.weight,
    inputs.signal_score,
    inputs.score_contribution,
    fused_signals.residual_score,
    fused_signals.score as fused_score,
    outcomes.is_mature,
    outcomes.forward_return,
    inputs.score_contribution * outcomes.forward_return as return_contribution,
    fused_signals.residual_score * outcomes.forward_return as residual_return,
    outcomes.position_return

from {{ ref('int_fusion_inputs_this_run') }} as inputs
inner join {{ ref('fused_signals') }} as fused_signals on inputs.fused_id = fused_signals.fused_id
cross join
    unnest(
        fused_signals.horizons, fused_signals.is_mature, fused_signals.forward_returns, fused_signals.position_returns
    ) as outcomes (horizon, is_mature, forward_return, position_return)
