{% macro known_from(event_at, known_at, source) -%}
    {#-
        From when on a landed row may be used: the later of when the world could know and when we did. What a source
        had landed by the instant that var history_landed_until gives it is history: known when it was published.
    -#}
    {%- set until = var('history_landed_until') -%}
    {%- if until -%}
    case
        when
            {{ known_at }} <= case {{ source }}
                {%- for name, instant in until.items() if name != '*' %}
                when '{{ name | replace("'", "''") }}' then '{{ instant }}'::timestamptz
                {%- endfor %}
                when '' then '-infinity'
                else '{{ until.get("*", "-infinity") }}'::timestamptz
            end
            then {{ event_at }}
        else greatest({{ event_at }}, {{ known_at }})
    end
    {%- else -%}
    greatest({{ event_at }}, {{ known_at }})
    {%- endif -%}
{%- endmacro %}
