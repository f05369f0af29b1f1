{% macro sharpe_dispersion(sharpe, skewness, kurtosis) -%}
    {#-
        Variance of an estimated Sharpe ratio times observations less 1 (Mertens, 2002); 1 for normal returns of a ratio
        of 0. NULL where it is not above 0, which returns of two values alone can do.
    -#}
    nullif(
        greatest(1 - {{ skewness }} * {{ sharpe }} + ({{ kurtosis }} - 1) / 4 * power({{ sharpe }}, 2), 0), 0
    )
{%- endmacro %}
