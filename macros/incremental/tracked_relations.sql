{% macro tracked_relations() -%}
    {#- The sources whose changes are logged (config.meta.tracked); each consumer keeps a watermark for every one. -#}
    {%- set found = [] -%}
    {%- for source in (graph.sources.values() if execute else []) if source.config.get('meta', {}).get('tracked') -%}
        {%- do found.append(source.schema ~ '.' ~ source.identifier) -%}
    {%- endfor -%}
    {{ return(found | sort) }}
{%- endmacro %}
