{% macro published_relation(name, schema='marts') -%}
    {#-
        A relation as the last build left it, or none when there is none or a full refresh was asked for.
        For the run window only: a ref() would be a cycle, because the mart is built from the window.
    -#}
    {%- if execute and not flags.FULL_REFRESH -%}
        {{ return(adapter.get_relation(database=target.database, schema=schema, identifier=name)) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
