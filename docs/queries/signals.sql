-- What agents said, what was made of it, and what came of it.

-- name: signals_of_an_agent
-- why: what an agent said lately, with its reasons
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select agent_id, max(signal_ts) as until from raw_signals.signals group by agent_id
select
    signal_id,
    symbol,
    signal_ts,
    direction,
    strength,
    confidence,
    explanation
from raw_signals.signals
where
    agent_id = :'agent_id'
    and signal_ts > :'until'::timestamptz - interval '7 days'
order by signal_ts desc, signal_id asc;

-- name: signals_for_a_symbol
-- why: what all agents say about a symbol: what an allocator fuses
-- asked by: loader, 20 a second
-- budget: 20 ms, metrics
-- sample: select symbol, max(signal_ts) as until from raw_signals.signals group by symbol
select
    agent_id,
    signal_id,
    signal_ts,
    direction,
    strength,
    confidence
from raw_signals.signals
where
    symbol = :'symbol'
    and signal_ts > :'until'::timestamptz - interval '1 day'
order by signal_ts desc, agent_id asc, signal_id asc;

-- name: fused_signals_for_a_symbol
-- why: what is to be traded in a symbol
-- asked by: loader, 20 a second
-- budget: 20 ms, metrics
-- sample: select symbol, max(signal_ts) as until from raw_signals.fused_signals group by symbol
select
    fused_id,
    agent_id,
    strategy_id,
    signal_ts,
    direction,
    strength,
    confidence
from raw_signals.fused_signals
where
    symbol = :'symbol'
    and signal_ts > :'until'::timestamptz - interval '1 day'
order by signal_ts desc, fused_id asc;

-- name: decisions_of_an_allocator
-- why: what an allocator decided lately
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select agent_id, max(signal_ts) as until from raw_signals.fused_signals group by agent_id
select
    fused_id,
    symbol,
    strategy_id,
    signal_ts,
    direction,
    strength,
    method
from raw_signals.fused_signals
where
    agent_id = :'agent_id'
    and signal_ts > :'until'::timestamptz - interval '7 days'
order by signal_ts desc, fused_id asc;

-- name: inputs_of_a_fused_signal
-- why: which signals went into a decision, and with what weight
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select fused_id from raw_signals.fused_signals
select
    inputs.agent_id,
    inputs.signal_id,
    inputs.weight,
    signals.direction,
    signals.strength,
    signals.confidence
from raw_signals.fusion_inputs as inputs
left join raw_signals.signals as signals
    on
        inputs.agent_id = signals.agent_id
        and inputs.signal_id = signals.signal_id
where inputs.fused_id = :'fused_id'
order by inputs.agent_id, inputs.signal_id;

-- name: use_of_a_signal
-- why: what a signal went into
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select agent_id, signal_id from raw_signals.fusion_inputs
select
    inputs.fused_id,
    inputs.weight,
    fused_signals.direction,
    fused_signals.strength
from raw_signals.fusion_inputs as inputs
inner join raw_signals.fused_signals as fused_signals on inputs.fused_id = fused_signals.fused_id
where
    inputs.agent_id = :'agent_id'
    and inputs.signal_id = :'signal_id'
order by inputs.fused_id;

-- name: ranking_of_agents
-- why: whose signals are good, and how sure that is
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select horizon from marts.signal_performance group by horizon
select
    agent_id,
    signals,
    hit_rate,
    net_mean_return,
    net_sharpe,
    rank_ic_mean,
    return_q_value
from marts.signal_performance
where
    horizon = :'horizon'
    and period = 'all'
order by return_q_value nulls last, agent_id;

-- name: months_of_an_agent
-- why: how an agent did month by month
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select agent_id, horizon from marts.signal_performance group by agent_id, horizon
select
    period,
    signals,
    hit_rate,
    net_mean_return,
    rank_ic_mean
from marts.signal_performance
where
    agent_id = :'agent_id'
    and horizon = :'horizon'
order by period;

-- name: segments_of_an_agent
-- why: in which sectors and in which market an agent is good
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select agent_id, horizon from marts.signal_performance_by_segment group by agent_id, horizon
select
    segment_kind,
    segment,
    sessions,
    hit_rate,
    net_mean_return,
    rank_ic_mean,
    return_q_value
from marts.signal_performance_by_segment
where
    agent_id = :'agent_id'
    and horizon = :'horizon'
    and period = 'all'
order by segment_kind, segment;

-- name: days_of_an_agent
-- why: how an agent did day by day
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select agent_id, horizon, max(session_date) as until from marts.signal_performance_daily
-- sample: group by agent_id, horizon
select
    session_date,
    signals,
    hits,
    decided,
    mean_return,
    rank_ic
from marts.signal_performance_daily
where
    agent_id = :'agent_id'
    and horizon = :'horizon'
    and session_date > :'until'::date - 90
order by session_date;

-- name: calculate_signal_performance
-- why: the function of the multi-strategy design (docs/seeds/multi_strategy.sql)
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select agent_id from marts.signal_performance_daily group by agent_id
select
    agent_id,
    horizon,
    signals,
    hit_rate,
    mean_return,
    sharpe,
    rank_ic
from marts.calculate_signal_performance(:'agent_id', 30)
order by horizon;

-- name: outcome_of_a_fused_signal
-- why: what came of a decision, and what each signal contributed
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select fused_id from marts.fused_signals
select
    fused_signals.symbol,
    fused_signals.signal_ts,
    fused_signals.score,
    parts.agent_id,
    parts.signal_id,
    parts.horizon,
    parts.score_contribution,
    parts.return_contribution,
    parts.position_return
from marts.fused_signals as fused_signals
inner join marts.fused_signal_attribution as parts on fused_signals.fused_id = parts.fused_id
where fused_signals.fused_id = :'fused_id'
order by parts.horizon, parts.agent_id, parts.signal_id;

-- name: what_agents_earned_a_strategy
-- why: what each agent contributed to the return of a strategy in the last 30 days
-- asked by: reader, 1 a minute
-- budget: 100 ms, analytics
-- sample: select strategy_id, max(session_date) as until from marts.fused_signals
-- sample: where strategy_id is not null group by strategy_id
select
    parts.agent_id,
    count(*) as fused,
    sum(parts.return_contribution) as earned
from marts.fused_signals as fused_signals
inner join marts.fused_signal_attribution as parts on fused_signals.fused_id = parts.fused_id
where
    fused_signals.strategy_id = :'strategy_id'
    and fused_signals.session_date > :'until'::date - 30
    and parts.horizon = 5
    and parts.is_mature
group by parts.agent_id
order by earned desc nulls last, parts.agent_id asc;
