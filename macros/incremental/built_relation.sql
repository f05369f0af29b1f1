{% macro built_relation(name) -%}
    {#-
        A model as the last build left it, or none when there is none or a full refresh was asked for.
        For the run window only: a ref() would be a cycle, because the model is built from the window.
    -#}
    {%- if execute and not flags.FULL_REFRESH -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ name] -%}
        {{ return(adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias)) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
