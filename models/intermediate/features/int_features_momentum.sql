{{ config(materialized='ephemeral') }}
{# Grain: one row per recomputed bar. Oscillators: how far and how fast the price moved lately. #}
{%- set safe_divide = function('safe_divide') %}
{%- set close = 'bars.last_close' %}
{%- set high_14 = 'bars.high_14_at[bars.bar]' %}
{%- set low_14 = 'bars.low_14_at[bars.bar]' %}
{%- set fast_k = 'bars.fast_k_at' %}
select
    bars.*, -- noqa: AM04
    case
        when bars.bar_number < 20 then null
        -- The mean of equal prices is off by its rounding: a deviation as small as that is none.
        when channel.deviation > 1e-14 * abs(channel.mean)
            then (bars.typical_at[bars.bar] - channel.mean) / (0.015 * channel.deviation)
        when channel.deviation is not null then 0
    end as cci_20,
    -- TA-Lib holds the slow %K back until the slow %D is valid too.
    case when bars.bar_number >= 18 then ({{ trailing_sum(fast_k, 3) }}) / 3 end as stoch_k,
    -- The mean of three slow %K, each the mean of three fast ones.
    case
        when bars.bar_number >= 18
            then
                (
                    {{ fast_k }}[bars.bar]
                    + 2 * {{ fast_k }}[bars.bar - 1]
                    + 3 * {{ fast_k }}[bars.bar - 2]
                    + 2 * {{ fast_k }}[bars.bar - 3]
                    + {{ fast_k }}[bars.bar - 4]
                ) / 9
    end as stoch_d,
    case when bars.bar_number >= 14 then {{ fast_k }}[bars.bar] end as stoch_fast_k,
    case
        when bars.bar_number >= 14
            then coalesce({{ safe_divide }}(-100 * ({{ high_14 }} - {{ close }}), {{ high_14 }} - {{ low_14 }}), 0)
    end as willr_14,
    {% for back in [5, 10, 20] -%}
        100 * ({{ safe_divide }}({{ close }}, bars.close_at[bars.bar - {{ back }}]) - 1) as roc_{{ back }},
    {% endfor -%}
    {{ close }} - bars.close_at[bars.bar - 10] as mom_10,
    {{ close }} - bars.close_at[bars.bar - 20] as mom_20,
    case
        when bars.bar_number > 28
            then
                (
                    {% for weight, weeks in [(4, 1), (2, 2), (1, 4)] -%}
                        {{ '+ ' if not loop.first }}{{ weight }} * coalesce(
                            {{ safe_divide }}(
                                {{ trailing_sum('bars.buying_pressure_7_at', weeks, spacing=7) }},
                                {{ trailing_sum('bars.true_range_7_at', weeks, spacing=7) }}
                            ),
                            0
                        )
                    {% endfor -%}
                ) * 100 / 7
    end as ultosc,
    case
        when bars.bar_number >= 14 then {{ safe_divide }}({{ high_14 }} - {{ close }}, {{ close }})
    end as distance_to_high_14,
    case
        when bars.bar_number >= 14 then {{ safe_divide }}({{ close }} - {{ low_14 }}, {{ close }})
    end as distance_to_low_14
from {{ ref('int_features_trend') }} as bars
cross join lateral (
    select
        mean_of_bar.mean,
        (
            {% for back in range(20) -%}
                {{ '+ ' if not loop.first }}abs(bars.typical_at[bars.bar - {{ back }}] - mean_of_bar.mean)
            {% endfor -%}
        ) / 20 as deviation
    from (
        select ({{ trailing_sum('bars.typical_at', 20) }}) / 20 as mean
        from (values (true)) as fence (is_up)
        offset 0 -- noqa: AM09
    ) as mean_of_bar
    -- The deviation is used twice above; the fences keep both computed once.
    offset 0 -- noqa: AM09
) as channel
