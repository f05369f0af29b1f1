{#
    Grain: one row per backtest that this run judges and account that traded its strategy: whether the two can be compared,
    and if not, why. The first reason counts; a number that rests on a guess is none.
#}
-- depends_on: {{ ref('int_run_window') }}
with

fills as (

    select
        run_id,
        account_id,
        count(*) as fills,
        count(*) filter (where instrument_id is null) as unknown_fills,
        count(*) filter (where session_date is null or not has_bar) as fills_without_bar,
        count(*) filter (where not is_traded) as fills_off_market,
        coalesce(bool_or(money <> currency), false) as is_other_currency,
        array_agg(distinct symbol order by symbol) as symbols,
        array_agg(distinct instrument_id order by instrument_id) as instrument_ids,
        array_agg(distinct currency order by currency) as instrument_currencies
    from {{ ref('int_backtest_executions_this_run') }}
    where account_id <> ''
    group by run_id, account_id

),

described as (

    select
        fills.*,
        books.tenant_id,
        books.account_type,
        books.currency,
        results.not_judged_because,
        results.sessions_per_year,
        fills.is_other_currency or coalesce(runs.currency <> books.currency, false) as is_other_money
    from fills
    inner join {{ ref('int_backtest_runs_this_run') }} as runs on fills.run_id = runs.run_id
    inner join {{ source('raw_trading', 'accounts') }} as books on fills.account_id = books.account_id
    inner join {{ ref('int_backtest_results') }} as results on fills.run_id = results.run_id

),

spans as (

    -- All of an account's sessions, for a position without a close makes the next ones wrong, too.
    select
        run_id,
        account_id,
        sum(unpriced)::bigint as unpriced_positions,
        min(session_date) filter (where is_compared) as first_session,
        max(session_date) filter (where is_compared) as last_session,
        count(*) filter (where is_compared) as sessions,
        count(*) filter (where is_compared and live_capital is null) as sessions_without_capital,
        coalesce(bool_or(live_capital <= 0 or live_return <= -1) filter (where is_compared), false) as is_ruined
    from {{ ref('int_backtest_live_days_this_run') }}
    group by run_id, account_id

),

stray as (

    -- Sessions of other exchanges, between those of the backtest.
    select distinct
        live_days.run_id,
        live_days.account_id
    from {{ ref('int_backtest_live_days_this_run') }} as live_days
    inner join spans
        on
            live_days.run_id = spans.run_id
            and live_days.account_id = spans.account_id
            and live_days.session_date between spans.first_session and spans.last_session
    where not live_days.is_compared

)

select
    described.run_id,
    described.account_id,
    described.tenant_id,
    described.account_type,
    described.currency,
    described.symbols,
    described.instrument_ids,
    described.instrument_currencies,
    described.fills,
    described.unknown_fills,
    described.fills_without_bar,
    described.fills_off_market,
    described.sessions_per_year,
    spans.first_session,
    spans.last_session,
    coalesce(spans.sessions, 0) as sessions,
    coalesce(spans.unpriced_positions, 0) as unpriced_positions,
    case
        when described.not_judged_because is not null then 'backtest not judged'
        when described.unknown_fills > 0 then 'unknown instruments'
        when described.is_other_money then 'another currency'
        when described.fills_without_bar > 0 or spans.unpriced_positions > 0 then 'bars missing'
        when coalesce(spans.sessions, 0) = 0 then 'no common sessions'
        when stray.run_id is not null then 'other sessions'
        when spans.sessions_without_capital > 0 then 'no capital stated'
        when spans.is_ruined then 'ruined'
    end as not_compared_because

from described
left join spans on described.run_id = spans.run_id and described.account_id = spans.account_id
left join stray on described.run_id = stray.run_id and described.account_id = stray.account_id
