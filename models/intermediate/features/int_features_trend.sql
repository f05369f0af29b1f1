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

-- The recursive states come last: carried through the levels above, each array costs 0.5 us a row and level.
averages as (

    select
        fifties.bar_row,
        fifties.bar_number,
        fifties.is_recomputed,
        fifties.close,
        fifties.s5 / 5 as sma_5,
        fifties.s10 / 10 as sma_10,
        fifties.s20 / 20 as sma_20,
        fifties.s50 / 50 as sma_50,
        {{ trailing_spaced_sum('fifties.s50', [0, 50]) }} as s100,
        {{ trailing_spaced_sum('fifties.s50', [0, 50, 100, 150]) }} as s200,
        lag(fifties.s20, 5) over by_bar / 20 as sma_20_back_5,
        fifties.w10 / 55 as wma_10,
        fifties.w20 / 210 as wma_20,
        fifties.w50 / 1275 as wma_50,
        indicators.ema_ladder(
            seeds.ema_state, fifties.close
        ) filter (where fifties.is_after_checkpoint) over by_bar as ema_state,
        indicators.macd(
            seeds.macd_state, fifties.close
        ) filter (where fifties.is_after_checkpoint) over by_bar as macd_state,
        indicators.triple_ema(
            seeds.trix_state, fifties.close
        ) filter (where fifties.is_after_checkpoint) over by_bar as trix_state
    from fifties
    inner join seeds on fifties.series_no = seeds.series_no
    window by_bar as (partition by fifties.series_no order by fifties.bar_row)

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
    {{ function('safe_divide') }}(close, s200 / 200) - 1 as price_to_sma_200,
    {{ function('safe_divide') }}(sma_20, sma_20_back_5) - 1 as sma_20_slope,
    {{ function('safe_divide') }}(sma_20, sma_50) - 1 as ma_spread_20_50,
    {{ function('safe_divide') }}(sma_50, s200 / 200) - 1 as ma_spread_50_200,
    case when bar_number % {{ checkpoint_bars() }} = 0 then ema_state end as ema_state,
    case when bar_number % {{ checkpoint_bars() }} = 0 then macd_state end as macd_state,
    case when bar_number % {{ checkpoint_bars() }} = 0 then trix_state end as trix_state

from averages
where is_recomputed
