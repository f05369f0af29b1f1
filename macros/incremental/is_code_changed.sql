{% macro is_code_changed() -%}
    {#- Whether some consumer of the run window was last built by other code, in another cluster, or never. -#}
    {%- set expected = [] -%}
    {%- for name, version in window_consumers().items() -%}
        {%- do expected.append("('" ~ name ~ "', '" ~ version ~ "')") -%}
    {%- endfor -%}
    {%- set valid = run_query(
        'select count(*) from ops.consumers inner join (values ' ~ expected | join(', ')
        ~ ') as expected (model, code_version) using (model, code_version)'
        ~ ' where ' ~ is_own_watermark()
    ).columns[0].values()[0] -%}
    {{ return(valid | int < expected | length * tracked_relations() | length) }}
{%- endmacro %}
