{{ config(materialized='ephemeral') }}
{#
    Grain: one row per series that this run recomputes. Its bars as arrays, in order: a feature reads the bar before
    the last as close_at[bar - 2], a quarter of what lag(close, 2) over a window costs (30 ns against 128), NULL where
    the series has not begun.
    An array without NULL finds an element at once, one with NULL counts up to it: a bar without volume is NaN here, as
    is every term that cannot be known (int_series_terms). NaN goes through sums as NULL does, and known() ends it.
#}
select
    run_window.series_no,
    {% for state in indicator_states() -%}
        run_window.{{ state }} as {{ state }}_before,
    {% endfor -%}
    run_window.timeframe::interval >= interval '1 day' as is_session_series,
    series.row_before,
    series.number_before,
    series.bars,
    series.first_recomputed,
    -- Averages of 200 bars are made of closes alone; every other window is this short.
    greatest(series.first_recomputed - {{ lookback_bars('feature_catalog', without='trend') }}, 1) as first_term,
    -- The recursive indicators go on from the bar after the checkpoint.
    greatest(run_window.checkpoint_bar_number - series.number_before, 0) as checkpoint_bar,
    series.open_at,
    series.high_at,
    series.low_at,
    series.close_at,
    series.volume_at,
    series.traded_at,
    series.session_at,
    series.regular_at
from {{ ref('int_run_window') }} as run_window
cross join
    lateral (
        select
            min(bars_this_run.bar_row) - 1 as row_before,
            min(bars_this_run.bar_number) - 1 as number_before,
            count(*)::integer as bars,
            (count(*) filter (where not bars_this_run.is_recomputed))::integer + 1 as first_recomputed,
            array_agg(bars_this_run.open order by bars_this_run.bar_row) as open_at,
            array_agg(bars_this_run.high order by bars_this_run.bar_row) as high_at,
            array_agg(bars_this_run.low order by bars_this_run.bar_row) as low_at,
            array_agg(bars_this_run.close order by bars_this_run.bar_row) as close_at,
            array_agg(coalesce(bars_this_run.volume, 'NaN') order by bars_this_run.bar_row) as volume_at,
            -- With NULL, for what reads it from its beginning.
            array_agg(bars_this_run.volume order by bars_this_run.bar_row) as traded_at,
            array_agg((bars_this_run.session_date - date '2000-01-01')::double precision order by bars_this_run.bar_row)
                as session_at,
            array_agg(bars_this_run.is_market_open order by bars_this_run.bar_row) as regular_at
        from {{ ref('int_bars_this_run') }} as bars_this_run
        where bars_this_run.series_no = run_window.series_no
    ) as series
where series.bars > 0
