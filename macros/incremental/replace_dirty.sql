{% macro replace_dirty(strategy, arg_dict) -%}
    {#- The statements of an incremental strategy; dbt wants a macro of its own for each. -#}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | list -%}
    {%- set range = window_range(strategy, config.get('meta', {}), config.get('unique_key')) -%}
    {{ replace_rows(arg_dict['target_relation'], arg_dict['temp_relation'], columns, range) }}
{%- endmacro %}
