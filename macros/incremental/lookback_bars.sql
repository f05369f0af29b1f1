{% macro lookback_bars(catalogue, without=none) -%}
    {#-
        How many bars before a bar its features read: the longest finite look-back of a catalogue. A scratch holds what the
        longest needs, 199 bars of SMA-200; without that family (`without`) it is 28, and a new session of 7 bars computes
        35 rows of terms and not 206.
    -#}
    (
        select max(catalog.lookback_bars)
        from {{ ref(catalogue) }} as catalog
        where
            catalog.memory = 'finite'
            {%- if without %}
            and catalog.family <> '{{ without }}'
            {%- endif %}
    )
{%- endmacro %}
