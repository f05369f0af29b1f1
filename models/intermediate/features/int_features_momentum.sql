{#
    Grain: one row per recomputed bar. Oscillators: how far and how fast the price moved lately.
    What is lagged comes first in each level: a lag reads the columns before its own too.
#}
{%- set carried = ['bar_number', 'is_recomputed', 'close', 'cci_20', 'close_5', 'close_10', 'close_20'] -%}
with

bars_this_run as (

    select
        bar_row,
        series_no,
        bar_number,
        is_recomputed,
        high,
        low,
        close,
        (high + low + close) / 3 as typical
    from {{ ref('int_bars_this_run') }}
    where bars_to_recomputed <= {{ lookback_bars('feature_catalog', 'momentum') }}

),

lagged as (

    -- The mean of the typical prices, and what its deviation is made of, before anything wide.
    select
        bar_row,
        series_no,
        bar_number,
        is_recomputed,
        close,
        typical,
        {% for back in range(1, 20) -%}
            lag(typical, {{ back }}) over by_bar as typical_{{ back }},
        {% endfor -%}
        ({{ trailing_spaced_sum('typical', range(20)) }}) / 20 as typical_mean,
        {% for back in [5, 10, 20] -%}
            lag(close, {{ back }}) over by_bar as close_{{ back }},
        {% endfor -%}
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

deviations as (

    select
        *,
        (
            abs(typical - typical_mean)
            {% for back in range(1, 20) -%}
                + abs(typical_{{ back }} - typical_mean)
            {% endfor -%}
        ) / 20 as typical_mean_deviation
    from lagged
    -- The deviation is used twice below; the fence keeps it computed once.
    offset 0 -- noqa: AM09

),

channels as (

    select
        bar_row,
        series_no,
        high_4,
        low_4,
        buying_pressure,
        true_range,
        bar_number,
        is_recomputed,
        close,
        close_5,
        close_10,
        close_20,
        -- The mean of equal prices is off by its rounding: a deviation as small as that is none.
        case
            when bar_number < 20 then null
            when typical_mean_deviation > 1e-14 * abs(typical_mean)
                then (typical - typical_mean) / (0.015 * typical_mean_deviation)
            else 0
        end as cci_20
    from deviations
    offset 0 -- noqa: AM09

),

sums as (

    select
        bar_row,
        series_no,
        {{ trailing_sum('buying_pressure', 7) }} as buying_pressure_7,
        {{ trailing_sum('true_range', 7) }} as true_range_7,
        {{ trailing_extreme('greatest', 'high_4', [0, 4, 8, 10]) }} as high_14,
        {{ trailing_extreme('least', 'low_4', [0, 4, 8, 10]) }} as low_14,
        {{ carried | join(', ') }}
    from channels
    window by_bar as (partition by series_no order by bar_row)

),

oscillators as (

    select
        bar_row,
        series_no,
        case
            when bar_number < 14 then null
            when high_14 = low_14 then 0
            else 100 * (close - low_14) / (high_14 - low_14)
        end as fast_k,
        high_14,
        low_14,
        buying_pressure_7,
        true_range_7,
        {{ trailing_spaced_sum('buying_pressure_7', [0, 7]) }} as buying_pressure_14,
        {{ trailing_spaced_sum('true_range_7', [0, 7]) }} as true_range_14,
        {{ trailing_spaced_sum('buying_pressure_7', [0, 7, 14, 21]) }} as buying_pressure_28,
        {{ trailing_spaced_sum('true_range_7', [0, 7, 14, 21]) }} as true_range_28,
        {{ carried | join(', ') }}
    from sums
    window by_bar as (partition by series_no order by bar_row)

),

ultimate as (

    select
        bar_row,
        series_no,
        fast_k,
        high_14,
        low_14,
        case
            when bar_number > 28
                then
                    (
                        4 * coalesce({{ function('safe_divide') }}(buying_pressure_7, true_range_7), 0)
                        + 2 * coalesce({{ function('safe_divide') }}(buying_pressure_14, true_range_14), 0)
                        + coalesce({{ function('safe_divide') }}(buying_pressure_28, true_range_28), 0)
                    ) * 100 / 7
        end as ultosc,
        {{ carried | join(', ') }}
    from oscillators
    offset 0 -- noqa: AM09

),

smoothed as (

    -- The slow %K of the last three bars at once, each from its own three: a window less than lags of it.
    select
        *,
        ({{ trailing_spaced_sum('fast_k', [0, 1, 2]) }}) / 3 as slow_k,
        ({{ trailing_spaced_sum('fast_k', [1, 2, 3]) }}) / 3 as slow_k_1,
        ({{ trailing_spaced_sum('fast_k', [2, 3, 4]) }}) / 3 as slow_k_2
    from ultimate
    window by_bar as (partition by series_no order by bar_row)

),

stochastic as (

    select
        *,
        (slow_k + slow_k_1 + slow_k_2) / 3 as slow_d
    from smoothed

)

select
    bar_row,
    cci_20,
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
    ultosc,
    case when bar_number >= 14 then {{ function('safe_divide') }}(high_14 - close, close) end as distance_to_high_14,
    case when bar_number >= 14 then {{ function('safe_divide') }}(close - low_14, close) end as distance_to_low_14

from stochastic
where is_recomputed
