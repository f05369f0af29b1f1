{# Grain: one row per recomputed bar. Returns, the shape of the bar, and lags. #}
with

bars_this_run as (

    select
        bar_row,
        series_no,
        is_recomputed,
        open,
        high,
        low,
        close,
        volume
    from {{ ref('int_bars_this_run') }}
    where bars_to_recomputed <= {{ lookback_bars('feature_catalog', 'returns') }}

),

lagged as (

    select
        bar_row,
        is_recomputed,
        open,
        high,
        low,
        close,
        {% for bars in [1, 2, 4, 8, 24] -%}
            lag(close, {{ bars }}) over by_bar as lag_close_{{ bars }},
            lag(close, {{ bars + 1 }}) over by_bar as close_before_{{ bars }},
            lag(volume, {{ bars }}) over by_bar as lag_volume_{{ bars }},
        {% endfor -%}
        {{ function('safe_divide') }}(close, lag(close) over by_bar) - 1 as returns
    from bars_this_run
    window by_bar as (partition by series_no order by bar_row)

)

select
    bar_row,
    returns,
    {% for bars in [1, 2, 4, 8, 24] -%}
        lag_close_{{ bars }},
        -- Divided again: a lag of the return would take a second window, and copy all of the first.
        {{ function('safe_divide') }}(lag_close_{{ bars }}, close_before_{{ bars }}) - 1 as lag_returns_{{ bars }},
        lag_volume_{{ bars }},
    {% endfor -%}
    {{ function('log_ratio') }}(close, lag_close_1) as log_returns,
    returns - ({{ function('safe_divide') }}(lag_close_1, close_before_1) - 1) as price_acceleration,
    {% for bars in [2, 4, 8, 24] -%}
        {{ function('safe_divide') }}(close, lag_close_{{ bars }}) - 1 as returns_{{ bars }},
    {% endfor -%}
    {{ function('safe_divide') }}(open, lag_close_1) - 1 as open_gap,
    {{ function('safe_divide') }}(close, open) - 1 as open_to_close,
    {{ function('safe_divide') }}(high, low) - 1 as high_low_range,
    {{ function('safe_divide') }}(close - low, high - low) as close_location,
    {{ function('safe_divide') }}(high - greatest(open, close), high - low) as upper_shadow,
    {{ function('safe_divide') }}(least(open, close) - low, high - low) as lower_shadow,
    {{ function('safe_divide') }}(close - open, high - low) as balance_of_power,
    (high + low + close) / 3 as typical_price
from lagged
where is_recomputed
