{% macro ancestors(unique_id) -%}
    {#- A node and everything upstream of it, seeds, sources and functions included, as ids of the graph. -#}
    {%- set found = [unique_id] -%}
    {%- set seen = {unique_id: true} -%}
    {#- A Jinja loop reads the list as it grows. -#}
    {%- for each in found -%}
        {%- set node = graph.nodes.get(each) or graph.functions.get(each) -%}
        {%- for parent in (node.depends_on.nodes if node else []) if parent not in seen -%}
            {%- do seen.update({parent: true}) -%}
            {%- do found.append(parent) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
