{% macro get_incremental_replace_all_sql(arg_dict) -%}
    {#-
        Incremental strategy `replace_all`, for small summaries made from incremental partials: their window
        moves with the clock, so rows must leave it even when nothing was landed.
    -#}
    {{ replace_dirty('replace_all', arg_dict) }}
{%- endmacro %}
