{% macro not_negative(expression) -%}
    {#-
        The expression, or 0 where rounding made it slightly negative. Not greatest(expression, 0): that
        ignores NULL, so that a window without enough bars would have a variance of 0.
    -#}
    case when {{ expression }} < 0 then 0 else {{ expression }} end
{%- endmacro %}
