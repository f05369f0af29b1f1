{% macro computable(column) -%}
    {#-
        A double precision number with which products and squares stay within the type: 0 below 1e-30, as softmax
        weights can be, NULL above 1e30. PostgreSQL raises an error where such a product leaves the type, and one row
        of a ledger that nobody can change would stop every build.
    -#}
    case when abs({{ column }}) < 1e-30 then 0 when abs({{ column }}) <= 1e30 then {{ column }} end
{%- endmacro %}
