{#
    Grain: one row per backtest that this run judges, account that traded its strategy ('' for the backtest itself) and
    session in which something was held or traded: what that brought. The profit of an instrument in a session is the change of its value at the close plus what its executions
    paid out. Positions are in today's shares, as the closes are, so splits need no bookkeeping.
#}
-- depends_on: {{ ref('int_run_window') }}
with

flows as (

    select
        run_id,
        account_id,
        instrument_id,
        calendar,
        session_date,
        sum(quantity) as quantity,
        sum(cash_flow) as cash_flow,
        sum(commission) as commission,
        sum(abs(signed_quantity * price)) as traded_value
    from {{ ref('int_backtest_executions_this_run') }}
    where
        session_date is not null
        and price_factor is not null
    group by run_id, account_id, instrument_id, calendar, session_date

),

spans as (

    select
        flows.*,
        runs.range_end,
        sum(flows.quantity) over by_session as held_units,
        lead(flows.session_date) over by_session as next_session
    from flows
    inner join {{ ref('int_backtest_runs_this_run') }} as runs on flows.run_id = runs.run_id
    window
        by_session as (
            partition by flows.run_id, flows.account_id, flows.instrument_id
            order by flows.session_date
        )

),

holdings as (

    -- From a session with executions until the next, while something is held.
    select
        spans.run_id,
        spans.account_id,
        spans.instrument_id,
        spans.held_units,
        sessions.session_date,
        sessions.open_at,
        features.close,
        case when sessions.session_date = spans.session_date then spans.cash_flow else 0 end as cash_flow,
        case when sessions.session_date = spans.session_date then spans.traded_value else 0 end as traded_value,
        case when sessions.session_date = spans.session_date then spans.commission else 0 end as commission,
        case when spans.held_units = 0 then 0 else spans.held_units * features.close::numeric end as market_value
    from spans
    inner join {{ source('ref', 'exchange_sessions') }} as sessions
        on
            spans.calendar = sessions.calendar
            and spans.session_date <= sessions.session_date
            and (spans.next_session is null or spans.next_session > sessions.session_date)
            and (spans.session_date = sessions.session_date or spans.held_units <> 0)
            and spans.range_end > sessions.open_at
    left join {{ ref('feature_engineered_data') }} as features
        on
            spans.instrument_id = features.instrument_id
            and features.timeframe = '1d'
            and features."timestamp" = sessions.session_date::timestamp at time zone 'UTC'
            and features.feature_version = '{{ var("feature_version") }}'

),

valued as (

    select
        *,
        market_value - coalesce(lag(market_value) over by_session, 0) + cash_flow as profit
    from holdings
    window by_session as (partition by run_id, account_id, instrument_id order by session_date)

)

select
    run_id,
    account_id,
    session_date,
    min(open_at) as open_at,
    sum(profit) as profit,
    sum(abs(market_value)) as gross_value,
    sum(traded_value) as traded_value,
    sum(commission) as commissions,
    count(*) filter (where held_units <> 0) as positions,
    count(*) filter (where held_units <> 0 and close is null) as unpriced

from valued
group by run_id, account_id, session_date
