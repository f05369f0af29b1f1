{% macro get_incremental_touched_replace_sql(arg_dict) -%}
    {#-
        Incremental strategy `touched_replace`: delete the rows whose key is in the scratch model that
        config.meta.touched names, and insert them again. The key is the first column of the unique key, or the columns
        in config.meta.touched_keys. For grains that are no range of a series.
    -#}
    {{ replace_dirty('touched_replace', arg_dict) }}
{%- endmacro %}
