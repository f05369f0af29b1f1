{#
    Grain: one row per round trip of a judged backtest: from flat to flat in one instrument, whatever was added or
    taken off in between, so that no rule has to say which unit was sold first. An execution that turns a position
    round ends one trip and begins the next, each with its share of the money.
#}
-- depends_on: {{ ref('int_run_window') }}
with

running as (

    select
        executions.run_id,
        executions.instrument_id,
        executions.trade_no,
        executions.quantity,
        executions.cash_flow,
        sum(executions.quantity) over by_trade as held_units,
        sum(executions.quantity) over by_trade - executions.quantity as units_before
    from {{ ref('int_backtest_executions_this_run') }} as executions
    inner join {{ ref('int_backtest_verdicts_this_run') }} as verdicts on executions.run_id = verdicts.run_id
    where
        executions.account_id = ''
        and verdicts.not_judged_because is null
    window by_trade as (partition by executions.run_id, executions.instrument_id order by executions.trade_no)

),

ends as (

    select
        *,
        units_before <> 0 and sign(held_units) <> sign(units_before) as is_end,
        units_before <> 0 and sign(held_units) = -sign(units_before) as is_turn
    from running

),

numbered as (

    select
        *,
        count(*) filter (where is_end) over by_trade - is_end::integer as trips_before
    from ends
    window by_trade as (partition by run_id, instrument_id order by trade_no)

),

legs as (

    select
        run_id,
        instrument_id,
        trips_before as trip_no,
        is_end,
        -- Rounded, so that a trip which brought nothing is neither a win nor a loss.
        case
            when is_turn then round(cash_flow * abs(units_before) / abs(quantity), 10)
            else cash_flow
        end as cash_flow
    from numbered

    union all

    select
        run_id,
        instrument_id,
        trips_before + 1 as trip_no,
        false as is_end,
        round(cash_flow * abs(held_units) / abs(quantity), 10) as cash_flow
    from numbered
    where is_turn

)

select
    run_id,
    instrument_id,
    trip_no::integer as trip_no,
    bool_or(is_end) as is_closed,
    sum(cash_flow) as profit

from legs
group by run_id, instrument_id, trip_no
