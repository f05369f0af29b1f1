{% macro trailing_extreme(function, array, bars, spacing=1) -%}
    {#-
        greatest() or least() of an array's elements at bars.bar and before it: `bars` elements, `spacing` bars apart. NULLs
        are ignored by both, so the caller guards the first bars of a series by bar_number.
    -#}
    {%- if function not in ['greatest', 'least'] -%}
        {{ exceptions.raise_compiler_error("trailing_extreme: '" ~ function ~ "' is neither greatest nor least") }}
    {%- endif -%}
    {{ function }}(
    {%- for back in range(bars) -%}
        {{ array }}[bars.bar{{ ' - ' ~ back * spacing if back }}]{{ ', ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}
