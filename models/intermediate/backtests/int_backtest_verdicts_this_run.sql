{#
    Grain: one row per known backtest that this run judges: whether its trades and the landed bars make a daily curve,
    and if not, why. The first reason counts; a number that rests on a guess is none.
#}
-- depends_on: {{ ref('int_run_window') }}
with

executed as (

    select
        run_id,
        count(*) as executions,
        count(*) filter (where instrument_id is null) as unknown_executions,
        count(*) filter (where session_date is null or not has_bar) as executions_without_bar,
        case
            when bool_or(price_factor is null)
                then least(count(*) filter (where not is_adjusted), count(*) filter (where not is_traded))
            else 0
        end as executions_off_market,
        bool_or(price_factor is null) as is_off_market,
        sum(commission) as commissions,
        case when count(slippage) = count(*) then sum(slippage * abs(signed_quantity)) end as slippage_cost,
        array_agg(distinct symbol order by symbol) as symbols,
        array_agg(distinct instrument_id order by instrument_id) as instrument_ids,
        array_agg(distinct calendar order by calendar) filter (where calendar is not null) as calendars
    from {{ ref('int_backtest_executions_this_run') }}
    where account_id = ''
    group by run_id

),

held as (

    select
        run_id,
        sum(unpriced)::bigint as unpriced
    from {{ ref('int_backtest_days_this_run') }}
    where account_id = ''
    group by run_id

),

described as (

    select
        runs.run_id,
        runs.search_id,
        runs.status,
        runs.initial_capital,
        runs.range_start,
        runs.range_end,
        executed.symbols,
        executed.instrument_ids,
        executed.calendars,
        executed.commissions,
        executed.slippage_cost,
        executed.is_off_market,
        priced.currencies,
        spanned.first_session,
        spanned.last_session,
        coalesce(executed.executions, 0) as executions,
        coalesce(executed.unknown_executions, 0) as unknown_executions,
        coalesce(executed.executions_without_bar, 0) as executions_without_bar,
        coalesce(executed.executions_off_market, 0) as executions_off_market,
        coalesce(held.unpriced, 0) as unpriced_positions,
        coalesce(runs.currency <> any(priced.currencies), false) as is_other_currency
    from {{ ref('int_backtest_runs_this_run') }} as runs
    left join executed on runs.run_id = executed.run_id
    left join held on runs.run_id = held.run_id
    left join lateral (

        select array_agg(distinct instruments.currency order by instruments.currency) as currencies
        from {{ source('ref', 'instruments') }} as instruments
        where instruments.instrument_id = any(executed.instrument_ids)

    ) as priced on true
    left join lateral (

        select
            min(sessions.session_date) as first_session,
            max(sessions.session_date) as last_session
        from {{ source('ref', 'exchange_sessions') }} as sessions
        where
            sessions.calendar = any(executed.calendars)
            and sessions.close_at > runs.range_start
            and sessions.open_at < runs.range_end

    ) as spanned on true
    where runs.is_known

)

select
    *,
    case
        when status <> 'completed' then 'not completed'
        when executions = 0 then 'no executions'
        when initial_capital is null then 'no initial capital'
        when unknown_executions > 0 then 'unknown instruments'
        when is_other_currency then 'another currency'
        when first_session is null then 'no sessions'
        when executions_without_bar > 0 or unpriced_positions > 0 then 'bars missing'
        when is_off_market then 'prices off the market'
    end as not_judged_because

from described
