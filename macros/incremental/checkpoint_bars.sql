{% macro checkpoint_bars() -%}
    {#-
        Recursive state is stored at every 64th bar of a series. A build resumes at most 63 bars before the
        first change, inside the 199 bars that SMA-200 reads anyway, for 1/64 of the space of storing it always.
    -#}
    64
{%- endmacro %}
