{% macro day_of_window(column) -%}
    {#- Start of the UTC day of a bound; date_trunc() keeps infinity as it is. -#}
    date_trunc('day', {{ column }}, 'UTC')
{%- endmacro %}
