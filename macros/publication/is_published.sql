{% macro is_published(node) -%}
    {#- Whether readers have a table of this model already. -#}
    {{ return(run_query("select to_regclass('marts." ~ node.alias ~ "') is not null").columns[0].values()[0]) }}
{%- endmacro %}
