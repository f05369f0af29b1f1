{{ config(materialized='ephemeral') }}
{#
    Grain: one row per recomputed bar. Moments and extremes of the close over 6, 12, 20 and 24 bars, added to the family
    before.
    Moments are taken from differences to the current close (back_1 is the close one bar ago minus the
    current one): sums of squares at price level lose the digits that a variance is made of.
    offset 0 is a fence, not a choice of rows: what a level computes is used more than once above it, and
    the planner would otherwise write it out anew for each use.
#}
{%- set safe_divide = function('safe_divide') %}
{%- set close = 'bars.last_close' %}
select
    bars.*, -- noqa: AM04
    {% for window in [6, 12, 24] -%}
        {{ close }} + moments.mean_{{ window }} as rolling_mean_{{ window }},
        moments.std_{{ window }} as rolling_std_{{ window }},
        moments.min_{{ window }} as rolling_min_{{ window }},
        moments.max_{{ window }} as rolling_max_{{ window }},
        {{ safe_divide }}(
            {{ window }} * sqrt({{ window - 1 }}::double precision) / {{ window - 2 }} * moments.m3_{{ window }},
            moments.m2_{{ window }} * sqrt(moments.m2_{{ window }})
        ) as rolling_skew_{{ window }},
        {{ safe_divide }}(-moments.mean_{{ window }}, moments.std_{{ window }}) as zscore_{{ window }},
        {{ safe_divide }}(
            {{ close }} - moments.min_{{ window }}, moments.max_{{ window }} - moments.min_{{ window }}
        ) as range_position_{{ window }},
    {% endfor -%}
    moments.std_20 as stddev_20,
    {{ close }} + moments.mean_20 as bb_middle,
    {{ close }} + moments.mean_20 + 2 * moments.std_20 as bb_upper,
    {{ close }} + moments.mean_20 - 2 * moments.std_20 as bb_lower,
    {{ safe_divide }}(4 * moments.std_20, {{ close }} + moments.mean_20) as bb_width,
    {{ safe_divide }}(2 * moments.std_20 - moments.mean_20, 4 * moments.std_20) as bb_pct
from {{ ref('int_features_volume') }} as bars
cross join lateral (
    select
        {% for window in [6, 12, 20, 24] -%}
            centred.s1_{{ window }} / {{ window }} as mean_{{ window }},
            centred.m2_{{ window }},
        {% endfor -%}
        {% for window in [6, 12, 24] -%}
            {% set s1 = 'centred.s1_' ~ window -%}
            sqrt(centred.m2_{{ window }} / {{ window - 1 }}) as std_{{ window }},
            centred.s3_{{ window }} - 3 * {{ s1 }} / {{ window }} * centred.s2_{{ window }}
            + 2 * {{ s1 }} * {{ s1 }} / {{ window }} * {{ s1 }} / {{ window }} as m3_{{ window }},
            case
                when bars.bar_number >= {{ window }}
                    then {{ trailing_extreme('least', 'bars.min_6_at', window // 6, spacing=6) }}
            end as min_{{ window }},
            case
                when bars.bar_number >= {{ window }}
                    then {{ trailing_extreme('greatest', 'bars.max_6_at', window // 6, spacing=6) }}
            end as max_{{ window }},
        {% endfor -%}
        -- Bollinger bands are of the population, as in TA-Lib.
        sqrt(centred.m2_20 / 20) as std_20
    from (
        select
            sums.*,
            {% for window in [6, 12, 20] -%}
                {% set s1 = 'sums.s1_' ~ window -%}
                {{ not_negative('sums.s2_' ~ window ~ ' - ' ~ s1 ~ ' * ' ~ s1 ~ ' / ' ~ window) }} as m2_{{ window }},
            {% endfor -%}
            {{ not_negative('sums.s2_24 - sums.s1_24 * sums.s1_24 / 24') }} as m2_24
        from (
            select
                {% for power in [1, 2, 3] -%}
                    {% set s = 'parts.s' ~ power -%}
                    {{ s }}_1_6 as s{{ power }}_6,
                    {{ s }}_1_6 + {{ s }}_6_12 as s{{ power }}_12,
                    {{ s }}_1_6 + {{ s }}_6_12 + {{ s }}_12_20 as s{{ power }}_20,
                    {{ s }}_1_6 + {{ s }}_6_12 + {{ s }}_12_20 + {{ s }}_20_24
                        as s{{ power }}_24,
                {% endfor -%}
                parts.back_1
            from (
                select
                    {% for power in [1, 2, 3] -%}
                        {{ power_sum('differences.back', power, 1, 6) }} as s{{ power }}_1_6,
                        {{ power_sum('differences.back', power, 6, 12) }} as s{{ power }}_6_12,
                        {{ power_sum('differences.back', power, 12, 20) }} as s{{ power }}_12_20,
                        {{ power_sum('differences.back', power, 20, 24) }} as s{{ power }}_20_24,
                    {% endfor -%}
                    differences.back_1
                from (
                    select
                        {% for back in range(2, 24) -%}
                            bars.close_at[bars.bar - {{ back }}] - {{ close }} as back_{{ back }},
                        {% endfor -%}
                        bars.close_at[bars.bar - 1] - {{ close }} as back_1
                    from (values (true)) as fence (is_up)
                    offset 0 -- noqa: AM09
                ) as differences
                offset 0 -- noqa: AM09
            ) as parts
        ) as sums
        offset 0 -- noqa: AM09
    ) as centred
    offset 0 -- noqa: AM09
) as moments
