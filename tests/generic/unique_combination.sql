{% test unique_combination(model, columns) %}
    {#- Rows that share a key. -#}
    {%- set keys -%}
        {%- for column in columns %}{{ adapter.quote(column) }}{{ ', ' if not loop.last }}{% endfor -%}
    {%- endset -%}
    select
        {{ keys }},
        count(*) as rows_with_key
    from {{ model }}
    group by {{ keys }}
    having count(*) > 1
{% endtest %}
