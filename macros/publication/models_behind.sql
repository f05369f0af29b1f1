{% macro models_behind() -%}
    {#- Names of the incremental models that are not built by this code for the latest run window. -#}
    {%- set expected = [] -%}
    {%- for name, version in window_consumers().items() if name != 'publication' -%}
        {%- do expected.append("('" ~ name ~ "', '" ~ version ~ "')") -%}
    {%- endfor -%}
    {%- set found = run_query(
        'select expected.model from (values ' ~ expected | join(', ') ~ ') as expected (model, code_version)'
        ~ ' left join ops.built_from using (model, code_version)'
        ~ ' where built_from.cut::text is distinct from (' ~ window_cut() ~ ')::text order by 1'
    ) -%}
    {{ return(found.columns[0].values() | list) }}
{%- endmacro %}
