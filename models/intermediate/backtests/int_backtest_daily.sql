{#
    Grain: one row per judged backtest and session of its range: profit, equity and return. Sessions are those of every
    exchange that it traded on; one without a position is one of return 0.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='touched_replace',
        unlogged=false,
        unique_key=['run_id', 'session_date'],
        meta={'touched': 'int_backtest_runs_this_run'},
    )
}}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('int_backtest_runs_this_run') }}
with

sessions as (

    select
        verdicts.run_id,
        verdicts.initial_capital,
        sessions.session_date,
        min(sessions.open_at) as open_at
    from {{ ref('int_backtest_verdicts_this_run') }} as verdicts
    cross join unnest(verdicts.calendars) as traded (calendar)
    inner join {{ source('ref', 'exchange_sessions') }} as sessions
        on
            traded.calendar = sessions.calendar
            and verdicts.range_start < sessions.close_at
            and verdicts.range_end > sessions.open_at
    where verdicts.not_judged_because is null
    group by verdicts.run_id, verdicts.initial_capital, sessions.session_date

),

equities as (

    select
        sessions.run_id,
        sessions.session_date,
        sessions.open_at,
        sessions.initial_capital,
        coalesce(traded_days.profit, 0) as profit,
        coalesce(traded_days.gross_value, 0) as gross_value,
        coalesce(traded_days.traded_value, 0) as traded_value,
        coalesce(traded_days.commissions, 0) as commissions,
        coalesce(traded_days.positions, 0) as positions,
        sessions.initial_capital + sum(coalesce(traded_days.profit, 0)) over (
            partition by sessions.run_id
            order by sessions.session_date
        ) as equity
    from sessions
    left join {{ ref('int_backtest_days_this_run') }} as traded_days
        on
            sessions.run_id = traded_days.run_id
            and sessions.session_date = traded_days.session_date
            and traded_days.account_id = ''

)

select
    run_id,
    session_date,
    open_at,
    positions,
    profit::double precision as profit,
    equity::double precision as equity,
    gross_value::double precision as gross_value,
    traded_value::double precision as traded_value,
    commissions::double precision as commissions,
    (equity - profit)::double precision as equity_before,
    case when equity > profit then (profit / (equity - profit))::double precision end as session_return

from equities
