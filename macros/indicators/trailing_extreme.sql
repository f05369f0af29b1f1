{% macro trailing_extreme(function, column, offsets, over='by_bar') -%}
    {#-
        greatest() or least() of a column at the given bars back (0 is the current bar). NULLs are ignored by
        both, so the caller guards the first bars of a series by bar_number.
    -#}
    {%- if function not in ['greatest', 'least'] -%}
        {{ exceptions.raise_compiler_error("trailing_extreme: '" ~ function ~ "' is neither greatest nor least") }}
    {%- endif -%}
    {{ function }}(
    {%- for back in offsets -%}
        {{ column if back == 0 else 'lag(' ~ column ~ ', ' ~ back ~ ') over ' ~ over }}{{ ', ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}
