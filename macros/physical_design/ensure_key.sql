{% macro ensure_key(relation=this, node=model) -%}
    {#- The unique key of an incremental model as a unique index: two builds at once fail instead of doubling it. -#}
    {%- if node.config.materialized == 'incremental' and node.config.unique_key -%}
        {%- set columns = [] -%}
        {%- for column in node.config.unique_key -%}
            {%- do columns.append(adapter.quote(column)) -%}
        {%- endfor -%}
        {{ ensure_index(relation, node.name ~ '_key', columns, unique=true) }}
    {%- endif -%}
{%- endmacro %}
