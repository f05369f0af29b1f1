{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- Schemas are part of the published interface (marts, staging, ref): no prefix of the target. -#}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
