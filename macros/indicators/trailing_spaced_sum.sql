{% macro trailing_spaced_sum(column, offsets, over='by_bar') -%}
    {#- Sum of a column at the given bars back, in that order: adds sums of short windows up to a long one. -#}
    {%- for back in offsets -%}
        {{ ' + ' if not loop.first }}{{ column if back == 0 else 'lag(' ~ column ~ ', ' ~ back ~ ') over ' ~ over }}
    {%- endfor -%}
{%- endmacro %}
