{% macro published_relation(name) -%}
    {#- A mart as readers see it, or none before its first publication. -#}
    {{ return(adapter.get_relation(database=target.database, schema='marts', identifier=name) if execute else none) }}
{%- endmacro %}
