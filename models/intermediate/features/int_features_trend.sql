{# Grain: one row per recomputed bar. Moving averages and what is made of them. #}
with

bars_this_run as (

    select
        bar_row,
        series_no,
        bar_number,
        is_recomputed,
        is_after_checkpoint,
        close
    from {{ ref('int_bars_this_run') }}

),

seeds as (

    select
        series_no,
        ema_state,
        macd_state,
        trix_state
    from {{ ref('int_run_window') }}

),

recursive as (

    select
        bars_this_run.*,
        indicators.ema_ladder(seeds.ema_state, bars_this_run.close)
            filter (where bars_this_run.is_after_checkpoint) over by_bar as ema_state,
        indicators.macd(seeds.macd_state, bars_this_run.close)
            filter (where bars_this_run.is_after_checkpoint) over by_bar as macd_state,
        indicators.triple_ema(seeds.trix_state, bars_this_run.close)
            filter (where bars_this_run.is_after_checkpoint) over by_bar as trix_state,
        -- The tree of sums: s5, w5 are the plain and the linearly weighted sum of five closes.
        {{ trailing_sum('bars_this_run.close', 5) }} as s5,
        {{ trailing_sum('bars_this_run.close', 5, weighted=true) }} as w5
    from bars_this_run
    inner join seeds on bars_this_run.series_no = seeds.series_no
    window by_bar as (partition by bars_this_run.series_no order by bars_this_run.bar_row)

),

tens as (

    select
        *,
        s5 + lag(s5, 5) over by_bar as s10,
        w5 + 5 * s5 + lag(w5, 5) over by_bar as w10
    from recursive
    window by_bar as (partition by series_no order by bar_row)

),

twenties as (

    select
        *,
        s10 + lag(s10, 10) over by_bar as s20,
        w10 + 10 * s10 + lag(w10, 10) over by_bar as w20
    from tens
    window by_bar as (partition by series_no order by bar_row)

),

fifties as (

    select
        *,
        s20 + lag(s20, 20) over by_bar + lag(s10, 40) over by_bar as s50,
        w20 + 30 * s20
        + lag(w20, 20) over by_bar + 10 * lag(s20, 20) over by_bar
        + lag(w10, 40) over by_bar as w50
    from twenties
    window by_bar as (partition by series_no order by bar_row)

),

hundreds as (

    select
        *,
        s50 + lag(s50, 50) over by_bar as s100
    from fifties
    window by_bar as (partition by series_no order by bar_row)

),

averages as (

    select
        bar_row,
        bar_number,
        is_recomputed,
        close,
        ema_state,
        macd_state,
        trix_state,
        s5 / 5 as sma_5,
        s10 / 10 as sma_10,
        s20 / 20 as sma_20,
        s50 / 50 as sma_50,
        s100 / 100 as sma_100,
        (s100 + lag(s100, 100) over by_bar) / 200 as sma_200,
        lag(s20, 5) over by_bar / 20 as sma_20_back_5,
        w10 / 55 as wma_10,
        w20 / 210 as wma_20,
        w50 / 1275 as wma_50
    from hundreds
    window by_bar as (partition by series_no order by bar_row)

)

select
    bar_row,
    sma_5,
    sma_10,
    sma_20,
    sma_50,
    sma_100,
    sma_200,
    sma_20 as price_ma_short,
    sma_50 as price_ma_long,
    wma_10,
    wma_20,
    wma_50,
    {% for period in [5, 10, 12, 20, 26, 50, 100, 200] -%}
    case when bar_number >= {{ period }} then ema_state[{{ loop.index + 1 }}] end as ema_{{ period }},
    {% endfor -%}
    case when bar_number >= 34 then macd_state[2] - macd_state[3] end as macd,
    case when bar_number >= 34 then macd_state[4] end as macd_signal,
    case when bar_number >= 34 then macd_state[2] - macd_state[3] - macd_state[4] end as macd_hist,
    case
        when bar_number >= 44 then 100 * ({{ function('safe_divide') }}(trix_state[4], trix_state[5]) - 1)
    end as trix_15,
    {{ function('safe_divide') }}(close, sma_20) - 1 as price_to_sma_20,
    {{ function('safe_divide') }}(close, sma_50) - 1 as price_to_sma_50,
    {{ function('safe_divide') }}(close, sma_200) - 1 as price_to_sma_200,
    {{ function('safe_divide') }}(sma_20, sma_20_back_5) - 1 as sma_20_slope,
    {{ function('safe_divide') }}(sma_20, sma_50) - 1 as ma_spread_20_50,
    {{ function('safe_divide') }}(sma_50, sma_200) - 1 as ma_spread_50_200,
    case when bar_number % {{ checkpoint_bars() }} = 0 then ema_state end as ema_state,
    case when bar_number % {{ checkpoint_bars() }} = 0 then macd_state end as macd_state,
    case when bar_number % {{ checkpoint_bars() }} = 0 then trix_state end as trix_state

from averages
where is_recomputed
