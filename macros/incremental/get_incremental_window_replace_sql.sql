{% macro get_incremental_window_replace_sql(arg_dict) -%}
    {#-
        Incremental strategy `window_replace`: delete from every dirty series what the run window recomputes,
        then insert it. Rows that vanished upstream leave no orphan, and there is no MERGE, which compressed
        hypertables refuse. config.meta.window_column names the column of the target that the window bounds,
        window_unit: day says that it holds starts of UTC days, window_bound which column of the window bounds it
        (recompute_from), window_model and window_keys another window (int_run_window) and what it is joined by
        (instrument_id, timeframe).
    -#}
    {{ replace_dirty('window_replace', arg_dict) }}
{%- endmacro %}
