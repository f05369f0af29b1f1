{% macro run_window() -%}
    {#- The table of the run window; not by ref(), which on-run-end hooks could not use after a partial parse. -#}
    {{ return(graph.nodes[run_window_id()].relation_name if execute else 'int_run_window') }}
{%- endmacro %}
