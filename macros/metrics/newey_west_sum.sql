{% macro newey_west_sum(today, earlier, horizon) -%}
    {#-
        Newey and West: what spans h observations overlaps h - 1 others, so the products of their residuals count
        too, less the farther apart (Bartlett kernel). An aggregate over pairs of rows `today` and `earlier`, at most
        h - 1 observations apart: number of observations times the long-run variance. Summed in one order, always.
    -#}
    sum(
        case when {{ today }}.observation = {{ earlier }}.observation then 1 else 2 end
        * (1 - ({{ today }}.observation - {{ earlier }}.observation) / {{ horizon }}::double precision)
        * {{ today }}.residual * {{ earlier }}.residual
        order by {{ today }}.observation, {{ earlier }}.observation
    )
{%- endmacro %}
