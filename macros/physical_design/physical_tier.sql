{% macro physical_tier() -%}
    {#- What the server can do, asked at run time: `community`, `apache` or `plain` (ops.physical_tier()). -#}
    {{ return(run_query('select ops.physical_tier()').columns[0].values()[0] if execute else 'plain') }}
{%- endmacro %}
