{# Grain: one row per recomputed bar. Oscillators: how far and how fast the price moved lately. #}
with

bars_this_run as (

    select
        bar_row,
        series_no,
        bar_number,
        is_recomputed,
        is_after_checkpoint,
        high,
        low,
        close,
        (high + low + close) / 3 as typical
    from {{ ref('int_bars_this_run') }}

),

seeds as (

    select
        series_no,
        rsi_state
    from {{ ref('int_run_window') }}

),

lagged as (

    select
        bar_row,
        series_no,
        bar_number,
        is_recomputed,
        is_after_checkpoint,
        close,
        typical,
        {{ trailing_extreme('greatest', 'high', range(4)) }} as high_4,
        {{ trailing_extreme('least', 'low', range(4)) }} as low_4,
        -- Buying pressure and true range of the ultimate oscillator; least() and greatest() ignore NULL.
        case when lag(close) over by_bar is not null then close - least(low, lag(close) over by_bar) end
            as buying_pressure,
        case
            when lag(close) over by_bar is not null
                then greatest(high, lag(close) over by_bar) - least(low, lag(close) over by_bar)
        end as true_range
    from bars_this_run
    window by_bar as (partition by series_no order by bar_row)

),

sums as (

    select
        bar_row,
        series_no,
        bar_number,
        is_recomputed,
        is_after_checkpoint,
        close,
        typical,
        {{ trailing_extreme('greatest', 'high_4', [0, 4, 8, 10]) }} as high_14,
        {{ trailing_extreme('least', 'low_4', [0, 4, 8, 10]) }} as low_14,
        {{ trailing_sum('buying_pressure', 7) }} as buying_pressure_7,
        {{ trailing_sum('true_range', 7) }} as true_range_7
    from lagged
    window by_bar as (partition by series_no order by bar_row)

),

oscillators as (

    select
        *,
        case
            when bar_number < 14 then null
            when high_14 = low_14 then 0
            else 100 * (close - low_14) / (high_14 - low_14)
        end as fast_k,
        buying_pressure_7 + lag(buying_pressure_7, 7) over by_bar as buying_pressure_14,
        true_range_7 + lag(true_range_7, 7) over by_bar as true_range_14,
        {{ trailing_spaced_sum('buying_pressure_7', [0, 7, 14, 21]) }} as buying_pressure_28,
        {{ trailing_spaced_sum('true_range_7', [0, 7, 14, 21]) }} as true_range_28
    from sums
    window by_bar as (partition by series_no order by bar_row)

),

smoothed as (

    select
        *,
        ({{ trailing_sum('fast_k', 3) }}) / 3 as slow_k
    from oscillators
    window by_bar as (partition by series_no order by bar_row)

),

-- What is wide comes last: the recursive state and the twenty prices of the CCI would be copied by each level.
stochastic as (

    select
        smoothed.*,
        ({{ trailing_sum('smoothed.slow_k', 3) }}) / 3 as slow_d,
        {% for back in [5, 10, 20] -%}
            lag(smoothed.close, {{ back }}) over by_bar as close_{{ back }},
        {% endfor -%}
        {% for back in range(1, 20) -%}
            lag(smoothed.typical, {{ back }}) over by_bar as typical_{{ back }},
        {% endfor -%}
        ({{ trailing_spaced_sum('smoothed.typical', range(20)) }}) / 20 as typical_mean,
        indicators.rsi(
            seeds.rsi_state, smoothed.close
        ) filter (where smoothed.is_after_checkpoint) over by_bar as rsi_state
    from smoothed
    inner join seeds on smoothed.series_no = seeds.series_no
    window by_bar as (partition by smoothed.series_no order by smoothed.bar_row)

),

deviations as (

    select
        *,
        (
            abs(typical - typical_mean)
            {% for back in range(1, 20) -%}
                + abs(typical_{{ back }} - typical_mean)
            {% endfor -%}
        ) / 20 as typical_mean_deviation
    from stochastic
    where is_recomputed
    -- The deviation is used twice below; the fence keeps it computed once.
    offset 0 -- noqa: AM09

)

select
    bar_row,
    {% for period in [7, 14, 21] -%}
        {%- set gain, loss = 'rsi_state[' ~ (1 + 2 * loop.index) ~ ']', 'rsi_state[' ~ (2 + 2 * loop.index) ~ ']' -%}
        case
            when bar_number > {{ period }}
                then coalesce({{ function('safe_divide') }}(100 * {{ gain }}, {{ gain }} + {{ loss }}), 0)
        end as rsi_{{ period }},
    {% endfor -%}
    case
        when bar_number > 14
            then
                coalesce(
                    {{ function('safe_divide') }}(100 * (rsi_state[5] - rsi_state[6]), rsi_state[5] + rsi_state[6]), 0
                )
    end as cmo_14,
    -- The mean of equal prices is off by its rounding: a deviation as small as that is none.
    case
        when bar_number < 20 then null
        when typical_mean_deviation > 1e-14 * abs(typical_mean)
            then (typical - typical_mean) / (0.015 * typical_mean_deviation)
        else 0
    end as cci_20,
    -- TA-Lib holds the slow %K back until the slow %D is valid too.
    case when slow_d is not null then slow_k end as stoch_k,
    slow_d as stoch_d,
    fast_k as stoch_fast_k,
    case
        when bar_number >= 14
            then coalesce({{ function('safe_divide') }}(-100 * (high_14 - close), high_14 - low_14), 0)
    end as willr_14,
    100 * ({{ function('safe_divide') }}(close, close_5) - 1) as roc_5,
    100 * ({{ function('safe_divide') }}(close, close_10) - 1) as roc_10,
    100 * ({{ function('safe_divide') }}(close, close_20) - 1) as roc_20,
    close - close_10 as mom_10,
    close - close_20 as mom_20,
    case
        when bar_number > 28
            then
                (
                    4 * coalesce({{ function('safe_divide') }}(buying_pressure_7, true_range_7), 0)
                    + 2 * coalesce({{ function('safe_divide') }}(buying_pressure_14, true_range_14), 0)
                    + coalesce({{ function('safe_divide') }}(buying_pressure_28, true_range_28), 0)
                ) * 100 / 7
    end as ultosc,
    case when bar_number >= 14 then {{ function('safe_divide') }}(high_14 - close, close) end as distance_to_high_14,
    case when bar_number >= 14 then {{ function('safe_divide') }}(close - low_14, close) end as distance_to_low_14,
    case when bar_number % {{ checkpoint_bars() }} = 0 then rsi_state end as rsi_state

from deviations
