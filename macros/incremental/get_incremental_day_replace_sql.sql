{% macro get_incremental_day_replace_sql(arg_dict) -%}
    {#-
        Incremental strategy `day_replace`, for models whose grain crosses instruments: delete every session
        date from the first that the run window can have changed, per timeframe, and insert it again.
    -#}
    {{ replace_dirty('day_replace', arg_dict) }}
{%- endmacro %}
