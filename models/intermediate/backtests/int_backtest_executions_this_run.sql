{#
    Grain: one row per execution of a backtest that this run judges (account_id is ''), and per fill of its strategy on an
    account until the end of the tested range, each with its session and its size in today's shares.
    Engines trade prices that were traded, or prices that are adjusted for the splits known when the run was asked for;
    which of them shows in the bars: every execution of a run lies within the range of its session's bar by the one or
    by the other, or price_factor is NULL and the run is not judged.
#}
{%- set tolerance = var('backtest_price_tolerance') -%}
-- depends_on: {{ ref('int_run_window') }}
with

executed as (

    select
        runs.run_id,
        '' as account_id,
        runs.range_start,
        runs.range_end,
        runs.created_at,
        trades.trade_no::bigint as trade_no,
        trades.symbol,
        trades.executed_at,
        trades.signed_quantity,
        trades.price,
        trades.commission,
        trades.slippage,
        null as money
    from {{ ref('int_backtest_runs_this_run') }} as runs
    inner join {{ ref('stg_backtest__trades') }} as trades on runs.run_id = trades.run_id
    where runs.is_known

    union all

    select
        runs.run_id,
        fills.account_id,
        runs.range_start,
        runs.range_end,
        runs.created_at,
        fills.seq as trade_no,
        fills.symbol,
        fills.executed_at,
        fills.signed_quantity,
        fills.price,
        fills.commission,
        null as slippage,
        coalesce(fills.currency, books.currency) as money
    from {{ ref('int_backtest_runs_this_run') }} as runs
    inner join {{ ref('stg_trading__fills') }} as fills
        on
            runs.strategy_id = fills.strategy_id
            and runs.range_end > fills.executed_at
    inner join {{ source('raw_trading', 'accounts') }} as books on fills.account_id = books.account_id
    where
        runs.is_known
        and runs.status = 'completed'

),

executions as (

    select
        executed.*,
        instruments.instrument_id,
        instruments.calendar,
        instruments.currency
    from executed
    left join lateral (

        {{ instrument_of('executed.symbol', 'executed.executed_at') }}

    ) as named on true
    left join {{ source('ref', 'instruments') }} as instruments on named.instrument_id = instruments.instrument_id

),

traded as (

    select distinct
        run_id,
        instrument_id,
        created_at
    from executions
    where account_id = ''

),

later_splits as (

    select
        traded.run_id,
        traded.instrument_id,
        indicators.product(1 / actions.split_ratio::double precision order by actions.ex_date) as split_factor
    from traded
    inner join {{ ref('stg_reference__corporate_actions') }} as actions
        on
            traded.instrument_id = actions.instrument_id
            and actions.action_type = 'split'
            and actions.ex_date > (traded.created_at at time zone 'UTC')::date
    group by traded.run_id, traded.instrument_id

),

placed as (

    -- An execution belongs to the first session that ends at or after it, and after the last session of the range that
    -- of a backtest to this; a fill there is of no session that was tested.
    select
        executions.*,
        case
            when executions.account_id = '' then coalesce(at_or_after.session_date, last_before.session_date)
            else at_or_after.session_date
        end as session_date
    from executions
    left join lateral (

        select sessions.session_date
        from {{ source('ref', 'exchange_sessions') }} as sessions
        where
            sessions.calendar = executions.calendar
            and sessions.session_date >= (executions.executed_at at time zone 'UTC')::date - 1
            and sessions.close_at >= executions.executed_at
            and sessions.open_at < executions.range_end
        order by sessions.session_date
        limit 1

    ) as at_or_after on true
    left join lateral (

        select sessions.session_date
        from {{ source('ref', 'exchange_sessions') }} as sessions
        where
            sessions.calendar = executions.calendar
            and sessions.session_date <= (executions.executed_at at time zone 'UTC')::date + 1
            and sessions.close_at < executions.executed_at
            and sessions.close_at > executions.range_start
        order by sessions.session_date desc
        limit 1

    ) as last_before on true
    where
        executions.account_id = ''
        or at_or_after.session_date is not null
        or last_before.session_date is null

),

compared as (

    select
        placed.*,
        features.close is not null as has_bar,
        -- What makes a price of the one or the other kind a price in today's shares.
        features.split_factor as traded_factor,
        coalesce(later_splits.split_factor, 1) as adjusted_factor,
        features.low - abs(features.low) * {{ tolerance }} as lowest,
        features.high + abs(features.high) * {{ tolerance }} as highest
    from placed
    left join later_splits
        on
            placed.run_id = later_splits.run_id
            and placed.instrument_id = later_splits.instrument_id
    left join {{ ref('feature_engineered_data') }} as features
        on
            placed.instrument_id = features.instrument_id
            and features.timeframe = '1d'
            and features."timestamp" = placed.session_date::timestamp at time zone 'UTC'
            and features.feature_version = '{{ var("feature_version") }}'

),

checked as (

    select
        *,
        not has_bar or price * adjusted_factor between lowest and highest as is_adjusted,
        not has_bar or price * traded_factor between lowest and highest as is_traded
    from compared

),

based as (

    select
        *,
        case
            when account_id <> '' then coalesce(traded_factor, 1)
            when bool_and(is_adjusted) over by_run then adjusted_factor
            when bool_and(is_traded) over by_run then coalesce(traded_factor, 1)
        end as price_factor
    from checked
    window by_run as (partition by run_id, account_id)

)

select
    run_id,
    account_id,
    trade_no,
    symbol,
    instrument_id,
    calendar,
    currency,
    money,
    session_date,
    executed_at,
    signed_quantity,
    price,
    commission,
    slippage,
    has_bar,
    is_adjusted,
    is_traded,
    price_factor,
    round(signed_quantity / price_factor::numeric, 10) as quantity,
    -signed_quantity * price - commission as cash_flow

from based
