{#
    Grain: one row per recomputed bar. True range and estimators of volatility.
    Windows of 6, 12 and 24 bars are sums of 3, doubled: s6 = s3 + s3 three bars back, and so on.
    What is lagged comes first in each level: a lag reads the columns before its own too.
#}
{%- set summed = [
    'log_return', 'squared_return', 'downside', 'bipower', 'squared_range', 'rogers_satchell',
    'overnight', 'squared_overnight', 'intraday', 'squared_intraday',
] -%}
{%- set carried = ['is_recomputed', 'true_range'] -%}
with

bars_this_run as (

    select
        bar_row,
        series_no,
        is_recomputed,
        open,
        high,
        low,
        close
    from {{ ref('int_bars_this_run') }}
    where bars_to_recomputed <= {{ lookback_bars('feature_catalog', 'volatility') }}

),

logs as (

    select
        bar_row,
        series_no,
        is_recomputed,
        case
            when lag(close) over by_bar is not null
                then greatest(high - low, abs(high - lag(close) over by_bar), abs(low - lag(close) over by_bar))
        end as true_range,
        {{ function('log_ratio') }}(close, lag(close) over by_bar) as log_return,
        {{ function('log_ratio') }}(lag(close) over by_bar, lag(close, 2) over by_bar) as log_return_before,
        {{ function('log_ratio') }}(open, lag(close) over by_bar) as overnight,
        {{ function('log_ratio') }}(close, open) as intraday,
        {{ function('log_ratio') }}(high, low) as high_low,
        {{ function('log_ratio') }}(high, open) as high_open,
        {{ function('log_ratio') }}(low, open) as low_open
    from bars_this_run
    window by_bar as (partition by series_no order by bar_row)

),

terms as (

    select
        bar_row,
        series_no,
        is_recomputed,
        true_range,
        log_return,
        overnight,
        intraday,
        log_return * log_return as squared_return,
        least(log_return, 0) * log_return as downside,
        abs(log_return * log_return_before) as bipower,
        high_low * high_low as squared_range,
        high_open * (high_open - intraday) + low_open * (low_open - intraday) as rogers_satchell,
        overnight * overnight as squared_overnight,
        intraday * intraday as squared_intraday
    from logs
    -- Each logarithm is used more than once above; the fence keeps it computed once.
    offset 0 -- noqa: AM09

),

threes as (

    select
        bar_row,
        series_no,
        {% for term in summed -%}
            {{ trailing_sum(term, 3) }} as {{ term }}_3,
        {% endfor -%}
        {{ carried | join(', ') }}
    from terms
    window by_bar as (partition by series_no order by bar_row)

),

sixes as (

    select
        bar_row,
        series_no,
        {% for term in summed -%}
            {{ trailing_spaced_sum(term ~ '_3', [0, 3]) }} as {{ term }}_6,
        {% endfor -%}
        {{ carried | join(', ') }}
    from threes
    window by_bar as (partition by series_no order by bar_row)

),

sums as (

    select
        bar_row,
        {% for term in summed -%}
            {{ trailing_spaced_sum(term ~ '_6', [0, 6, 12, 18]) }} as {{ term }}_24,
        {% endfor -%}
        {% for term in ['log_return', 'squared_return'] -%}
            {{ term }}_6,
            {{ trailing_spaced_sum(term ~ '_6', [0, 6]) }} as {{ term }}_12,
        {% endfor -%}
        {{ carried | join(', ') }}
    from sixes
    window by_bar as (partition by series_no order by bar_row)

),

variances as (

    select
        *,
        {% for bars in [6, 12, 24] -%}
            sqrt(
                {{ sample_variance('squared_return_' ~ bars, 'log_return_' ~ bars, bars) }}
            ) as realized_vol_{{ bars }},
        {% endfor -%}
        {{ sample_variance('squared_overnight_24', 'overnight_24', 24) }} as overnight_variance,
        {{ sample_variance('squared_intraday_24', 'intraday_24', 24) }} as intraday_variance
    from sums
    where is_recomputed
    -- Each standard deviation is used more than once below; the fence keeps it computed once.
    offset 0 -- noqa: AM09

)

select
    bar_row,
    true_range,
    realized_vol_6,
    realized_vol_12,
    realized_vol_24,
    {{ function('safe_divide') }}(realized_vol_6, realized_vol_24) as realized_vol_ratio_6_24,
    sqrt(downside_24 / 24) as downside_vol_24,
    sqrt(bipower_24 * pi() / 2 / 24) as bipower_vol_24,
    -- Never negative: what a bar moved is at most its range.
    sqrt((0.5 * squared_range_24 - (2 * ln(2::double precision) - 1) * squared_intraday_24) / 24) as garman_klass_24,
    sqrt(squared_range_24 / 24 / (4 * ln(2::double precision))) as parkinson_24,
    sqrt({{ not_negative('rogers_satchell_24') }} / 24) as rogers_satchell_24,
    sqrt(
        overnight_variance
        + {{ yang_zhang_weight(24) }} * intraday_variance
        + (1 - {{ yang_zhang_weight(24) }}) * {{ not_negative('rogers_satchell_24') }} / 24
    ) as yang_zhang_24

from variances
