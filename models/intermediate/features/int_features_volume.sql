{# Grain: one row per recomputed bar. Volume, its ratios and prices weighted by it. NULL without volume. #}
{%- set summed = ['volume', 'money', 'flow', 'inflow', 'outflow', 'illiquidity', 'dollar_volume'] -%}
{%- set carried = [
    'is_recomputed', 'close', 'volume', 'close_1', 'volume_1', 'dollar_volume',
    'volume_difference', 'volume_squared_difference',
] -%}
with

bars_this_run as (

    select
        bar_row,
        series_no,
        is_recomputed,
        high,
        low,
        close,
        volume,
        (high + low + close) / 3 as typical
    from {{ ref('int_bars_this_run') }}
    where bars_to_recomputed <= {{ lookback_bars('feature_catalog', 'volume') }}

),

terms as (

    -- Neither split nor fenced: a fence loses the order of the bars, and 1.9M rows would be sorted again.
    select
        *,
        lag(close) over by_bar as close_1,
        lag(volume) over by_bar as volume_1,
        typical * volume as money,
        close * volume as dollar_volume,
        case when high > low then ((close - low) - (high - close)) / (high - low) else 0 end * volume as flow,
        {% set previous = 'lag(typical) over by_bar' -%}
        -- TA-Lib calls typical prices equal that differ by rounding only.
        case
            when {{ previous }} is null then null
            when typical - {{ previous }} > 1e-14 * (abs(typical) + abs({{ previous }})) then typical * volume
            else 0 * volume
        end as inflow,
        case
            when {{ previous }} is null then null
            when {{ previous }} - typical > 1e-14 * (abs(typical) + abs({{ previous }})) then typical * volume
            else 0 * volume
        end as outflow,
        {{ function('safe_divide') }}(
            abs(close / nullif(lag(close) over by_bar, 0) - 1), close * volume
        ) as illiquidity,
        -- Differences to the current volume: a constant volume has a variance of exactly 0.
        (
            (lag(volume) over by_bar - volume)
            {% for back in range(2, 20) -%}
                + (lag(volume, {{ back }}) over by_bar - volume)
            {% endfor -%}
        ) as volume_difference,
        (
            (lag(volume) over by_bar - volume) * (lag(volume) over by_bar - volume)
            {% for back in range(2, 20) -%}
                + (lag(volume, {{ back }}) over by_bar - volume) * (lag(volume, {{ back }}) over by_bar - volume)
            {% endfor -%}
        ) as volume_squared_difference
    from bars_this_run
    window by_bar as (partition by series_no order by bar_row)

),

short_sums as (

    select
        bar_row,
        series_no,
        {% for term in summed -%}
            {{ trailing_sum(term, 5) }} as {{ term }}_5,
        {% endfor -%}
        {{ trailing_sum('inflow', 4) }} as inflow_4,
        {{ trailing_sum('outflow', 4) }} as outflow_4,
        {{ carried | join(', ') }}
    from terms
    window by_bar as (partition by series_no order by bar_row)

),

sums as (

    select
        bar_row,
        volume_5,
        {{ trailing_spaced_sum('volume_5', [0, 5]) }} as volume_10,
        {% for term in ['volume', 'money', 'flow', 'illiquidity', 'dollar_volume'] -%}
            {{ trailing_spaced_sum(term ~ '_5', [0, 5, 10, 15]) }} as {{ term }}_20,
        {% endfor -%}
        {% for term in ['inflow', 'outflow'] -%}
            {{ trailing_spaced_sum(term ~ '_5', [0, 5]) }}
            + lag({{ term }}_4, 10) over by_bar as {{ term }}_14,
        {% endfor -%}
        {{ carried | join(', ') }}
    from short_sums
    window by_bar as (partition by series_no order by bar_row)

)

select
    bar_row,
    {{ function('safe_divide') }}(money_20, volume_20) as vwap_20,
    {{ function('safe_divide') }}(close, {{ function('safe_divide') }}(money_20, volume_20)) - 1 as price_to_vwap_20,
    volume_5 / 5 as volume_sma_5,
    volume_10 / 10 as volume_sma_10,
    volume_20 / 20 as volume_sma_20,
    {{ function('safe_divide') }}(volume, volume_5 / 5) as volume_ratio_5,
    {{ function('safe_divide') }}(volume, volume_10 / 10) as volume_ratio_10,
    {{ function('safe_divide') }}(volume, volume_20 / 20) as volume_ratio_20,
    {{ function('safe_divide') }}(
        volume - volume_20 / 20, sqrt({{ sample_variance('volume_squared_difference', 'volume_difference', 20) }})
    ) as volume_zscore_20,
    {{ function('safe_divide') }}(volume, volume_1) - 1 as volume_change,
    dollar_volume,
    dollar_volume_20 / 20 as dollar_volume_sma_20,
    {{ function('safe_divide') }}(flow_20, volume_20) as chaikin_money_flow_20,
    case
        when inflow_14 + outflow_14 < 1 then 0
        else 100 * inflow_14 / (inflow_14 + outflow_14)
    end as mfi_14,
    (close - close_1) * volume as force_index,
    illiquidity_20 / 20 as amihud_illiquidity_20

from sums
where is_recomputed
