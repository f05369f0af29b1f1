{% macro replace_rows(target, origin, columns, range, is_origin_whole=false) -%}
    {#-
        Delete a range of a table and insert what `origin` has for it: all of it, or, of a whole copy, the same
        range. One transaction, no swap: readers see the old rows or the new ones, and views of others survive.
    -#}
    delete from {{ target }} as target
    {%- if range.from %}
    using {{ range.from }}
    {%- endif %}
    where {{ range.where }};

    insert into {{ target }} ({{ get_quoted_csv(columns) }})
    select target.{{ columns | map('tojson') | join(', target.') }}
    from {{ origin }} as target
    {%- if is_origin_whole and range.from %}
    inner join {{ range.from }} on {{ range.where }}
    {%- endif %}
{%- endmacro %}
