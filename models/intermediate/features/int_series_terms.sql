{{ config(materialized='ephemeral') }}
{#
    Grain: one row per series that this run recomputes. Arrays of what the windows of several features are made of: terms
    of single bars, and sums of them over 5, 6, 7 or 10 bars, of which longer windows are added up. Always the same
    additions in the same order, wherever a run begins: an incremental build equals a full one bit for bit, which
    running sums do not.
    NaN where a term is not known (int_series_this_run says why), and before first_term, where no window begins.
#}
{%- set of_bars = [
    'typical', 'true_range', 'buying_pressure', 'fast_k', 'high_14', 'low_14', 'log_return', 'squared_return', 'downside',
    'bipower', 'squared_range', 'rogers_satchell', 'overnight', 'squared_overnight', 'intraday', 'squared_intraday',
    'money', 'flow', 'inflow', 'outflow', 'illiquidity', 'dollar_volume', 'max_6', 'min_6',
] -%}
{%- set sixes = [
    'log_return', 'squared_return', 'downside', 'bipower', 'squared_range', 'rogers_satchell',
    'overnight', 'squared_overnight', 'intraday', 'squared_intraday',
] -%}
{%- set sums = [
    (5, ['volume', 'money', 'flow', 'illiquidity', 'dollar_volume']), (6, sixes),
    (7, ['inflow', 'outflow', 'buying_pressure', 'true_range']),
] -%}
{%- set not_before = "array_fill('NaN'::double precision, array[%s.first_term - 1])" -%}
{%- set log_ratio = function('log_ratio') -%}
with

series as (

    select * from {{ ref('int_series_this_run') }}

),

with_terms as (

    select
        series.*,
        tens.*,
        terms.*
    from series
    cross join lateral (
        select
            array_agg(coalesce({{ trailing_sum('series.close_at', 10) }}, 'NaN')) as close_10_at,
            array_agg(coalesce({{ trailing_sum('series.close_at', 10, weighted=true) }}, 'NaN')) as weighted_close_10_at
        from generate_series(1, series.bars) as bars (bar)
    ) as tens
    cross join lateral (
        select
            {% for term in of_bars -%}
                {{ not_before % 'series' }} || array_agg(coalesce(near_bars.{{ term }}, 'NaN')) as {{ term }}_at{{ ',' if not loop.last }}
            {% endfor %}
        from (
            select
                near.typical,
                near.log_return,
                near.overnight,
                near.intraday,
                near.dollar_volume,
                near.high_14,
                near.low_14,
                near.money,
                near.true_range,
                near.close_location * near.volume as flow,
                case when bars.bar > 1 then series.close_at[bars.bar] - least(series.low_at[bars.bar], near.close_1) end
                    as buying_pressure,
                case
                    when near.high_14 = near.low_14 then 0
                    else 100 * (series.close_at[bars.bar] - near.low_14) / (near.high_14 - near.low_14)
                end as fast_k,
                near.log_return * near.log_return as squared_return,
                least(near.log_return, 0) * near.log_return as downside,
                abs(near.log_return * {{ log_ratio }}(near.close_1, near.close_2)) as bipower,
                near.high_low * near.high_low as squared_range,
                near.high_open * (near.high_open - near.intraday) + near.low_open * (near.low_open - near.intraday)
                    as rogers_satchell,
                near.overnight * near.overnight as squared_overnight,
                near.intraday * near.intraday as squared_intraday,
                -- TA-Lib calls typical prices equal that differ by rounding only.
                case
                    when near.typical - near.typical_1 > 1e-14 * (abs(near.typical) + abs(near.typical_1))
                        then near.money
                    when near.typical_1 is not null then 0 * near.volume
                end as inflow,
                case
                    when near.typical_1 - near.typical > 1e-14 * (abs(near.typical) + abs(near.typical_1))
                        then near.money
                    when near.typical_1 is not null then 0 * near.volume
                end as outflow,
                {{ function('safe_divide') }}(
                    abs(series.close_at[bars.bar] / nullif(near.close_1, 0) - 1), near.dollar_volume
                ) as illiquidity,
                near.max_6,
                near.min_6
            from generate_series(series.first_term, series.bars) as bars (bar)
            cross join lateral (
                select
                    series.close_at[bars.bar - 1] as close_1,
                    series.close_at[bars.bar - 2] as close_2,
                    series.volume_at[bars.bar] as volume,
                    (series.high_at[bars.bar] + series.low_at[bars.bar] + series.close_at[bars.bar]) / 3 as typical,
                    (series.high_at[bars.bar - 1] + series.low_at[bars.bar - 1] + series.close_at[bars.bar - 1]) / 3 as typical_1,
                    (series.high_at[bars.bar] + series.low_at[bars.bar] + series.close_at[bars.bar]) / 3 * series.volume_at[bars.bar] as money,
                    series.close_at[bars.bar] * series.volume_at[bars.bar] as dollar_volume,
                    case
                        when series.high_at[bars.bar] > series.low_at[bars.bar]
                            then
                                ((series.close_at[bars.bar] - series.low_at[bars.bar]) - (series.high_at[bars.bar] - series.close_at[bars.bar]))
                                / (series.high_at[bars.bar] - series.low_at[bars.bar])
                        else 0
                    end as close_location,
                    case
                        when bars.bar > 1
                            then
                                greatest(series.high_at[bars.bar], series.close_at[bars.bar - 1])
                                - least(series.low_at[bars.bar], series.close_at[bars.bar - 1])
                    end as true_range,
                    {{ log_ratio }}(series.close_at[bars.bar], series.close_at[bars.bar - 1]) as log_return,
                    {{ log_ratio }}(series.open_at[bars.bar], series.close_at[bars.bar - 1]) as overnight,
                    {{ log_ratio }}(series.close_at[bars.bar], series.open_at[bars.bar]) as intraday,
                    {{ log_ratio }}(series.high_at[bars.bar], series.low_at[bars.bar]) as high_low,
                    {{ log_ratio }}(series.high_at[bars.bar], series.open_at[bars.bar]) as high_open,
                    {{ log_ratio }}(series.low_at[bars.bar], series.open_at[bars.bar]) as low_open,
                    {{ trailing_extreme('greatest', 'series.high_at', 14) }} as high_14,
                    {{ trailing_extreme('least', 'series.low_at', 14) }} as low_14,
                    {{ trailing_extreme('greatest', 'series.close_at', 6) }} as max_6,
                    {{ trailing_extreme('least', 'series.close_at', 6) }} as min_6
                -- Used more than once above; the fence keeps each computed once.
                offset 0 -- noqa: AM09
            ) as near
        ) as near_bars
    ) as terms

)

select
    with_terms.*,
    sums.*
from with_terms
cross join lateral (
    select
        {% for bars, terms in sums -%}
            {% set last = loop.last -%}
            {% for term in terms -%}
                {{ not_before % 'with_terms' }}
                || array_agg(coalesce({{ trailing_sum('with_terms.' ~ term ~ '_at', bars) }}, 'NaN'))
                    as {{ term }}_{{ bars }}_at{{ ',' if not (last and loop.last) }}
            {% endfor -%}
        {% endfor %}
    from generate_series(with_terms.first_term, with_terms.bars) as bars (bar)
) as sums
