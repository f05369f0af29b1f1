{% macro restated_from(relation, revised, event_at, keys) -%}
    {#-
        From when on a row is no longer what is known of its key, because a later revision is; infinity when there is
        none. A subquery for each row, whose index leads with the key: a window function would read a whole table.
    -#}
    coalesce(
        (
            select min({{ known_from(event_at, 'later.known_at', 'later.source') }})
            from {{ relation }} as later
            where
                {% for key in keys -%}
                    later.{{ key }} = {{ revised }}.{{ key }}
                    and {% endfor -%}
                later.revision > {{ revised }}.revision
                {% if var('as_of') -%}
                    and later.known_at <= timestamptz '{{ var("as_of") }}'
                {%- endif %}
        ),
        'infinity'
    )
{%- endmacro %}
