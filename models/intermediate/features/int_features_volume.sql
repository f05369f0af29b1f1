{{ config(materialized='ephemeral') }}
{#
    Grain: one row per recomputed bar. Volume, its ratios and prices weighted by it, added to the family before. NULL
    without volume.
#}
{%- set safe_divide = function('safe_divide') %}
select
    bars.*, -- noqa: AM04
    {{ safe_divide }}(sums.money_20, sums.volume_20) as vwap_20,
    {{ safe_divide }}(bars.last_close, {{ safe_divide }}(sums.money_20, sums.volume_20)) - 1
        as price_to_vwap_20,
    sums.volume_5 / 5 as volume_sma_5,
    sums.volume_10 / 10 as volume_sma_10,
    sums.volume_20 / 20 as volume_sma_20,
    {{ safe_divide }}(sums.volume, sums.volume_5 / 5) as volume_ratio_5,
    {{ safe_divide }}(sums.volume, sums.volume_10 / 10) as volume_ratio_10,
    {{ safe_divide }}(sums.volume, sums.volume_20 / 20) as volume_ratio_20,
    {{ safe_divide }}(
        sums.volume - sums.volume_20 / 20,
        sqrt({{ sample_variance('sums.squared_difference', 'sums.difference', 20) }})
    ) as volume_zscore_20,
    {{ safe_divide }}(sums.volume, {{ known('bars.volume_at[bars.bar - 1]') }}) - 1 as volume_change,
    {{ known('bars.dollar_volume_at[bars.bar]') }} as dollar_volume,
    sums.dollar_volume_20 / 20 as dollar_volume_sma_20,
    {{ safe_divide }}(sums.flow_20, sums.volume_20) as chaikin_money_flow_20,
    case
        when sums.inflow_14 + sums.outflow_14 < 1 then 0
        else 100 * sums.inflow_14 / (sums.inflow_14 + sums.outflow_14)
    end as mfi_14,
    (bars.last_close - bars.close_at[bars.bar - 1]) * sums.volume as force_index,
    sums.illiquidity_20 / 20 as amihud_illiquidity_20
from {{ ref('int_features_volatility') }} as bars
cross join lateral (
    select
        {{ known('bars.volume_at[bars.bar]') }} as volume,
        {% for fives in [1, 2] -%}
            {{ known(trailing_sum('bars.volume_5_at', fives, spacing=5)) }} as volume_{{ 5 * fives }},
        {% endfor -%}
        {% for term in ['volume', 'money', 'flow', 'illiquidity', 'dollar_volume'] -%}
            {{ known(trailing_sum('bars.' ~ term ~ '_5_at', 4, spacing=5)) }} as {{ term }}_20,
        {% endfor -%}
        {% for term in ['inflow', 'outflow'] -%}
            {{ known(trailing_sum('bars.' ~ term ~ '_7_at', 2, spacing=7)) }} as {{ term }}_14,
        {% endfor -%}
        {{ known(power_sum('differences.back', 1, 1, 20)) }} as difference,
        {{ known(power_sum('differences.back', 2, 1, 20)) }} as squared_difference
    -- Differences to the current volume: a constant volume has a variance of exactly 0.
    from (
        select
            {% for back in range(1, 19) -%}
                bars.volume_at[bars.bar - {{ back }}] - now.volume as back_{{ back }},
            {% endfor -%}
            bars.volume_at[bars.bar - 19] - now.volume as back_19
        from (
            select bars.volume_at[bars.bar] as volume
            from (values (true)) as fence (is_up)
            offset 0 -- noqa: AM09
        ) as now
        offset 0 -- noqa: AM09
    ) as differences
    -- What is used more than once above is computed once behind each fence.
    offset 0 -- noqa: AM09
) as sums
