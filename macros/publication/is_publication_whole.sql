{% macro is_publication_whole() -%}
    {#- Whether every published row is replaced: first publication, changed code, another cluster, an older backup. -#}
    {%- set valid = run_query(
        "select count(*) from ops.consumers where model = 'publication'"
        ~ " and code_version = '" ~ window_consumers()['publication'] ~ "'"
        ~ ' and ' ~ is_own_watermark()
    ).columns[0].values()[0] -%}
    {{ return(flags.FULL_REFRESH or valid | int < tracked_relations() | length) }}
{%- endmacro %}
