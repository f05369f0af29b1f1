{% macro label_horizons() -%}
    {#- Horizons of forward returns in sessions (var label_horizons), as numbers; the longest is how far a label looks ahead. -#}
    {{ return(var('label_horizons') | map('int') | list) }}
{%- endmacro %}
