{% macro window_cut() -%}
    {#- The snapshot of the latest run window, also when that window is empty. -#}
    select cut from ops.built_from where model = 'int_run_window'
{%- endmacro %}
