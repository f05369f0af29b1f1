{% macro trailing_sum(array, bars, spacing=1, weighted=false) -%}
    {#-
        Sum of an array's elements at bars.bar and before it, written out as additions in a fixed order: the same additions
        in the same order wherever a run begins, so an incremental build equals a full one bit for bit, which a running
        sum does not. bars: how many elements are added; spacing: how many bars lie between two of them, to add up sums
        of short windows to a long one. NULL, or NaN, where one of them is. weighted: linear weights, the current bar
        weighs `bars`.
    -#}
    {%- if bars is not number or bars < 1 or bars > 24 -%}
        {{ exceptions.raise_compiler_error("trailing_sum of " ~ bars ~ " elements: give 1 to 24; add up sums of shorter windows with `spacing`") }}
    {%- endif -%}
    {%- for back in range(bars) -%}
        {{ ' + ' if not loop.first }}{{ (bars - back) ~ ' * ' if weighted and bars - back > 1 }}{{ array }}[bars.bar{{ ' - ' ~ back * spacing if back }}]
    {%- endfor -%}
{%- endmacro %}
