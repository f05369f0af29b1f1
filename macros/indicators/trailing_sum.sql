{% macro trailing_sum(column, bars, over='by_bar', weighted=false) -%}
    {#-
        Sum over the current bar and the bars before it, written out as additions in a fixed order: the same
        additions in the same order wherever a build starts, so an incremental build equals a full one bit
        for bit, which a running sum does not. NULL until there are that many bars. For long windows add up
        sums of short ones (docs/features.md). weighted: linear weights, the current bar weighs `bars`.
    -#}
    {%- if bars is not number or bars < 2 or bars > 12 -%}
        {{ exceptions.raise_compiler_error("trailing_sum of " ~ bars ~ " bars: give 2 to 12; add up sums for longer windows") }}
    {%- endif -%}
    {{ bars ~ ' * ' if weighted }}{{ column }}
    {%- for back in range(1, bars) %} + {{ (bars - back) ~ ' * ' if weighted and bars - back > 1 }}lag({{ column }}, {{ back }}) over {{ over }}{% endfor -%}
{%- endmacro %}
