{% test fractions_in_range(model, columns) %}
    {#- Rows in which a probability or share is not between 0 and 1; NULL is not wrong, and the slack is rounding. -#}
    select *
    from {{ model }}
    where
        {% for column in columns -%}
        {{ column }} not between -1e-12 and 1 + 1e-12
        {{ 'or ' if not loop.last }}
        {%- endfor %}
{% endtest %}
