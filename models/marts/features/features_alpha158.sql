{#
    Grain: one row per instrument, timeframe and bar start (timestamp), for the timeframes of var factor_timeframes.
    The 158 features of qlib's Alpha158, by its own expressions: seeds/catalog/alpha158_catalog.csv, from which the
    YAML is generated. Its windows begin with the series (min_periods=1): w5 has two bars at the second.
    Every aggregate is taken anew over its frame, from the oldest bar on, so that an incremental build adds what a
    full one adds; sum() of integers and count() are exact anyhow. No frame is longer than what int_run_window reads.
    offset 0 is a fence, not a choice of rows: what a level computes is used more than once above it.
#}
{{
    config(
        incremental_strategy='window_replace',
        unique_key=['instrument_id', 'timeframe', 'timestamp'],
        meta={
            'window_column': 'timestamp',
            'physical_design': {'time_column': 'timestamp', 'chunk_interval': 'auto'},
        },
    )
}}
-- depends_on: {{ ref('int_run_window') }}
{%- set windows = [5, 10, 20, 30, 60] %}
{%- set safe_divide = function('safe_divide') %}
{#- How far a value may deviate and still count as constant: absolute, whatever the price. -#}
{%- set constant = '2e-5::double precision' %}
{%- set tiny = '1e-12::double precision' %}
with

bars as (

    select
        series_no,
        bar_row,
        bar_number,
        is_recomputed,
        instrument_id,
        timeframe,
        bar_ts,
        symbol,
        open,
        high,
        low,
        close,
        volume
    from {{ ref('int_bars_this_run') }}
    where
        timeframe in ('{{ var("factor_timeframes") | join("', '") }}')
        and bars_to_recomputed <= {{ lookback_bars('alpha158_catalog') }}

),

changes as (

    select
        *,
        close - lag(close) over by_bar as close_change,
        {{ safe_divide }}(close, lag(close) over by_bar) as close_ratio,
        volume - lag(volume) over by_bar as volume_change,
        ln(volume + 1) as log_volume,
        ln({{ safe_divide }}(volume, lag(volume) over by_bar) + 1) as log_volume_ratio
    from bars
    window by_bar as (partition by series_no order by bar_row)
    offset 0 -- noqa: AM09

),

terms as (

    -- A bar without a change before it is NULL in the sums, but counts among those that did not rise or fall.
    select
        *,
        coalesce(close_change > 0, false)::integer as rose,
        coalesce(close_change < 0, false)::integer as fell,
        case when close_change > 0 then close_change when close_change <= 0 then 0 end as gain,
        case when close_change < 0 then -close_change when close_change >= 0 then 0 end as loss,
        case when volume_change > 0 then volume_change when volume_change <= 0 then 0 end as volume_gain,
        case when volume_change < 0 then -volume_change when volume_change >= 0 then 0 end as volume_loss,
        abs(close_ratio - 1) * volume as weighted_return,
        -- Compared like words: of equal prices the older bar wins.
        max(array[high, -bar_number]) over last_5 as top_5,
        max(array[-low, -bar_number]) over last_5 as bottom_5
    from changes
    window last_5 as (partition by series_no order by bar_row rows 4 preceding)
    offset 0 -- noqa: AM09

),

framed as (

    select
        series_no,
        bar_row,
        bar_number,
        is_recomputed,
        instrument_id,
        timeframe,
        bar_ts,
        symbol,
        open,
        high,
        low,
        close,
        volume,
        {% for bars in windows -%}
            lag(close, {{ bars }}) over by_bar as close_{{ bars }},
            {{ greatest_of_fives('top_5', bars) }} as top_{{ bars }},
            {{ greatest_of_fives('bottom_5', bars) }} as bottom_{{ bars }},
            least(bar_number, {{ bars }})::double precision as bars_{{ bars }},
            avg(close) over w{{ bars }} as mean_{{ bars }},
            stddev_samp(close) over w{{ bars }} as deviation_{{ bars }},
            regr_slope(close, bar_number) over w{{ bars }} as slope_{{ bars }},
            corr(close, log_volume) over w{{ bars }} as corr_{{ bars }},
            stddev_samp(log_volume) over w{{ bars }} as log_volume_deviation_{{ bars }},
            corr(close_ratio, log_volume_ratio) over w{{ bars }} as cord_{{ bars }},
            stddev_samp(close_ratio) over w{{ bars }} as ratio_deviation_{{ bars }},
            stddev_samp(log_volume_ratio) over w{{ bars }} as log_volume_ratio_deviation_{{ bars }},
            (sum(rose) over w{{ bars }})::double precision as rises_{{ bars }},
            (sum(fell) over w{{ bars }})::double precision as falls_{{ bars }},
            sum(gain) over w{{ bars }} as gains_{{ bars }},
            sum(loss) over w{{ bars }} as losses_{{ bars }},
            avg(volume) over w{{ bars }} as mean_volume_{{ bars }},
            stddev_samp(volume) over w{{ bars }} as volume_deviation_{{ bars }},
            avg(weighted_return) over w{{ bars }} as mean_weighted_return_{{ bars }},
            stddev_samp(weighted_return) over w{{ bars }} as weighted_return_deviation_{{ bars }},
            sum(volume_gain) over w{{ bars }} as volume_gains_{{ bars }},
            sum(volume_loss) over w{{ bars }} as volume_losses_{{ bars }},
        {% endfor -%}
        array_agg(close) over w60 as closes
    from terms
    window
        {% for bars in windows -%}
            w{{ bars }} as (partition by series_no order by bar_row rows {{ bars - 1 }} preceding),
        {% endfor -%}
        by_bar as (partition by series_no order by bar_row)
    offset 0 -- noqa: AM09

),

sorted as (

    -- No aggregate over a frame sorts: the closes of a bar are sorted for it alone, the youngest has age 0.
    select
        framed.*,
        ranks.*
    from framed
    inner join lateral (

        select
            {% for bars in windows -%}
                percentile_cont(array[0.2, 0.8]) within group (order by past.close)
                filter (where past.age < {{ bars }}) as quantiles_{{ bars }},
                count(*) filter (where past.age < {{ bars }} and past.close < framed.close) as lower_{{ bars }},
                count(*) filter (where past.age < {{ bars }} and past.close = framed.close) as equal_{{ bars }},
            {% endfor -%}
            max(past.age) as oldest
        from (
            select
                elements.close,
                cardinality(framed.closes) - elements.position as age
            from unnest(framed.closes) with ordinality as elements (close, position)
        ) as past

    ) as ranks on true
    where framed.is_recomputed
    offset 0 -- noqa: AM09

)

select
    ---------- candle
    {{ safe_divide }}(close - open, open) as kmid,
    {{ safe_divide }}(high - low, open) as klen,
    (close - open) / (high - low + {{ tiny }}) as kmid2,
    {{ safe_divide }}(high - greatest(open, close), open) as kup,
    (high - greatest(open, close)) / (high - low + {{ tiny }}) as kup2,
    {{ safe_divide }}(least(open, close) - low, open) as klow,
    (least(open, close) - low) / (high - low + {{ tiny }}) as klow2,
    {{ safe_divide }}(2 * close - high - low, open) as ksft,
    (2 * close - high - low) / (high - low + {{ tiny }}) as ksft2,
    ---------- price
    {{ safe_divide }}(open, close) as open0,
    {{ safe_divide }}(high, close) as high0,
    {{ safe_divide }}(low, close) as low0,
    {{ safe_divide }}((high + low + close) / 3, close) as vwap0,
    {% for bars in windows -%}
        ---------- {{ bars }} bars
        {{ safe_divide }}(close_{{ bars }}, close) as roc{{ bars }},
        {{ safe_divide }}(mean_{{ bars }}, close) as ma{{ bars }},
        {{ safe_divide }}(deviation_{{ bars }}, close) as std{{ bars }},
        {{ safe_divide }}(slope_{{ bars }}, close) as beta{{ bars }},
        -- What the line explains of the squared deviations: n (n^2 - 1) / 12 are those of the bar numbers.
        case
            when deviation_{{ bars }} > {{ constant }}
                then
                    slope_{{ bars }} * slope_{{ bars }} * bars_{{ bars }} * (bars_{{ bars }} + 1) / 12
                    / (deviation_{{ bars }} * deviation_{{ bars }})
        end as rsqr{{ bars }},
        {{ safe_divide }}(
            close - mean_{{ bars }} - slope_{{ bars }} * (bars_{{ bars }} - 1) / 2, close
        ) as resi{{ bars }},
        {{ safe_divide }}(top_{{ bars }}[1], close) as max{{ bars }},
        {{ safe_divide }}(-bottom_{{ bars }}[1], close) as min{{ bars }},
        {{ safe_divide }}(quantiles_{{ bars }}[2], close) as qtlu{{ bars }},
        {{ safe_divide }}(quantiles_{{ bars }}[1], close) as qtld{{ bars }},
        (lower_{{ bars }} + (equal_{{ bars }} + 1) / 2.0::double precision)
        / bars_{{ bars }} as rank{{ bars }},
        (close + bottom_{{ bars }}[1]) / (top_{{ bars }}[1] + bottom_{{ bars }}[1] + {{ tiny }}) as rsv{{ bars }},
        (bars_{{ bars }} - bar_number - top_{{ bars }}[2]) / {{ bars }} as imax{{ bars }},
        (bars_{{ bars }} - bar_number - bottom_{{ bars }}[2]) / {{ bars }} as imin{{ bars }},
        (bottom_{{ bars }}[2] - top_{{ bars }}[2]) / {{ bars }} as imxd{{ bars }},
        case
            when deviation_{{ bars }} > {{ constant }} and log_volume_deviation_{{ bars }} > {{ constant }}
                then corr_{{ bars }}
        end as corr{{ bars }},
        case
            when ratio_deviation_{{ bars }} > {{ constant }} and log_volume_ratio_deviation_{{ bars }} > {{ constant }}
                then cord_{{ bars }}
        end as cord{{ bars }},
        rises_{{ bars }} / bars_{{ bars }} as cntp{{ bars }},
        falls_{{ bars }} / bars_{{ bars }} as cntn{{ bars }},
        (rises_{{ bars }} - falls_{{ bars }}) / bars_{{ bars }} as cntd{{ bars }},
        gains_{{ bars }} / (gains_{{ bars }} + losses_{{ bars }} + {{ tiny }}) as sump{{ bars }},
        losses_{{ bars }} / (gains_{{ bars }} + losses_{{ bars }} + {{ tiny }}) as sumn{{ bars }},
        (gains_{{ bars }} - losses_{{ bars }})
        / (gains_{{ bars }} + losses_{{ bars }} + {{ tiny }}) as sumd{{ bars }},
        mean_volume_{{ bars }} / (volume + {{ tiny }}) as vma{{ bars }},
        volume_deviation_{{ bars }} / (volume + {{ tiny }}) as vstd{{ bars }},
        weighted_return_deviation_{{ bars }} / (mean_weighted_return_{{ bars }} + {{ tiny }}) as wvma{{ bars }},
        volume_gains_{{ bars }}
        / (volume_gains_{{ bars }} + volume_losses_{{ bars }} + {{ tiny }}) as vsump{{ bars }},
        volume_losses_{{ bars }}
        / (volume_gains_{{ bars }} + volume_losses_{{ bars }} + {{ tiny }}) as vsumn{{ bars }},
        (volume_gains_{{ bars }} - volume_losses_{{ bars }})
        / (volume_gains_{{ bars }} + volume_losses_{{ bars }} + {{ tiny }}) as vsumd{{ bars }},
    {% endfor -%}
    instrument_id,
    timeframe,
    bar_ts as "timestamp",
    symbol

from sorted
