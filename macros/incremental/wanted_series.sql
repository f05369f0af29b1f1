{% macro wanted_series() -%}
    {#- The table that says which series a build in a workspace (var workspace) is about: who asks for the build makes it. -#}
    {{ return(api.Relation.create(schema=var('workspace') ~ '_build', identifier='wanted_series')) }}
{%- endmacro %}
