{% macro varies(column) -%}
    {#-
        Whether the values of a group differ by more than rounding. Rank correlations that are equal in truth come out
        one unit in the last place apart, and a deviation of them is 0, or makes a t-statistic of 1e16.
    -#}
    max({{ column }}) - min({{ column }}) > 1e-12 * greatest(abs(min({{ column }})), abs(max({{ column }})))
{%- endmacro %}
