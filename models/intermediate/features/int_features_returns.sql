{{ config(materialized='ephemeral') }}
{# Grain: one row per recomputed bar. Returns, the shape of the bar, and lags, added to the family before. #}
{%- set safe_divide = function('safe_divide') %}
select
    bars.*, -- noqa: AM04
    returns_family.*
from {{ ref('int_features_recursive') }} as bars
cross join lateral (
    select
        now.returns,
        {% for back in [1, 2, 4, 8, 24] -%}
            bars.close_at[bars.bar - {{ back }}] as lag_close_{{ back }},
            {{ safe_divide }}(bars.close_at[bars.bar - {{ back }}], bars.close_at[bars.bar - {{ back + 1 }}]) - 1
                as lag_returns_{{ back }},
            {{ known('bars.volume_at[bars.bar - ' ~ back ~ ']') }} as lag_volume_{{ back }},
        {% endfor -%}
        {{ function('log_ratio') }}(now.close, now.close_1) as log_returns,
        now.returns - ({{ safe_divide }}(now.close_1, bars.close_at[bars.bar - 2]) - 1) as price_acceleration,
        {% for back in [2, 4, 8, 24] -%}
            {{ safe_divide }}(now.close, bars.close_at[bars.bar - {{ back }}]) - 1 as returns_{{ back }},
        {% endfor -%}
        {{ safe_divide }}(now.open, now.close_1) - 1 as open_gap,
        {{ safe_divide }}(now.close, now.open) - 1 as open_to_close,
        {{ safe_divide }}(now.high, now.low) - 1 as high_low_range,
        {{ safe_divide }}(now.close - now.low, now.high - now.low) as close_location,
        {{ safe_divide }}(now.high - greatest(now.open, now.close), now.high - now.low) as upper_shadow,
        {{ safe_divide }}(least(now.open, now.close) - now.low, now.high - now.low) as lower_shadow,
        {{ safe_divide }}(now.close - now.open, now.high - now.low) as balance_of_power,
        bars.typical_at[bars.bar] as typical_price
    from (
        select
            bars.open_at[bars.bar] as open,
            bars.high_at[bars.bar] as high,
            bars.low_at[bars.bar] as low,
            bars.last_close as close,
            bars.close_at[bars.bar - 1] as close_1,
            {{ safe_divide }}(bars.last_close, bars.close_at[bars.bar - 1]) - 1 as returns
    ) as now
) as returns_family
