{#
    Grain: one row per recomputed bar. Moments and extremes of the close over 6, 12, 20 and 24 bars.
    Moments are taken from differences to the current close (back_1 is the close one bar ago minus the
    current one): sums of squares at price level lose the digits that a variance is made of.
    offset 0 is a fence, not a choice of rows: what a level computes is used more than once above it, and
    the planner would otherwise write it out anew for each use.
#}
with

bars_this_run as (

    select
        bar_row,
        series_no,
        bar_number,
        is_recomputed,
        close,
        volume
    from {{ ref('int_bars_this_run') }}
    where bars_to_recomputed <= {{ lookback_bars('feature_catalog', 'statistical') }}

),

differences as (

    select
        bar_row,
        series_no,
        bar_number,
        close,
        {% for back in range(1, 24) -%}
            lag(close, {{ back }}) over by_bar - close as back_{{ back }},
        {% endfor -%}
        {% for function in ['greatest', 'least'] -%}
            {{ trailing_extreme(function, 'close', range(6)) }} as {{ function }}_0_6,
            {{ trailing_extreme(function, 'close', range(6, 12)) }} as {{ function }}_6_12,
            {{ trailing_extreme(function, 'close', range(12, 24)) }} as {{ function }}_12_24,
        {% endfor -%}
        is_recomputed
    from bars_this_run
    window by_bar as (partition by series_no order by bar_row)
    offset 0 -- noqa: AM09

),

power_sums as (

    select
        bar_row,
        bar_number,
        is_recomputed,
        close,
        {% for power in [1, 2, 3] -%}
            {{ power_sum('back', power, 1, 6) }} as s{{ power }}_1_6,
            {{ power_sum('back', power, 6, 12) }} as s{{ power }}_6_12,
            {{ power_sum('back', power, 12, 20) }} as s{{ power }}_12_20,
            {{ power_sum('back', power, 20, 24) }} as s{{ power }}_20_24,
        {% endfor -%}
        greatest_0_6,
        greatest_6_12,
        greatest_12_24,
        least_0_6,
        least_6_12,
        least_12_24
    from differences
    offset 0 -- noqa: AM09

),

windows as (

    select
        bar_row,
        bar_number,
        is_recomputed,
        close,
        {% for power in [1, 2, 3] -%}
            s{{ power }}_1_6 as s{{ power }}_6,
            s{{ power }}_1_6 + s{{ power }}_6_12 as s{{ power }}_12,
            s{{ power }}_1_6 + s{{ power }}_6_12 + s{{ power }}_12_20 as s{{ power }}_20,
            s{{ power }}_1_6 + s{{ power }}_6_12 + s{{ power }}_12_20 + s{{ power }}_20_24 as s{{ power }}_24,
        {% endfor -%}
        greatest_0_6 as max_6,
        greatest(greatest_0_6, greatest_6_12) as max_12,
        greatest(greatest_0_6, greatest_6_12, greatest_12_24) as max_24,
        least_0_6 as min_6,
        least(least_0_6, least_6_12) as min_12,
        least(least_0_6, least_6_12, least_12_24) as min_24
    from power_sums
    where is_recomputed
    offset 0 -- noqa: AM09

),

moments as (

    select
        bar_row,
        bar_number,
        close,
        {% for bars in [6, 12, 20, 24] -%}
            s1_{{ bars }} / {{ bars }} as mean_{{ bars }},
            {{ not_negative('s2_' ~ bars ~ ' - s1_' ~ bars ~ ' * s1_' ~ bars ~ ' / ' ~ bars) }} as m2_{{ bars }},
            {% if bars != 20 -%}
                s3_{{ bars }} - 3 * s1_{{ bars }} / {{ bars }} * s2_{{ bars }}
                + 2 * s1_{{ bars }} * s1_{{ bars }} / {{ bars }} * s1_{{ bars }} / {{ bars }} as m3_{{ bars }},
                min_{{ bars }},
                max_{{ bars }},
            {% endif -%}
        {% endfor -%}
        is_recomputed
    from windows
    offset 0 -- noqa: AM09

)

select
    bar_row,
    {% for bars in [6, 12, 24] -%}
        close + mean_{{ bars }} as rolling_mean_{{ bars }},
        sqrt(m2_{{ bars }} / {{ bars - 1 }}) as rolling_std_{{ bars }},
        case when bar_number >= {{ bars }} then min_{{ bars }} end as rolling_min_{{ bars }},
        case when bar_number >= {{ bars }} then max_{{ bars }} end as rolling_max_{{ bars }},
        {{ function('safe_divide') }}(
            {{ bars }} * sqrt({{ bars - 1 }}::double precision) / {{ bars - 2 }} * m3_{{ bars }},
            m2_{{ bars }} * sqrt(m2_{{ bars }})
        ) as rolling_skew_{{ bars }},
        {{ function('safe_divide') }}(-mean_{{ bars }}, sqrt(m2_{{ bars }} / {{ bars - 1 }})) as zscore_{{ bars }},
        case
            when bar_number >= {{ bars }}
                then {{ function('safe_divide') }}(close - min_{{ bars }}, max_{{ bars }} - min_{{ bars }})
        end as range_position_{{ bars }},
    {% endfor -%}
    sqrt(m2_20 / 20) as stddev_20,
    close + mean_20 as bb_middle,
    close + mean_20 + 2 * sqrt(m2_20 / 20) as bb_upper,
    close + mean_20 - 2 * sqrt(m2_20 / 20) as bb_lower,
    {{ function('safe_divide') }}(4 * sqrt(m2_20 / 20), close + mean_20) as bb_width,
    {{ function('safe_divide') }}(2 * sqrt(m2_20 / 20) - mean_20, 4 * sqrt(m2_20 / 20)) as bb_pct

from moments
