{% macro q_value(p_value, ratio, among, tie) -%}
    {#-
        Benjamini and Hochberg: the share of false discoveries when everything as sure as this is called one, the least
        rank_ratio of this p-value and all above it. NULL when the p-value is.
    -#}
    case
        when {{ p_value }} is not null
            then
                least(1, min({{ ratio }}) over (
                    partition by {{ among }}
                    order by {{ p_value }} desc nulls last, {{ tie }} desc rows unbounded preceding
                ))
    end
{%- endmacro %}
