{% macro claimed_metric(metrics, names) -%}
    {#- What a program says of itself under the first of some names (JSON). What is not a number claims nothing. -#}
    coalesce(
        {% for name in names -%}
            case
                when jsonb_typeof({{ metrics }} -> '{{ name }}') = 'number'
                    then ({{ metrics }} ->> '{{ name }}')::double precision
            end{{ ',' if not loop.last }}
        {% endfor -%}
    )
{%- endmacro %}
