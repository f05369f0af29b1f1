{#
    Grain: one row per backtest that this run judges and account that is compared with it: how far the mean difference of
    their returns, and the difference of their Sharpe ratios, is from 0, and how sure that is when neighbouring sessions
    tell the same story.
#}
-- depends_on: {{ ref('int_run_window') }}
with

compared as (

    select
        live_days.run_id,
        live_days.account_id,
        live_days.live_return,
        live_days.backtest_return,
        live_days.live_return - live_days.backtest_return as gap,
        row_number() over (
            partition by live_days.run_id, live_days.account_id
            order by live_days.session_date
        ) as observation
    from {{ ref('int_backtest_live_days_this_run') }} as live_days
    inner join {{ ref('int_backtest_live_verdicts_this_run') }} as verdicts
        on live_days.run_id = verdicts.run_id and live_days.account_id = verdicts.account_id
    where
        live_days.is_compared
        and verdicts.not_compared_because is null

),

totals as (

    select
        run_id,
        account_id,
        count(*)::integer as sessions,
        avg(gap order by observation) as mean_difference,
        {% for side in ['live', 'backtest'] -%}
            avg({{ side }}_return order by observation) as {{ side }}_mean,
            case
                when {{ varies(side ~ '_return') }} then stddev_samp({{ side }}_return order by observation)
            end as {{ side }}_deviation,
        {% endfor -%}
        {{ cosine_degrees('count(*)', 1) }} as degrees
    from compared
    group by run_id, account_id

),

-- By how much each session moves the difference of the Sharpe ratios: the influence of a return with standard score z
-- on a ratio S is z - S (z^2 - 1) / 2. So neither normal nor independent returns are assumed.
scored as (

    select
        compared.run_id,
        compared.account_id,
        compared.observation,
        compared.gap,
        totals.live_mean / totals.live_deviation as live_sharpe,
        totals.backtest_mean / totals.backtest_deviation as backtest_sharpe,
        (compared.live_return - totals.live_mean) / totals.live_deviation as live_score,
        (compared.backtest_return - totals.backtest_mean) / totals.backtest_deviation as backtest_score
    from compared
    inner join totals on compared.run_id = totals.run_id and compared.account_id = totals.account_id

),

pulled as (

    select
        run_id,
        account_id,
        observation,
        gap,
        live_score - live_sharpe * (power(live_score, 2) - 1) / 2
        - backtest_score + backtest_sharpe * (power(backtest_score, 2) - 1) / 2 as sharpe_pull
    from scored

),

series as (

    select
        pulled.run_id,
        pulled.account_id,
        measures.measure,
        array_agg(measures.value order by pulled.observation) as observed
    from pulled
    cross join unnest(array['mean', 'sharpe'], array[pulled.gap, pulled.sharpe_pull]) as measures (measure, value)
    group by pulled.run_id, pulled.account_id, measures.measure
    having {{ varies('measures.value') }}

),

waves as (

    select
        series.run_id,
        series.account_id,
        series.measure,
        numbers.wave,
        {{ cosine_square('series.observed', 'numbers.wave', 'totals.sessions') }} as square
    from series
    inner join totals on series.run_id = totals.run_id and series.account_id = totals.account_id
    cross join generate_series(1, totals.degrees) as numbers (wave)

),

smooth as (

    select
        run_id,
        account_id,
        avg(square order by wave) filter (where measure = 'mean') as mean_variance,
        avg(square order by wave) filter (where measure = 'sharpe') as sharpe_variance
    from waves
    group by run_id, account_id

)

select
    totals.run_id,
    totals.account_id,
    totals.degrees,
    totals.mean_difference / sqrt(nullif(smooth.mean_variance, 0) / totals.sessions) as difference_t,
    (totals.live_mean / totals.live_deviation - totals.backtest_mean / totals.backtest_deviation)
    / sqrt(nullif(smooth.sharpe_variance, 0) / totals.sessions) as sharpe_gap_t

from totals
left join smooth on totals.run_id = smooth.run_id and totals.account_id = smooth.account_id
