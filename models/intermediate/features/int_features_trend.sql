{# Grain: one row per recomputed bar. Moving averages and what is made of them. #}
with

bars_this_run as (

    select
        bar_row,
        series_no,
        bar_number,
        is_recomputed,
        close
    from {{ ref('int_bars_this_run') }}
    where bars_to_recomputed <= {{ lookback_bars('feature_catalog', 'trend') }}

),

fives as (

    -- The tree of sums: s5, w5 are the plain and the linearly weighted sum of five closes.
    select
        *,
        {{ trailing_sum('close', 5) }} as s5,
        {{ trailing_sum('close', 5, weighted=true) }} as w5
    from bars_this_run
    window by_bar as (partition by series_no order by bar_row)

),

tens as (

    select
        *,
        s5 + lag(s5, 5) over by_bar as s10,
        w5 + 5 * s5 + lag(w5, 5) over by_bar as w10
    from fives
    window by_bar as (partition by series_no order by bar_row)

),

fifties as (

    -- Fifty bars are five tens; the newer tens of a weighted sum weigh 40, 30, 20 and 10 more.
    select
        *,
        s10 + lag(s10, 10) over by_bar as s20,
        w10 + 10 * s10 + lag(w10, 10) over by_bar as w20,
        {{ trailing_spaced_sum('s10', [0, 10, 20, 30, 40]) }} as s50,
        {{ trailing_spaced_sum('w10', [0, 10, 20, 30, 40]) }}
        + 40 * s10
        + 30 * lag(s10, 10) over by_bar
        + 20 * lag(s10, 20) over by_bar
        + 10 * lag(s10, 30) over by_bar as w50
    from tens
    window by_bar as (partition by series_no order by bar_row)

),

averages as (

    select
        bar_row,
        bar_number,
        is_recomputed,
        close,
        s5 / 5 as sma_5,
        s10 / 10 as sma_10,
        s20 / 20 as sma_20,
        s50 / 50 as sma_50,
        {{ trailing_spaced_sum('s50', [0, 50]) }} as s100,
        {{ trailing_spaced_sum('s50', [0, 50, 100, 150]) }} as s200,
        lag(s20, 5) over by_bar / 20 as sma_20_back_5,
        w10 / 55 as wma_10,
        w20 / 210 as wma_20,
        w50 / 1275 as wma_50
    from fifties
    window by_bar as (partition by series_no order by bar_row)

)

select
    bar_row,
    sma_5,
    sma_10,
    sma_20,
    sma_50,
    s100 / 100 as sma_100,
    s200 / 200 as sma_200,
    sma_20 as price_ma_short,
    sma_50 as price_ma_long,
    wma_10,
    wma_20,
    wma_50,
    {{ function('safe_divide') }}(close, sma_20) - 1 as price_to_sma_20,
    {{ function('safe_divide') }}(close, sma_50) - 1 as price_to_sma_50,
    {{ function('safe_divide') }}(close, s200 / 200) - 1 as price_to_sma_200,
    {{ function('safe_divide') }}(sma_20, sma_20_back_5) - 1 as sma_20_slope,
    {{ function('safe_divide') }}(sma_20, sma_50) - 1 as ma_spread_20_50,
    {{ function('safe_divide') }}(sma_50, s200 / 200) - 1 as ma_spread_50_200

from averages
where is_recomputed
