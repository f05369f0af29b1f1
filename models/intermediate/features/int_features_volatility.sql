{#
    Grain: one row per recomputed bar. True range, directional movement and estimators of volatility.
    Windows of 6, 12 and 24 bars are sums of 3, doubled: s6 = s3 + s3 three bars back, and so on.
#}
{%- set summed = [
    'log_return', 'squared_return', 'downside', 'bipower', 'parkinson', 'garman_klass', 'rogers_satchell',
    'overnight', 'squared_overnight', 'intraday', 'squared_intraday',
] -%}
{%- set carried = [
    'bar_row', 'series_no', 'bar_number', 'is_recomputed', 'is_after_checkpoint', 'high', 'low', 'close', 'close_1',
] -%}
with

bars_this_run as (

    select
        bar_row,
        series_no,
        bar_number,
        is_recomputed,
        is_after_checkpoint,
        open,
        high,
        low,
        close
    from {{ ref('int_bars_this_run') }}

),

seeds as (

    select
        series_no,
        directional_state
    from {{ ref('int_run_window') }}

),

logs as (

    select
        *,
        lag(close) over by_bar as close_1,
        {{ function('log_ratio') }}(close, lag(close) over by_bar) as log_return,
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
        {{ carried | join(', ') }},
        log_return,
        log_return * log_return as squared_return,
        least(log_return, 0) * log_return as downside,
        abs(log_return) * lag(abs(log_return)) over by_bar as bipower,
        high_low * high_low as parkinson,
        0.5 * high_low * high_low - (2 * ln(2::double precision) - 1) * intraday * intraday as garman_klass,
        high_open * (high_open - intraday) + low_open * (low_open - intraday) as rogers_satchell,
        overnight,
        overnight * overnight as squared_overnight,
        intraday,
        intraday * intraday as squared_intraday
    from logs
    window by_bar as (partition by series_no order by bar_row)

),

threes as (

    select
        {% for term in summed -%}
            {{ trailing_sum(term, 3) }} as {{ term }}_3,
        {% endfor -%}
        {{ carried | join(', ') }}
    from terms
    window by_bar as (partition by series_no order by bar_row)

),

sixes as (

    select
        {% for term in summed -%}
            {{ term }}_3 + lag({{ term }}_3, 3) over by_bar as {{ term }}_6,
        {% endfor -%}
        {{ carried | join(', ') }}
    from threes
    window by_bar as (partition by series_no order by bar_row)

),

-- The recursive state comes last: carried through the levels above, its array cost 0.5 us a row in each.
sums as (

    select
        {% for column in carried -%}
            sixes.{{ column }},
        {% endfor -%}
        sixes.log_return_6,
        sixes.squared_return_6,
        sixes.log_return_6 + lag(sixes.log_return_6, 6) over by_bar as log_return_12,
        sixes.squared_return_6 + lag(sixes.squared_return_6, 6) over by_bar as squared_return_12,
        {% for term in summed -%}
            {{ trailing_spaced_sum('sixes.' ~ term ~ '_6', [0, 6, 12, 18]) }} as {{ term }}_24,
        {% endfor -%}
        indicators.directional(
            seeds.directional_state, sixes.high, sixes.low, sixes.close
        ) filter (where sixes.is_after_checkpoint) over by_bar as directional_state
    from sixes
    inner join seeds on sixes.series_no = seeds.series_no
    window by_bar as (partition by sixes.series_no order by sixes.bar_row)

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
    case when close_1 is not null then greatest(high - low, abs(high - close_1), abs(low - close_1)) end as true_range,
    case when bar_number > 14 then directional_state[5] end as atr_14,
    case when bar_number > 14 then directional_state[5] end as atr,
    case
        when bar_number > 14 then 100 * {{ function('safe_divide') }}(directional_state[5], close)
    end as natr_14,
    case
        when bar_number > 14
            then coalesce(100 * {{ function('safe_divide') }}(directional_state[6], directional_state[8]), 0)
    end as plus_di_14,
    case
        when bar_number > 14
            then coalesce(100 * {{ function('safe_divide') }}(directional_state[7], directional_state[8]), 0)
    end as minus_di_14,
    case when bar_number >= 28 then directional_state[9] end as adx_14,
    realized_vol_6,
    realized_vol_12,
    realized_vol_24,
    {{ function('safe_divide') }}(realized_vol_6, realized_vol_24) as realized_vol_ratio_6_24,
    sqrt(downside_24 / 24) as downside_vol_24,
    sqrt(bipower_24 * pi() / 2 / 24) as bipower_vol_24,
    sqrt({{ not_negative('garman_klass_24') }} / 24) as garman_klass_24,
    sqrt(parkinson_24 / 24 / (4 * ln(2::double precision))) as parkinson_24,
    sqrt({{ not_negative('rogers_satchell_24') }} / 24) as rogers_satchell_24,
    sqrt(
        overnight_variance
        + {{ yang_zhang_weight(24) }} * intraday_variance
        + (1 - {{ yang_zhang_weight(24) }}) * {{ not_negative('rogers_satchell_24') }} / 24
    ) as yang_zhang_24,
    case when bar_number % {{ checkpoint_bars() }} = 0 then directional_state end as directional_state

from variances
