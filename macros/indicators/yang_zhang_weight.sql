{% macro yang_zhang_weight(bars) -%}
    {#- k = 0.34 / (1.34 + (n + 1) / (n - 1)): the weight with the least variance (Yang and Zhang, 2000). -#}
    (0.34::double precision / (1.34 + {{ bars + 1 }}::double precision / {{ bars - 1 }}))
{%- endmacro %}
