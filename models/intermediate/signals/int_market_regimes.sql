{#
    Grain: one row per session of the market, with the regimes that could be known at its close. Volatility: the deviation
    of the last 21 sessions' returns against its mean over a year. Trend: the market against its mean over 200 sessions.
#}
-- depends_on: {{ ref('int_run_window') }}
with

moves as (

    select
        session_date,
        sum(log_return) over so_far as price_level,
        case when count(*) over month = 21 then stddev_samp(log_return) over month end as volatility
    from {{ ref('int_market_daily') }}
    window
        so_far as (order by session_date),
        month as (order by session_date rows 20 preceding)

),

usual as (

    select
        session_date,
        price_level,
        volatility,
        avg(price_level) over trend as usual_level,
        count(*) over trend as levels,
        avg(volatility) over year as usual_volatility,
        count(volatility) over year as volatilities
    from moves
    window
        trend as (order by session_date rows 199 preceding),
        year as (order by session_date rows 251 preceding)

)

select
    session_date,
    -- A quarter of a year of deviations is the least that says what is usual.
    case
        when volatilities >= 63 then case when volatility > usual_volatility then 'turbulent' else 'calm' end
    end as volatility,
    case
        when levels = 200 then case when price_level > usual_level then 'rising' else 'falling' end
    end as trend

from usual
