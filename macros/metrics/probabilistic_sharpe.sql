{% macro probabilistic_sharpe(sharpe, benchmark, observations, skewness, kurtosis) -%}
    {#-
        Probability that the true Sharpe ratio is above a benchmark, given what was measured (Bailey and Lopez de Prado,
        2012): returns that are skewed to the left or have fat tails make it less sure. Both ratios of one period, not
        annualised; kurtosis 3 is normal. The distribution of the normal by erfc(), which keeps the digits of its tail.
    -#}
    erfc(
        -({{ sharpe }} - {{ benchmark }}) * sqrt({{ observations }} - 1)
        / sqrt({{ sharpe_dispersion(sharpe, skewness, kurtosis) }}) / sqrt(2::double precision)
    ) / 2
{%- endmacro %}
