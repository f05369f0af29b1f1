{% macro run_window_id() -%}
    {#- The node from which everything incremental hangs. -#}
    {{ return('model.' ~ project_name ~ '.int_run_window') }}
{%- endmacro %}
