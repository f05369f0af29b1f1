{#
    Grain: one row per backtest that this run judges, account that traded its strategy, and session: what the strategy
    earned there, on which capital, beside what the backtest did. Compared are the sessions of the backtest from the
    first in which the strategy traded or held something to the last; one before or between, which the backtest has
    not, is only told of, and the profit of it is part of the capital.
    Capital is what the account was last said to be worth before the session opened, and what was earned since: money
    that came or went changes what later profits are a share of, and is never a return itself.
#}
-- depends_on: {{ ref('int_run_window') }}
with

live_days as (

    select * from {{ ref('int_backtest_days_this_run') }}
    where account_id <> ''

),

spans as (

    select
        live_days.run_id,
        live_days.account_id,
        runs.strategy_id,
        runs.range_end,
        min(live_days.session_date) as first_session,
        max(live_days.session_date) as last_session
    from live_days
    inner join {{ ref('int_backtest_runs_this_run') }} as runs on live_days.run_id = runs.run_id
    group by live_days.run_id, live_days.account_id, runs.strategy_id, runs.range_end

),

backtest_days as (

    select
        daily.*,
        spans.account_id
    from spans
    inner join {{ ref('int_backtest_daily') }} as daily
        on
            spans.run_id = daily.run_id
            and daily.session_date between spans.first_session and spans.last_session

),

sessions as (

    select
        backtest_days.profit as backtest_profit,
        backtest_days.session_return as backtest_return,
        backtest_days.equity_before as backtest_equity,
        backtest_days.traded_value as backtest_traded_value,
        backtest_days.commissions as backtest_commissions,
        coalesce(backtest_days.run_id, live_days.run_id) as run_id,
        coalesce(backtest_days.account_id, live_days.account_id) as account_id,
        coalesce(backtest_days.session_date, live_days.session_date) as session_date,
        coalesce(backtest_days.open_at, live_days.open_at) as open_at,
        coalesce(live_days.profit, 0) as profit,
        coalesce(live_days.traded_value, 0) as traded_value,
        coalesce(live_days.commissions, 0) as commissions,
        coalesce(live_days.unpriced, 0) as unpriced,
        backtest_days.run_id is not null as is_compared
    from backtest_days
    full outer join live_days
        on
            backtest_days.run_id = live_days.run_id
            and backtest_days.account_id = live_days.account_id
            and backtest_days.session_date = live_days.session_date

),

owned as (

    -- What the account is worth is capital of the strategy where nothing else was traded on it.
    select
        spans.run_id,
        spans.account_id,
        spans.strategy_id,
        spans.range_end,
        bool_and(fills.strategy_id is not distinct from spans.strategy_id) as is_alone
    from spans
    inner join {{ ref('stg_trading__fills') }} as fills
        on
            spans.account_id = fills.account_id
            and spans.range_end > fills.executed_at
    group by spans.run_id, spans.account_id, spans.strategy_id, spans.range_end

),

statements as (

    select
        owned.run_id,
        owned.account_id,
        capital.strategy_id,
        capital.stated_at,
        capital.equity,
        bool_or(capital.strategy_id <> '') over (partition by owned.run_id, owned.account_id) as is_by_strategy
    from owned
    inner join {{ ref('stg_trading__capital') }} as capital
        on
            owned.account_id = capital.account_id
            and owned.range_end > capital.stated_at
            and (
                owned.strategy_id = capital.strategy_id
                or (owned.is_alone and capital.strategy_id = '')
            )

),

capitals as (

    select
        run_id,
        account_id,
        stated_at,
        equity,
        coalesce(lead(stated_at) over (partition by run_id, account_id order by stated_at), 'infinity') as restated_at
    from statements
    where (strategy_id <> '') = is_by_strategy

),

stated as (

    select
        sessions.*,
        capitals.equity + coalesce(
            sum(sessions.profit) over (
                partition by sessions.run_id, sessions.account_id, capitals.stated_at
                order by sessions.session_date
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as capital
    from sessions
    left join capitals
        on
            sessions.run_id = capitals.run_id
            and sessions.account_id = capitals.account_id
            and sessions.open_at >= capitals.stated_at
            and sessions.open_at < capitals.restated_at

)

select
    run_id,
    account_id,
    session_date,
    is_compared,
    unpriced,
    backtest_profit,
    backtest_traded_value,
    backtest_commissions,
    backtest_equity as backtest_capital,
    backtest_return,
    profit::double precision as live_profit,
    traded_value::double precision as live_traded_value,
    commissions::double precision as live_commissions,
    capital::double precision as live_capital,
    case when capital > 0 then (profit / capital)::double precision end as live_return

from stated
