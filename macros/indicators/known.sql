{% macro known(expression) -%}
    {#- A feature made of arrays in which NaN says that a term is not known (int_series_this_run): NULL instead of NaN. -#}
    nullif({{ expression }}, 'NaN')
{%- endmacro %}
