{% macro lookback_bars(family) -%}
    {#-
        A scratch holds what the longest look-back needs, 199 bars and 21 sessions of labels; most families need 28.
        Without this bound a new session of 7 hourly bars computed 206 rows of each series in every family.
    -#}
    (
        select max(catalog.lookback_bars)
        from {{ ref('feature_catalog') }} as catalog
        where
            catalog.memory = 'finite'
            and catalog.family = '{{ family }}'
    )
{%- endmacro %}
