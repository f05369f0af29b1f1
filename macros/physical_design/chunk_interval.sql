{% macro chunk_interval(origin, design) -%}
    {#-
        Length of the chunks of a hypertable that is about to be filled from `origin`, as an interval: what the
        design says, or by the rule of ops.chunk_interval().
    -#}
    {%- if design.get('chunk_interval', 'auto') != 'auto' -%}
        {{ return(design.chunk_interval) }}
    {%- endif -%}
    {{ return(run_query("select ops.chunk_interval('" ~ origin ~ "', '" ~ design.time_column ~ "')::text").columns[0].values()[0]) }}
{%- endmacro %}
