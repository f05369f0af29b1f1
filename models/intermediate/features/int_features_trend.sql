{{ config(materialized='ephemeral') }}
{# Grain: one row per recomputed bar. Moving averages and what is made of them, added to the family before. #}
{%- set safe_divide = function('safe_divide') %}
select
    bars.*, -- noqa: AM04
    averages.sma_5,
    averages.sma_10,
    averages.sma_20,
    averages.sma_50,
    averages.sma_100,
    averages.sma_200,
    averages.sma_20 as price_ma_short,
    averages.sma_50 as price_ma_long,
    averages.wma_10,
    averages.wma_20,
    averages.wma_50,
    {% for period in [20, 50, 200] -%}
        {{ safe_divide }}(bars.last_close, averages.sma_{{ period }}) - 1 as price_to_sma_{{ period }},
    {% endfor -%}
    {{ safe_divide }}(averages.sma_20, averages.sma_20_5) - 1 as sma_20_slope,
    {{ safe_divide }}(averages.sma_20, averages.sma_50) - 1 as ma_spread_20_50,
    {{ safe_divide }}(averages.sma_50, averages.sma_200) - 1 as ma_spread_50_200
from {{ ref('int_features_returns') }} as bars
cross join lateral (
    -- Long windows are added up of tens. The newer tens of a weighted sum weigh 40, 30, 20 and 10 more.
    select
        ({{ trailing_sum('bars.close_at', 5) }}) / 5 as sma_5,
        {{ known('bars.close_10_at[bars.bar]') }} / 10 as sma_10,
        {% for tens in [2, 5, 10, 20] -%}
            {{ known(trailing_sum('bars.close_10_at', tens, spacing=10)) }} / {{ 10 * tens }} as sma_{{ 10 * tens }},
        {% endfor -%}
        {{ known('bars.close_10_at[bars.bar - 5] + bars.close_10_at[bars.bar - 15]') }} / 20 as sma_20_5,
        {{ known('bars.weighted_close_10_at[bars.bar]') }} / 55 as wma_10,
        {{ known(
            trailing_sum('bars.weighted_close_10_at', 2, spacing=10) ~ ' + 10 * bars.close_10_at[bars.bar]'
        ) }} / 210 as wma_20,
        {{ known(
            trailing_sum('bars.weighted_close_10_at', 5, spacing=10)
            ~ ' + 10 * (' ~ trailing_sum('bars.close_10_at', 4, spacing=10, weighted=true) ~ ')'
        ) }} / 1275 as wma_50
    from (values (true)) as fence (is_up)
    -- Each average is used more than once above; the fence keeps it computed once.
    offset 0 -- noqa: AM09
) as averages
