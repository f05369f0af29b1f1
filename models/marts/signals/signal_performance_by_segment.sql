{#
    Grain: one row per agent, horizon, segment and period: how good an agent's signals were in a sector, or in a regime of
    the market, and how sure that is. Every row is made again by every build, as in signal_performance.
#}
{{
    config(
        incremental_strategy='replace_all',
        unique_key=['agent_id', 'horizon', 'segment_kind', 'segment', 'period'],
    )
}}
-- depends_on: {{ ref('int_run_window') }}
{%- set round_trip = '(2 * ' ~ (var('signal_cost_bps') | float) ~ ' / 10000)' %}
with

days as (

    select
        segments.*,
        periods.period
    from {{ ref('int_signal_segment_days') }} as segments
    cross join unnest(array['all', to_char(segments.session_date, 'YYYY-MM')]) as periods (period)
    where segments.segment_kind <> 'all'

),

totals as (

    select
        agent_id,
        horizon,
        segment_kind,
        segment,
        period,
        min(session_date) as first_session,
        max(session_date) as last_session,
        count(mean_return) as sessions,
        sum(matured)::bigint as matured,
        sum(directional)::bigint as directional,
        sum(decided)::bigint as decided,
        sum(hits)::bigint as hits,
        sum(return_sum order by session_date) as return_sum,
        avg(ic order by session_date) as ic_mean,
        case when {{ varies('ic') }} then stddev_samp(ic order by session_date) end as ic_deviation
    from days
    group by agent_id, horizon, segment_kind, segment, period

),

judged as (

    select *
    from {{ ref('int_signal_significance') }}
    where segment_kind <> 'all'

),

numbered as (

    select
        agent_id,
        horizon,
        segment_kind,
        segment,
        period,
        p_value,
        {{ rank_ratio('p_value', 'horizon, segment_kind, segment, period', 'agent_id') }} as ratio
    from judged
    where measure = 'return'

),

-- Among the agents of one horizon, segment and period.
discoveries as (

    select
        agent_id,
        horizon,
        segment_kind,
        segment,
        period,
        {{ q_value('p_value', 'ratio', 'horizon, segment_kind, segment, period', 'agent_id') }} as q_value
    from numbered

)

select
    totals.agent_id,
    totals.horizon,
    totals.segment_kind,
    totals.segment,
    totals.period,
    totals.first_session,
    totals.last_session,
    totals.sessions,
    totals.matured,
    totals.directional,
    totals.hits,
    totals.hits::double precision / nullif(totals.decided, 0) as hit_rate,
    totals.return_sum / nullif(totals.directional, 0) as mean_return,
    totals.return_sum / nullif(totals.directional, 0) - {{ round_trip }} as net_mean_return,
    returns.mean / returns.deviation * sqrt(252.0::double precision / totals.horizon) as sharpe,
    (returns.mean - {{ round_trip }})
    / returns.deviation * sqrt(252.0::double precision / totals.horizon) as net_sharpe,
    returns.t as return_t,
    returns.degrees as return_degrees,
    returns.p_value as return_p_value,
    discoveries.q_value as return_q_value,
    returns.low as return_low,
    returns.high as return_high,
    totals.ic_mean,
    totals.ic_mean / totals.ic_deviation * sqrt(252.0::double precision / totals.horizon) as ic_ir,
    rank_ics.mean as rank_ic_mean,
    rank_ics.mean / rank_ics.deviation * sqrt(252.0::double precision / totals.horizon) as rank_ic_ir,
    rank_ics.t as rank_ic_t,
    rank_ics.p_value as rank_ic_p_value

from totals
left join judged as returns
    on
        totals.agent_id = returns.agent_id
        and totals.horizon = returns.horizon
        and totals.segment_kind = returns.segment_kind
        and totals.segment = returns.segment
        and totals.period = returns.period
        and returns.measure = 'return'
left join judged as rank_ics
    on
        totals.agent_id = rank_ics.agent_id
        and totals.horizon = rank_ics.horizon
        and totals.segment_kind = rank_ics.segment_kind
        and totals.segment = rank_ics.segment
        and totals.period = rank_ics.period
        and rank_ics.measure = 'rank_ic'
left join discoveries
    on
        totals.agent_id = discoveries.agent_id
        and totals.horizon = discoveries.horizon
        and totals.segment_kind = discoveries.segment_kind
        and totals.segment = discoveries.segment
        and totals.period = discoveries.period
