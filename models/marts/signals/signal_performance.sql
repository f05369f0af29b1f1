{#
    Grain: one row per agent, horizon and period: the calendar month of the session ('2024-06') or 'all'.
    How good an agent's signals were and how sure that is. Made from the days of signal_performance_daily, which are
    few: every row is made again by every build, because significance is judged among all agents.
#}
{{
    config(
        incremental_strategy='replace_all',
        unique_key=['agent_id', 'horizon', 'period'],
        meta={'physical_design': {'indexes': [{
            'name': 'signal_performance_ranking_idx',
            'columns': ['horizon', 'return_q_value'],
            'where': "period = 'all'",
            'why': 'the ranking of agents, without reading their months',
        }]}},
    )
}}
{%- set round_trip = '(2 * ' ~ (var('signal_cost_bps') | float) ~ ' / 10000)' %}
with

days as (

    select
        daily.*,
        periods.period
    from {{ ref('signal_performance_daily') }} as daily
    cross join unnest(array['all', to_char(daily.session_date, 'YYYY-MM')]) as periods (period)

),

totals as (

    select
        agent_id,
        horizon,
        period,
        min(session_date) as first_session,
        max(session_date) as last_session,
        count(mean_return) as sessions,
        sum(signals)::bigint as signals,
        sum(superseded)::bigint as superseded,
        sum(unpriced)::bigint as unpriced,
        sum(open)::bigint as open,
        sum(matured)::bigint as matured,
        sum(directional)::bigint as directional,
        sum(decided)::bigint as decided,
        sum(hits)::bigint as hits,
        sum(return_sum order by session_date) as return_sum,
        avg(ic order by session_date) as ic_mean,
        case when {{ varies('ic') }} then stddev_samp(ic order by session_date) end as ic_deviation,
        avg(quantile_spread order by session_date) as quantile_spread,
        avg(top_turnover order by session_date) as top_turnover,
        avg(bottom_turnover order by session_date) as bottom_turnover,
        avg(rank_autocorrelation order by session_date) as rank_autocorrelation
    from days
    group by agent_id, horizon, period

),

judged as (

    select *
    from {{ ref('int_signal_significance') }}
    where segment_kind = 'all'

),

numbered as (

    select
        agent_id,
        horizon,
        period,
        p_value,
        {{ rank_ratio('p_value', 'horizon, period', 'agent_id') }} as ratio
    from judged
    where measure = 'return'

),

-- Among the agents of one horizon and period.
discoveries as (

    select
        agent_id,
        horizon,
        period,
        {{ q_value('p_value', 'ratio', 'horizon, period', 'agent_id') }} as q_value
    from numbered

),

-- An exponential through the horizons' rank ICs, by a line through their logarithms.
decays as (

    select
        agent_id,
        period,
        case
            when min(mean) > 0 or max(mean) < 0
                then regr_slope(ln(abs(nullif(mean, 0))), horizon order by horizon)
        end as slope
    from judged
    where measure = 'rank_ic'
    group by agent_id, period

),

quantiles as (

    select
        days.agent_id,
        days.horizon,
        days.period,
        bins.quantile,
        avg(bins.mean_return order by days.session_date) as mean_return
    from days
    cross join unnest(days.quantile_returns) with ordinality as bins (mean_return, quantile)
    group by days.agent_id, days.horizon, days.period, bins.quantile

),

ranked_quantiles as (

    select
        *,
        rank() over by_return + (count(*) over (by_return range current row) - 1) / 2.0::float8 as return_rank
    from quantiles
    window by_return as (partition by agent_id, horizon, period order by mean_return)

),

shapes as (

    select
        agent_id,
        horizon,
        period,
        array_agg(mean_return order by quantile) as quantile_returns,
        case
            when count(mean_return) = count(*) and min(mean_return) < max(mean_return)
                then corr(quantile, return_rank order by quantile)
        end as monotonicity
    from ranked_quantiles
    group by agent_id, horizon, period

)

select
    totals.agent_id,
    totals.horizon,
    totals.period,
    totals.first_session,
    totals.last_session,
    totals.sessions,
    totals.signals,
    totals.superseded,
    totals.unpriced,
    totals.open,
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
    returns.t_naive as return_t_naive,
    returns.t_newey_west as return_t_newey_west,
    returns.low as return_low,
    returns.high as return_high,
    totals.ic_mean,
    totals.ic_mean / totals.ic_deviation * sqrt(252.0::double precision / totals.horizon) as ic_ir,
    rank_ics.mean as rank_ic_mean,
    rank_ics.mean / rank_ics.deviation * sqrt(252.0::double precision / totals.horizon) as rank_ic_ir,
    rank_ics.t as rank_ic_t,
    rank_ics.p_value as rank_ic_p_value,
    rank_ics.t_newey_west as rank_ic_t_newey_west,
    rank_ics.low as rank_ic_low,
    rank_ics.high as rank_ic_high,
    case when decays.slope < 0 then -ln(2::double precision) / decays.slope end as rank_ic_half_life,
    shapes.quantile_returns,
    totals.quantile_spread,
    shapes.monotonicity,
    totals.top_turnover,
    totals.bottom_turnover,
    totals.rank_autocorrelation

from totals
left join judged as returns
    on
        totals.agent_id = returns.agent_id
        and totals.horizon = returns.horizon
        and totals.period = returns.period
        and returns.measure = 'return'
left join judged as rank_ics
    on
        totals.agent_id = rank_ics.agent_id
        and totals.horizon = rank_ics.horizon
        and totals.period = rank_ics.period
        and rank_ics.measure = 'rank_ic'
left join discoveries
    on
        totals.agent_id = discoveries.agent_id
        and totals.horizon = discoveries.horizon
        and totals.period = discoveries.period
left join decays on totals.agent_id = decays.agent_id and totals.period = decays.period
left join shapes
    on
        totals.agent_id = shapes.agent_id
        and totals.horizon = shapes.horizon
        and totals.period = shapes.period
