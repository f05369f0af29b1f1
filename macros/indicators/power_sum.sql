{% macro power_sum(prefix, power, first, end) -%}
    {#- Sum of the power-th powers of the columns prefix_first … prefix_(end - 1), in that order. -#}
    {%- for back in range(first, end) -%}
        {{ ' + ' if not loop.first }}{{ ([prefix ~ '_' ~ back] * power) | join(' * ') }}
    {%- endfor -%}
{%- endmacro %}
