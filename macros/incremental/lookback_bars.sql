{% macro lookback_bars(catalogue, family=none) -%}
    {#-
        A scratch holds what the longest look-back needs, 199 bars and 21 sessions of labels; most families need 28.
        Without this bound a new session of 7 hourly bars computed 206 rows of each series in every family.
    -#}
    (
        select max(catalog.lookback_bars)
        from {{ ref(catalogue) }} as catalog
        where
            catalog.memory = 'finite'
            {%- if family %}
            and catalog.family = '{{ family }}'
            {%- endif %}
    )
{%- endmacro %}
