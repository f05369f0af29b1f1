{% macro models_behind(nodes) -%}
    {#- Names of those of the given models that are not built by this code for the latest run window. -#}
    {%- set versions = window_consumers() -%}
    {%- set expected = [] -%}
    {%- for node in nodes -%}
        {%- do expected.append("('" ~ node.name ~ "', '" ~ versions[node.name] ~ "')") -%}
    {%- endfor -%}
    {%- set found = run_query(
        'select expected.model from (values ' ~ expected | join(', ') ~ ') as expected (model, code_version)'
        ~ ' left join ops.built_from using (model, code_version)'
        ~ ' where (built_from.cut::text = (' ~ window_cut() ~ ')::text) is not true order by 1'
    ) -%}
    {{ return(found.columns[0].values() | list) }}
{%- endmacro %}
