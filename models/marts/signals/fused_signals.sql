{#
    Grain: one row per fused signal: what it said, what it was made of, and what came of it at each horizon.
    A position of the size of the score returns score times forward return. Sums are taken in the order of the inputs:
    a sum of floats depends on it.
#}
{{
    config(
        incremental_strategy='touched_replace',
        unique_key=['fused_id'],
        meta={
            'touched': 'int_fused_signals_this_run',
            'physical_design': {'indexes': [{
                'name': 'fused_signals_strategy_idx',
                'columns': ['strategy_id', 'session_date'],
                'why': 'what agents earned a strategy in some sessions: attribution is joined by fused_id',
            }]},
        },
    )
}}
-- depends_on: {{ ref('int_run_window') }}
with

totals as (

    select
        fused_id,
        count(*) as inputs,
        count(distinct agent_id) as agents,
        count(*) filter (where score_contribution is null) as missing_inputs,
        count(*) filter (where weight is null) as unusable_weights,
        sum(weight order by agent_id, signal_id) as weight_sum,
        sum(score_contribution order by agent_id, signal_id) as explained_score,
        sum(abs(score_contribution) order by agent_id, signal_id) as gross_score,
        sum(abs(weight) order by agent_id, signal_id) filter (where score_contribution is not null) as known_weight
    from {{ ref('int_fusion_inputs_this_run') }}
    group by fused_id

),

deviations as (

    -- A negative weight hears the opposite of what was said.
    select
        inputs.fused_id,
        sum(
            abs(inputs.weight)
            * power(sign(inputs.weight) * inputs.signal_score - totals.explained_score / totals.known_weight, 2)
            order by inputs.agent_id, inputs.signal_id
        ) as squares
    from {{ ref('int_fusion_inputs_this_run') }} as inputs
    inner join totals on inputs.fused_id = totals.fused_id
    where
        inputs.score_contribution is not null
        and totals.known_weight > 0
    group by inputs.fused_id

),

outcomes as (

    select
        fused_signals.fused_id,
        array_agg(horizons.horizon order by horizons.horizon) as horizons,
        array_agg(coalesce(labels.is_mature, false) order by horizons.horizon) as is_mature,
        array_agg(labels.fwd_ret order by horizons.horizon) as forward_returns,
        array_agg(fused_signals.score * labels.fwd_ret order by horizons.horizon) as position_returns
    from {{ ref('int_fused_signals_this_run') }} as fused_signals
    cross join unnest(array[{{ label_horizons() | join(', ') }}]) as horizons (horizon)
    left join {{ ref('int_forward_returns') }} as labels
        on
            fused_signals.instrument_id = labels.instrument_id
            and labels.timeframe = '1d'
            and labels.bar_ts = fused_signals.session_date::timestamp at time zone 'UTC'
            and horizons.horizon = labels.horizon
    where fused_signals.is_known
    group by fused_signals.fused_id

)

select -- noqa: ST06
    fused_signals.fused_id,
    fused_signals.allocator_id,
    fused_signals.strategy_id,
    fused_signals.symbol,
    fused_signals.instrument_id,
    fused_signals.signal_ts,
    fused_signals.session_date,
    fused_signals.stated_horizon,
    fused_signals.direction,
    fused_signals.strength,
    fused_signals.confidence,
    fused_signals.method,
    fused_signals.score,
    coalesce(totals.inputs, 0) as inputs,
    coalesce(totals.agents, 0) as agents,
    coalesce(totals.missing_inputs, 0) as missing_inputs,
    case when coalesce(totals.unusable_weights, 0) = 0 then coalesce(totals.weight_sum, 0) end as weight_sum,
    coalesce(totals.explained_score, 0) as explained_score,
    fused_signals.score - coalesce(totals.explained_score, 0) as residual_score,
    abs(totals.explained_score) / nullif(totals.gross_score, 0) as agreement,
    sqrt(deviations.squares / totals.known_weight) as dispersion,
    outcomes.horizons,
    outcomes.is_mature,
    outcomes.forward_returns,
    outcomes.position_returns

from {{ ref('int_fused_signals_this_run') }} as fused_signals
inner join outcomes on fused_signals.fused_id = outcomes.fused_id
left join totals on fused_signals.fused_id = totals.fused_id
left join deviations on fused_signals.fused_id = deviations.fused_id
