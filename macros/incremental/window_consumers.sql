{% macro window_consumers() -%}
    {#-
        Code version of each consumer of the run window by name: every incremental model downstream of it, and
        the publication of the marts. A change stays dirty until all of them have committed it, so that a run
        that failed half-way, or whose tests failed, is made good by the next.
    -#}
    {%- set versions = {} -%}
    {%- for node in (graph.nodes.values() if execute else [])
        if node.resource_type == 'model' and node.config.materialized == 'incremental' and run_window_id() in ancestors(node.unique_id) -%}
        {%- do versions.update({node.name: code_version(node.name)}) -%}
    {%- endfor -%}
    {%- do versions.update({'publication': local_md5(versions | dictsort | join('|'))}) -%}
    {{ return(versions) }}
{%- endmacro %}
