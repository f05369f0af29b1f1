{% macro greatest_of_fives(column, bars) -%}
    {#- greatest() of a column that looks back five bars, every fifth bar back over a window by_bar; NULLs are ignored. -#}
    greatest(
    {%- for back in range(0, bars, 5) -%}
        {{ column if back == 0 else 'lag(' ~ column ~ ', ' ~ back ~ ') over by_bar' }}{{ ', ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}
