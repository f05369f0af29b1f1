{% macro interpolated(target, x, y) -%}
    {#-
        Aggregate: y at a target, on the straight line between the points of a group next to it on both sides (as
        numpy.interp); NULL where the target lies outside of them, for nothing is extrapolated. No two points share x.
    -#}
    {%- set below = 'filter (where ' ~ x ~ ' <= ' ~ target ~ ')' -%}
    {%- set above = 'filter (where ' ~ x ~ ' >= ' ~ target ~ ')' -%}
    {%- set x_below = 'max(' ~ x ~ ') ' ~ below -%}
    {%- set x_above = 'min(' ~ x ~ ') ' ~ above -%}
    {%- set y_below = '(array_agg(' ~ y ~ ' order by ' ~ x ~ ' desc) ' ~ below ~ ')[1]' -%}
    {%- set y_above = '(array_agg(' ~ y ~ ' order by ' ~ x ~ ') ' ~ above ~ ')[1]' -%}
    case
        when {{ x_below }} = {{ x_above }} then {{ y_below }}
        else
            {{ y_below }}
            + ({{ target }} - {{ x_below }}) / ({{ x_above }} - {{ x_below }}) * ({{ y_above }} - {{ y_below }})
    end
{%- endmacro %}
