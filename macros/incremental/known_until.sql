{% macro known_until() -%}
    {#- Instant up to which what has landed counts: var as_of, or no end. -#}
    timestamptz '{{ var("as_of") or "infinity" }}'
{%- endmacro %}
