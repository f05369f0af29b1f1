{% macro student_t_p_value(t, degrees, beta=none) -%}
    {#-
        Two-sided p-value of a t-statistic: how likely one as far from 0 is when nothing is there. Small ones from the
        other end of the distribution: degrees / (degrees + t^2) is next to 1 there and has lost the digits of t.
    -#}
    {%- set beta = beta or function('regularized_beta') -%}
    case
        when abs({{ t }}) < 1
            then
                1 - {{ beta }}(
                    power({{ t }}, 2) / ({{ degrees }} + power({{ t }}, 2)), 0.5, {{ degrees }} / 2.0::double precision
                )
        else
            {{ beta }}(
                {{ degrees }} / ({{ degrees }} + power({{ t }}, 2)), {{ degrees }} / 2.0::double precision, 0.5
            )
    end
{%- endmacro %}
