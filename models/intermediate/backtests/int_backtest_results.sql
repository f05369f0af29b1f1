{#
    Grain: one row per known backtest: why it was not judged, or the numbers of its daily returns and of its round trips.
    What an engine claims and what its search makes of a result is left to backtest_performance: both change without a
    trade or a bar.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='touched_replace',
        unlogged=false,
        unique_key=['run_id'],
        meta={'touched': 'int_backtest_runs_this_run'},
    )
}}
{%- set tested = [
    'total_return', 'cagr', 'annual_volatility', 'session_sharpe', 'session_sortino', 'skewness', 'kurtosis',
    'max_drawdown', 'max_drawdown_sessions', 'longest_drawdown_sessions', 'annual_turnover', 'mean_exposure',
    'time_in_market',
] -%}
{%- set traded = [
    'round_trips', 'open_trips', 'hit_rate', 'profit_factor', 'average_trade', 'average_win', 'average_loss',
] -%}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('int_backtest_runs_this_run') }}
with

verdicts as (

    select
        *,
        -- Nothing but instruments that are traded every day.
        case when calendars = array['24/7'] then 365 else 252 end as sessions_per_year
    from {{ ref('int_backtest_verdicts_this_run') }}

),

days as (

    select
        daily.*,
        verdicts.initial_capital::double precision as capital,
        verdicts.sessions_per_year,
        greatest(
            verdicts.initial_capital::double precision,
            max(daily.equity) over (partition by daily.run_id order by daily.session_date)
        ) as peak
    from {{ ref('int_backtest_daily') }} as daily
    inner join verdicts on daily.run_id = verdicts.run_id

),

totals as (

    select
        run_id,
        count(*) as sessions,
        min(equity) <= 0 as is_ruined,
        sum(profit order by session_date) as net_profit,
        avg(session_return order by session_date) as mean_return,
        case
            when {{ varies('session_return') }} then stddev_samp(session_return order by session_date)
        end as deviation,
        sqrt(avg(power(least(session_return, 0), 2) order by session_date)) as downside,
        (array_agg(equity order by session_date desc))[1] / min(capital) as growth,
        min(equity / peak - 1) as max_drawdown,
        avg(traded_value / nullif(equity_before, 0) order by session_date) * min(sessions_per_year) as annual_turnover,
        avg(gross_value / nullif(equity, 0) order by session_date) as mean_exposure,
        count(*) filter (where positions > 0)::double precision / count(*) as time_in_market,
        min(sessions_per_year)::double precision as sessions_per_year
    from days
    group by run_id

),

moments as (

    select
        days.run_id,
        avg(power(days.session_return - totals.mean_return, 2) order by days.session_date) as second_moment,
        avg(power(days.session_return - totals.mean_return, 3) order by days.session_date) as third_moment,
        avg(power(days.session_return - totals.mean_return, 4) order by days.session_date) as fourth_moment
    from days
    inner join totals on days.run_id = totals.run_id
    where totals.deviation is not null
    group by days.run_id

),

-- A drawdown lasts from its peak until equity is back there, or to the end: sessions at a peak part them.
spells as (

    select
        run_id,
        session_date,
        equity,
        peak,
        count(*) filter (where equity >= peak) over (partition by run_id order by session_date) as spell
    from days

),

drawdowns as (

    select
        run_id,
        spell,
        min(equity / peak - 1) as deepest_fall,
        count(*) as sessions
    from spells
    where equity < peak
    group by run_id, spell

),

deepest as (

    select
        run_id,
        (array_agg(sessions order by deepest_fall, spell))[1] as max_drawdown_sessions,
        max(sessions) as longest_drawdown_sessions
    from drawdowns
    group by run_id

),

curves as (

    select
        totals.run_id,
        totals.max_drawdown,
        totals.annual_turnover,
        totals.mean_exposure,
        totals.time_in_market,
        totals.growth - 1 as total_return,
        case
            when totals.growth > 0 then power(totals.growth, totals.sessions_per_year / totals.sessions) - 1
        end as cagr,
        totals.deviation * sqrt(totals.sessions_per_year) as annual_volatility,
        totals.mean_return / totals.deviation as session_sharpe,
        case when totals.sessions > 1 then totals.mean_return / nullif(totals.downside, 0) end as session_sortino,
        moments.third_moment / power(moments.second_moment, 1.5) as skewness,
        moments.fourth_moment / power(moments.second_moment, 2) as kurtosis,
        coalesce(deepest.max_drawdown_sessions, 0) as max_drawdown_sessions,
        coalesce(deepest.longest_drawdown_sessions, 0) as longest_drawdown_sessions
    from totals
    left join moments on totals.run_id = moments.run_id
    left join deepest on totals.run_id = deepest.run_id
    where not totals.is_ruined

),

trips as (

    select
        run_id,
        count(*) filter (where is_closed) as round_trips,
        count(*) filter (where not is_closed) as open_trips,
        count(*) filter (where is_closed and profit > 0)::double precision
        / nullif(count(*) filter (where is_closed), 0) as hit_rate,
        (
            coalesce(sum(profit) filter (where is_closed and profit > 0), 0)
            / -sum(profit) filter (where is_closed and profit < 0)
        )::double precision as profit_factor,
        (avg(profit) filter (where is_closed))::double precision as average_trade,
        (avg(profit) filter (where is_closed and profit > 0))::double precision as average_win,
        (avg(profit) filter (where is_closed and profit < 0))::double precision as average_loss
    from {{ ref('int_backtest_round_trips_this_run') }}
    group by run_id

)

select
    verdicts.run_id,
    verdicts.search_id,
    verdicts.status,
    verdicts.symbols,
    verdicts.instrument_ids,
    verdicts.currencies,
    verdicts.first_session,
    verdicts.last_session,
    {{ var('backtest_price_tolerance') }}::double precision as price_tolerance,
    verdicts.executions,
    verdicts.unknown_executions,
    verdicts.executions_without_bar,
    verdicts.executions_off_market,
    verdicts.unpriced_positions,
    verdicts.commissions::double precision as commissions,
    verdicts.slippage_cost::double precision as slippage_cost,
    verdicts.sessions_per_year,
    totals.sessions,
    totals.net_profit,
    {% for number in tested -%}
        curves.{{ number }},
    {% endfor -%}
    {% for number in traded -%}
        trips.{{ number }},
    {% endfor -%}
    case
        when totals.is_ruined then 'ruined'
        else verdicts.not_judged_because
    end as not_judged_because,
    -- All is known that ever will be: a trial that failed or never traded has no result.
    verdicts.status in ('failed', 'cancelled')
    or (verdicts.status = 'completed' and verdicts.executions = 0)
    or (verdicts.not_judged_because is null and not coalesce(totals.is_ruined, false)) as is_settled

from verdicts
left join totals on verdicts.run_id = totals.run_id
left join curves on verdicts.run_id = curves.run_id
left join trips on verdicts.run_id = trips.run_id
