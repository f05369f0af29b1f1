{% macro sample_variance(sum_of_squares, sum_of_values, count) -%}
    {#- Variance with n - 1 from two sums; rounding can make a zero variance slightly negative. -#}
    {{ not_negative('(' ~ sum_of_squares ~ ' - ' ~ sum_of_values ~ ' * ' ~ sum_of_values ~ ' / ' ~ count ~ ') / ' ~ (count - 1)) }}
{%- endmacro %}
