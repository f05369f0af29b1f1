{% macro get_incremental_day_replace_sql(arg_dict) -%}
    {#-
        Incremental strategy `day_replace`, for models whose grain crosses instruments: delete every session
        date from the first that the run window can have changed, per timeframe, and insert it again.
    -#}
    {{ replace_rows(arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['dest_columns'] | map(attribute='name') | list, window_range('day_replace', config.get('meta', {}))) }}
{%- endmacro %}
