{% macro qcut(value, edges, quantiles) -%}
    {#-
        Number of the quantile that a value is in, from 1, as pandas' qcut: bins between the linear percentiles `edges`
        (an array, lowest value first), closed on the right; NULL where two edges coincide, for then no bin is right.
    -#}
    case when {% for n in range(1, quantiles + 1) %}{{ edges }}[{{ n }}] < {{ edges }}[{{ n + 1 }}]{{ ' and ' if not loop.last }}{% endfor %} then 1{% for n in range(2, quantiles + 1) %} + ({{ value }} > {{ edges }}[{{ n }}])::integer{% endfor %} end
{%- endmacro %}
