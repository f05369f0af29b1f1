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
    'money', 'flow', 'inflow', 'outflow', 'illiquidity', 'dollar_volume', 'max_6',
] -%}
{%- set sums = [
    ('volume', 5), ('money', 5), ('flow', 5), ('illiquidity', 5), ('dollar_volume', 5),
    ('log_return', 6), ('squared_return', 6), ('downside', 6), ('bipower', 6), ('squared_range', 6),
    ('rogers_satchell', 6), ('overnight', 6), ('squared_overnight', 6), ('intraday', 6), ('squared_intraday', 6),
    ('inflow', 7), ('outflow', 7), ('buying_pressure', 7),
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
    cross join
        lateral (
            select
                array_agg(coalesce({{ trailing_sum('series.close_at', 10) }}, 'NaN')) as close_10_at,
                array_agg(coalesce({{ trailing_sum('series.close_at', 10, weighted=true) }}, 'NaN'))
                    as weighted_close_10_at
            from generate_series(1, series.bars) as bars (bar)
        ) as tens
    cross join lateral (
        select
            {% for term in of_bars -%}
                {{ not_before % 'series' }}
                || array_agg(coalesce(near_bars.{{ term }}, 'NaN')) as {{ term }}_at,
            {% endfor -%}
            {{ not_before % 'series' }} || array_agg(coalesce(near_bars.min_6, 'NaN')) as min_6_at
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
                near.close_location * now.volume as flow,
                case when bars.bar > 1 then now.close - least(now.low, now.close_1) end
                    as buying_pressure,
                case
                    when near.high_14 = near.low_14 then 0
                    else 100 * (now.close - near.low_14) / (near.high_14 - near.low_14)
                end as fast_k,
                near.log_return * near.log_return as squared_return,
                least(near.log_return, 0) * near.log_return as downside,
                abs(near.log_return * {{ log_ratio }}(now.close_1, now.close_2)) as bipower,
                near.high_low * near.high_low as squared_range,
                near.high_open * (near.high_open - near.intraday) + near.low_open * (near.low_open - near.intraday)
                    as rogers_satchell,
                near.overnight * near.overnight as squared_overnight,
                near.intraday * near.intraday as squared_intraday,
                -- TA-Lib calls typical prices equal that differ by rounding only.
                case
                    when near.typical - now.typical_1 > 1e-14 * (abs(near.typical) + abs(now.typical_1))
                        then near.money
                    when now.typical_1 is not null then 0 * now.volume
                end as inflow,
                case
                    when now.typical_1 - near.typical > 1e-14 * (abs(near.typical) + abs(now.typical_1))
                        then near.money
                    when now.typical_1 is not null then 0 * now.volume
                end as outflow,
                {{ function('safe_divide') }}(
                    abs(now.close / nullif(now.close_1, 0) - 1), near.dollar_volume
                ) as illiquidity,
                near.max_6,
                near.min_6
            from generate_series(series.first_term, series.bars) as bars (bar)
            cross join
                lateral (
                    select
                        series.open_at[bars.bar] as open,
                        series.high_at[bars.bar] as high,
                        series.low_at[bars.bar] as low,
                        series.close_at[bars.bar] as close,
                        series.volume_at[bars.bar] as volume,
                        series.close_at[bars.bar - 1] as close_1,
                        series.close_at[bars.bar - 2] as close_2,
                        (series.high_at[bars.bar - 1] + series.low_at[bars.bar - 1] + series.close_at[bars.bar - 1]) / 3
                            as typical_1
                    from (values (true)) as fence (is_up)
                    offset 0 -- noqa: AM09
                ) as now
            cross join lateral (
                select
                    (now.high + now.low + now.close) / 3 as typical,
                    (now.high + now.low + now.close) / 3 * now.volume as money,
                    now.close * now.volume as dollar_volume,
                    case
                        when now.high > now.low
                            then ((now.close - now.low) - (now.high - now.close)) / (now.high - now.low)
                        else 0
                    end as close_location,
                    case when bars.bar > 1 then greatest(now.high, now.close_1) - least(now.low, now.close_1) end
                        as true_range,
                    {{ log_ratio }}(now.close, now.close_1) as log_return,
                    {{ log_ratio }}(now.open, now.close_1) as overnight,
                    {{ log_ratio }}(now.close, now.open) as intraday,
                    {{ log_ratio }}(now.high, now.low) as high_low,
                    {{ log_ratio }}(now.high, now.open) as high_open,
                    {{ log_ratio }}(now.low, now.open) as low_open,
                    {{ trailing_extreme('greatest', 'series.high_at', 14) }} as high_14,
                    {{ trailing_extreme('least', 'series.low_at', 14) }} as low_14,
                    {{ trailing_extreme('greatest', 'series.close_at', 6) }} as max_6,
                    {{ trailing_extreme('least', 'series.close_at', 6) }} as min_6
                from (values (true)) as fence (is_up)
                -- Used more than once above; the fences keep each computed once.
                offset 0 -- noqa: AM09
            ) as near
        ) as near_bars
    ) as terms

)

select
    with_terms.*, -- noqa: AM04
    sums.*
from with_terms
cross join lateral (
    select
        {% for term, bars in sums -%}
            {{ not_before % 'with_terms' }}
            || array_agg(coalesce({{ trailing_sum('with_terms.' ~ term ~ '_at', bars) }}, 'NaN'))
                as {{ term }}_{{ bars }}_at,
        {% endfor -%}
        {{ not_before % 'with_terms' }}
        || array_agg(coalesce({{ trailing_sum('with_terms.true_range_at', 7) }}, 'NaN')) as true_range_7_at
    from generate_series(with_terms.first_term, with_terms.bars) as bars (bar)
) as sums
