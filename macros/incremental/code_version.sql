{% macro code_version() -%}
    {#-
        Fingerprint of everything that decides the values of the feature mart: the SQL of its upstream
        models, the seeds they read and the vars. A mart built by other code is rebuilt whole.
    -#}
    {%- set parts = [var('as_of'), var('feature_version')] -%}
    {%- for node in (graph.nodes.values() if execute else []) if node.resource_type in ('model', 'seed')
        and (node.path.startswith(('staging/', 'intermediate/', 'catalog/', 'reference/')) or node.name == 'feature_engineered_data') -%}
        {%- do parts.append(node.unique_id ~ node.checksum.checksum) -%}
    {%- endfor -%}
    {{ return(local_md5(parts | sort | join('|'))) }}
{%- endmacro %}
