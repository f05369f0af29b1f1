{% macro get_incremental_replace_all_sql(arg_dict) -%}
    {#-
        Incremental strategy `replace_all`, for small summaries made from incremental partials: their window
        moves with the clock, so rows must leave it even when nothing was landed. One transaction, no swap:
        readers see the old rows or the new ones, and views of other people survive.
    -#}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
