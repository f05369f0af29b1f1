{% macro generate_schema_name(custom_schema_name, node) -%}
    {#-
        Schemas are part of the published interface (marts, staging, ref): no prefix of the target. Models of a build in
        a workspace (var workspace) are in schemas of their own, which nobody else reads.
    -#}
    {{ var('workspace') ~ '_' if var('workspace') and node.resource_type == 'model' }}
    {{- custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
