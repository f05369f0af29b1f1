{% macro published_models() -%}
    {#- The marts, in the order of their names: every incremental model of models/marts. -#}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values() | sort(attribute='name') if node.resource_type == 'model' -%}
        {%- if node.schema == 'build' and node.config.materialized == 'incremental' -%}
            {%- do found.append(node) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
