{% macro rank_ratio(p_value, among, tie) -%}
    {#- Benjamini and Hochberg's first step: a p-value times how many there are, by its rank among them. -#}
    {{ p_value }} * count({{ p_value }}) over (partition by {{ among }})
    / row_number() over (partition by {{ among }} order by {{ p_value }}, {{ tie }})
{%- endmacro %}
