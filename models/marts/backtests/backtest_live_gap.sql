{#
    Grain: one row per backtest of a registered strategy and account on which that strategy was traded until the end of
    the tested range: what it earned there, beside what the backtest made of the same sessions, and how sure it is that
    the two differ. Differences are tested as in model_comparison, by the equal-weighted mean of cosines.
#}
{{
    config(
        incremental_strategy='touched_replace',
        unique_key=['run_id', 'account_id'],
        meta={
            'touched': 'int_backtest_runs_this_run',
            'physical_design': {
                'indexes': [{
                    'name': 'idx_live_gap_strategy',
                    'columns': ['strategy_id'],
                    'why': 'every backtest of a strategy beside what it earned (docs/queries/models.sql)',
                }],
            },
        },
    )
}}
-- depends_on: {{ ref('int_run_window') }}
with

runs as (

    select
        runs.*,
        {{ claimed_metric('runs.metrics', ['sharpe', 'sharpe_ratio']) }} as claimed_sharpe
    from {{ ref('int_backtest_runs_this_run') }} as runs_this_run
    inner join {{ ref('stg_backtest__runs') }} as runs on runs_this_run.run_id = runs.run_id

),

verdicts as (

    select * from {{ ref('int_backtest_live_verdicts_this_run') }}

),

compared as (

    select
        live_days.*,
        live_days.live_return - live_days.backtest_return as gap
    from {{ ref('int_backtest_live_days_this_run') }} as live_days
    inner join verdicts on live_days.run_id = verdicts.run_id and live_days.account_id = verdicts.account_id
    where
        live_days.is_compared
        and verdicts.not_compared_because is null

),

totals as (

    select
        run_id,
        account_id,
        count(*)::integer as sessions,
        {% for side in ['live', 'backtest'] -%}
            sum({{ side }}_profit order by session_date) as {{ side }}_net_profit,
            exp(sum(ln(1 + {{ side }}_return) order by session_date)) - 1 as {{ side }}_total_return,
            avg({{ side }}_return order by session_date) as {{ side }}_mean,
            case
                when {{ varies(side ~ '_return') }} then stddev_samp({{ side }}_return order by session_date)
            end as {{ side }}_deviation,
            count(*) filter (where {{ side }}_return > 0)::double precision
            / nullif(count(*) filter (where {{ side }}_return <> 0), 0) as {{ side }}_winning_sessions,
            sum({{ side }}_commissions order by session_date) as {{ side }}_commissions,
            1e4 * sum({{ side }}_commissions order by session_date)
            / nullif(sum({{ side }}_traded_value order by session_date), 0) as {{ side }}_commission_bps,
            avg({{ side }}_traded_value / {{ side }}_capital order by session_date) as {{ side }}_turnover,
        {% endfor -%}
        avg(gap order by session_date) as mean_difference,
        case when {{ varies('gap') }} then stddev_samp(gap order by session_date) end as deviation,
        corr(live_return, backtest_return order by session_date) as return_correlation
    from compared
    group by run_id, account_id

),

moments as (

    select
        compared.run_id,
        compared.account_id,
        avg(power(compared.live_return - totals.live_mean, 2) order by compared.session_date) as second_moment,
        avg(power(compared.live_return - totals.live_mean, 3) order by compared.session_date) as third_moment,
        avg(power(compared.live_return - totals.live_mean, 4) order by compared.session_date) as fourth_moment
    from compared
    inner join totals on compared.run_id = totals.run_id and compared.account_id = totals.account_id
    where totals.live_deviation is not null
    group by compared.run_id, compared.account_id

),

tested as (

    select
        totals.*,
        significance.degrees,
        significance.difference_t,
        significance.sharpe_gap_t,
        moments.third_moment / power(moments.second_moment, 1.5) as skewness,
        moments.fourth_moment / power(moments.second_moment, 2) as kurtosis,
        totals.live_mean / totals.live_deviation as live_session_sharpe,
        totals.backtest_mean / totals.backtest_deviation as backtest_session_sharpe
    from totals
    left join moments on totals.run_id = moments.run_id and totals.account_id = moments.account_id
    left join {{ ref('int_backtest_live_significance') }} as significance
        on totals.run_id = significance.run_id and totals.account_id = significance.account_id

),

-- Both sold, or both bought, the same in the same session: at which prices.
prices as (

    select
        executions.run_id,
        executions.account_id,
        executions.instrument_id,
        executions.session_date,
        sign(executions.signed_quantity) as side,
        sum(abs(executions.quantity)) as units,
        sum(abs(executions.signed_quantity * executions.price)) as traded_value
    from {{ ref('int_backtest_executions_this_run') }} as executions
    where executions.price_factor is not null
    group by
        executions.run_id,
        executions.account_id,
        executions.instrument_id,
        executions.session_date,
        sign(executions.signed_quantity)

),

matched as (

    select
        live.run_id,
        live.account_id,
        sum(live.traded_value) as traded_value,
        sum(live.traded_value) filter (where backtest.run_id is not null) as matched_value,
        sum(live.units * backtest.traded_value / backtest.units) as value_at_backtest,
        sum(live.side * (live.traded_value - live.units * backtest.traded_value / backtest.units)) as price_cost
    from prices as live
    inner join compared
        on
            live.run_id = compared.run_id
            and live.account_id = compared.account_id
            and live.session_date = compared.session_date
    left join prices as backtest
        on
            live.run_id = backtest.run_id
            and backtest.account_id = ''
            and live.instrument_id = backtest.instrument_id
            and live.session_date = backtest.session_date
            and live.side = backtest.side
    where live.account_id <> ''
    group by live.run_id, live.account_id

)

select
    verdicts.run_id,
    verdicts.account_id,
    verdicts.tenant_id::text as tenant_id,
    runs.strategy_id,
    runs.strategy,
    verdicts.account_type,
    verdicts.currency::text as currency,
    runs.range_end,
    verdicts.not_compared_because,
    verdicts.symbols,
    verdicts.instrument_ids,
    verdicts.instrument_currencies,
    verdicts.fills,
    verdicts.unknown_fills,
    verdicts.fills_without_bar,
    verdicts.fills_off_market,
    verdicts.unpriced_positions,
    verdicts.first_session,
    verdicts.last_session,
    verdicts.sessions,
    verdicts.sessions_per_year,
    {% for side in ['live', 'backtest'] -%}
        tested.{{ side }}_net_profit,
        tested.{{ side }}_total_return,
        tested.{{ side }}_deviation * sqrt(verdicts.sessions_per_year::double precision)
            as {{ side }}_annual_volatility,
        tested.{{ side }}_session_sharpe * sqrt(verdicts.sessions_per_year::double precision) as {{ side }}_sharpe,
        tested.{{ side }}_winning_sessions,
        tested.{{ side }}_commissions,
        tested.{{ side }}_commission_bps,
        tested.{{ side }}_turnover * verdicts.sessions_per_year as {{ side }}_annual_turnover,
    {% endfor -%}
    (matched.matched_value / nullif(matched.traded_value, 0))::double precision as matched_share,
    (1e4 * matched.price_cost / nullif(matched.value_at_backtest, 0))::double precision as price_gap_bps,
    tested.live_total_return - tested.backtest_total_return as tracking_difference,
    tested.deviation * sqrt(verdicts.sessions_per_year::double precision) as tracking_error,
    tested.return_correlation,
    tested.mean_difference,
    tested.degrees,
    tested.difference_t,
    {{ student_t_p_value('tested.difference_t', 'tested.degrees') }} as difference_p_value,
    power({{ function('normal_quantile') }}(0.975) * tested.deviation / nullif(tested.mean_difference, 0), 2)
        as sessions_to_decide,
    (tested.live_session_sharpe - tested.backtest_session_sharpe) * sqrt(verdicts.sessions_per_year::double precision)
        as sharpe_gap,
    tested.sharpe_gap_t,
    {{ student_t_p_value('tested.sharpe_gap_t', 'tested.degrees') }} as sharpe_gap_p_value,
    runs.claimed_sharpe,
    tested.live_session_sharpe * sqrt(verdicts.sessions_per_year::double precision) - runs.claimed_sharpe
        as claimed_sharpe_gap,
    case
        when tested.degrees is not null
            then
                {{
                    probabilistic_sharpe(
                        'tested.live_session_sharpe',
                        'runs.claimed_sharpe / sqrt(verdicts.sessions_per_year::double precision)',
                        'tested.sessions',
                        'tested.skewness',
                        'tested.kurtosis',
                    )
                }}
    end as claimed_sharpe_probability

from verdicts
inner join runs on verdicts.run_id = runs.run_id
left join tested on verdicts.run_id = tested.run_id and verdicts.account_id = tested.account_id
left join matched on verdicts.run_id = matched.run_id and verdicts.account_id = matched.account_id
