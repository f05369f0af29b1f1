{% macro has_watermarks(versions) -%}
    {#-
        Whether every consumer in {name: code version} was last built by that code, here and not in a cluster or backup
        that was restored. Where one was not, everything is built, or published, from the first bar on.
    -#}
    {%- set expected = [] -%}
    {%- for name, version in versions.items() -%}
        {%- do expected.append("('" ~ name ~ "', '" ~ version ~ "')") -%}
    {%- endfor -%}
    {%- set valid = run_query(
        'select count(*) from ops.consumers inner join (values ' ~ expected | join(', ')
        ~ ') as expected (model, code_version) using (model, code_version)'
        ~ ' where ' ~ is_own_watermark()
    ).columns[0].values()[0] -%}
    {{ return(valid | int == versions | length * tracked_relations() | length) }}
{%- endmacro %}
