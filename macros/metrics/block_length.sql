{% macro block_length(observations, horizon) -%}
    {#-
        Length of the blocks of a bootstrap: four horizons, over which overlapping observations are alike, and at least the
        cube root of their number. NULL where it gives fewer than two blocks.
    -#}
    case
        when {{ observations }} >= 2 * greatest(4 * {{ horizon }}, ceil(cbrt({{ observations }})))
            then greatest(4 * {{ horizon }}, ceil(cbrt({{ observations }})))::integer
    end
{%- endmacro %}
