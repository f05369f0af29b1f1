{#
    Grain: one row per backtest: what its trades and the landed bars make of it, beside what its engine claims.
    Made of the results of each run, which are kept: its search decides how far a Sharpe ratio is deflated, and a trial
    that lands late changes that of all others.
#}
{{ config(incremental_strategy='replace_all', unique_key=['run_id']) }}
{#- Names under which engines claim what was recomputed. A drawdown is claimed with either sign. -#}
{%- set claims = {
    'net_profit': ['net_profit', 'pnl'],
    'total_return': ['total_return'],
    'cagr': ['cagr', 'annual_return'],
    'annual_volatility': ['annual_volatility', 'volatility'],
    'sharpe': ['sharpe', 'sharpe_ratio'],
    'sortino': ['sortino', 'sortino_ratio'],
    'max_drawdown': ['max_drawdown'],
    'hit_rate': ['hit_rate', 'win_rate'],
    'profit_factor': ['profit_factor'],
} -%}
-- depends_on: {{ ref('int_run_window') }}
with

results as (

    select * from {{ ref('int_backtest_results') }}

),

runs as (

    select * from {{ ref('stg_backtest__runs') }}

),

searches as (

    select
        runs.search_id,
        greatest(max(runs.n_trials), count(*)) as trials,
        count(*) as landed_trials,
        count(*) filter (where results.is_settled) as settled_trials,
        var_samp(results.session_sharpe order by runs.run_id) as sharpe_variance
    from runs
    inner join results on runs.run_id = results.run_id
    where runs.search_id is not null
    group by runs.search_id

),

-- The spread of the trials' ratios where every one of them is known, else that of luck alone: trials that did not land
-- were mostly the worse ones, and the spread of those that did is too small.
deflated as (

    select
        results.*,
        coalesce(searches.trials, runs.n_trials)::bigint as trials,
        coalesce(searches.landed_trials, 1) as landed_trials,
        coalesce(searches.settled_trials >= searches.trials and searches.sharpe_variance is not null, false)
            as is_trial_variance_measured,
        case
            when searches.settled_trials >= searches.trials and searches.sharpe_variance is not null
                then searches.sharpe_variance
            else 1 / nullif(results.sessions - 1, 0)::double precision
        end as trial_variance
    from results
    inner join runs on results.run_id = runs.run_id
    left join searches on runs.search_id = searches.search_id

),

expected as (

    -- Expected maximum of so many ratios of which none is above 0 in truth; 0.577... is Euler and Mascheroni's.
    select
        *,
        case
            when session_sharpe is null then null
            when trials = 1 then 0
            else
                sqrt(trial_variance) * (
                    (1 - 0.5772156649015329) * {{ function('normal_quantile') }}(1 - 1 / trials::double precision)
                    + 0.5772156649015329
                    * {{ function('normal_quantile') }}(1 - 1 / (trials * exp(1::double precision)))
                )
        end as luckiest_sharpe
    from deflated

),

measured as (

    select
        *,
        session_sharpe * sqrt(sessions_per_year::double precision) as sharpe,
        session_sortino * sqrt(sessions_per_year::double precision) as sortino,
        cagr / -nullif(max_drawdown, 0) as calmar,
        luckiest_sharpe * sqrt(sessions_per_year::double precision) as deflation_benchmark,
        {{ probabilistic_sharpe('session_sharpe', '0', 'sessions', 'skewness', 'kurtosis') }} as probabilistic_sharpe,
        {{ probabilistic_sharpe('session_sharpe', 'luckiest_sharpe', 'sessions', 'skewness', 'kurtosis') }}
            as deflated_sharpe,
        case
            when session_sharpe > 0
                then
                    1 + {{ sharpe_dispersion('session_sharpe', 'skewness', 'kurtosis') }}
                    * power({{ function('normal_quantile') }}(0.95) / session_sharpe, 2)
        end as minimum_track_record
    from expected

),

claimed as (

    select
        run_id
        {% for metric, names in claims.items() -%}
            , {{ claimed_metric('metrics', names) }} as claimed_{{ metric }}
        {% endfor %}
    from runs

)

select
    runs.run_id,
    runs.strategy_id,
    runs.strategy,
    runs.search_id,
    runs.status,
    runs.timeframe,
    runs.range_start,
    runs.range_end,
    runs.currency,
    runs.initial_capital::double precision as initial_capital,
    runs.n_trials,
    measured.not_judged_because,
    measured.symbols,
    measured.first_session,
    measured.last_session,
    measured.sessions,
    measured.sessions_per_year,
    measured.executions,
    measured.unknown_executions,
    measured.executions_without_bar,
    measured.executions_off_market,
    measured.unpriced_positions,
    measured.net_profit,
    measured.total_return,
    measured.cagr,
    measured.annual_volatility,
    measured.sharpe,
    measured.sortino,
    measured.calmar,
    measured.max_drawdown,
    measured.max_drawdown_sessions,
    measured.longest_drawdown_sessions,
    measured.skewness,
    measured.kurtosis,
    measured.annual_turnover,
    measured.mean_exposure,
    measured.time_in_market,
    measured.round_trips,
    measured.open_trips,
    measured.hit_rate,
    measured.profit_factor,
    measured.average_trade,
    measured.average_win,
    measured.average_loss,
    measured.commissions,
    measured.slippage_cost,
    measured.trials,
    measured.landed_trials,
    measured.is_trial_variance_measured,
    measured.trial_variance,
    measured.deflation_benchmark,
    measured.probabilistic_sharpe,
    measured.deflated_sharpe,
    measured.minimum_track_record,
    runs.metrics as claimed_metrics,
    {% for metric in claims if metric != 'max_drawdown' -%}
        measured.{{ metric }} - claimed.claimed_{{ metric }} as {{ metric }}_gap,
    {% endfor -%}
    measured.max_drawdown + abs(claimed.claimed_max_drawdown) as max_drawdown_gap

from runs
inner join measured on runs.run_id = measured.run_id
inner join claimed on runs.run_id = claimed.run_id
