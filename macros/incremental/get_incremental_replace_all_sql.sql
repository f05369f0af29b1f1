{% macro get_incremental_replace_all_sql(arg_dict) -%}
    {#-
        Incremental strategy `replace_all`, for small summaries made from incremental partials: their window
        moves with the clock, so rows must leave it even when nothing was landed.
    -#}
    {{ replace_rows(arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['dest_columns'] | map(attribute='name') | list, window_range('replace_all', config.get('meta', {}))) }}
{%- endmacro %}
