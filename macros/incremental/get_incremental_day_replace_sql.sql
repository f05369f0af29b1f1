{% macro get_incremental_day_replace_sql(arg_dict) -%}
    {#-
        Incremental strategy `day_replace`, for models whose grain crosses instruments: delete every session
        date from the first that the run window can have changed, per timeframe, and insert it again.
    -#}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ target }} as target
    using ({{ first_touched_days() }}) as touched
    where
        target.timeframe = touched.timeframe
        and target.session_date >= touched.first_day
        and target.feature_version = '{{ var("feature_version") }}';

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
