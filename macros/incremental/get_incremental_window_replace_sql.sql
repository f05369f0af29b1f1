{% macro get_incremental_window_replace_sql(arg_dict) -%}
    {#-
        Incremental strategy `window_replace`: delete from every dirty series what the run window recomputes,
        then insert it. Rows that vanished upstream leave no orphan, and there is no MERGE, which compressed
        hypertables refuse. config.meta.window_column names the column of the target that
        the window bounds, window_unit: day says that it holds starts of UTC days.
    -#}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set time_column = config.get('meta', {}).get('window_column') -%}
    {%- if not time_column -%}
        {{ exceptions.raise_compiler_error("window_replace needs config.meta.window_column: the time column of " ~ target) }}
    {%- endif -%}
    delete from {{ target }} as target
    using {{ ref('int_run_window') }} as run_window
    where
        target.instrument_id = run_window.instrument_id
        and target.timeframe = run_window.timeframe
        and target."{{ time_column }}" >= {{ day_of_window('run_window.recompute_from') if config.get('meta', {}).get('window_unit') == 'day' else 'run_window.recompute_from' }}
        {%- if config.get('meta', {}).get('versioned') %}
        and target.feature_version = '{{ var("feature_version") }}'
        {%- endif %};

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
