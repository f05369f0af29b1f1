{% macro faults_of_design(design, columns, key) -%}
    {#- What is wrong with a physical design, as a list of texts: unknown words, columns that are not there, a key without the time. -#}
    {%- set wrong = [] -%}
    {%- if design is not mapping -%}
        {{ return(['give a mapping']) }}
    {%- endif -%}
    {%- for word in design if word not in ['time_column', 'chunk_interval', 'indexes'] -%}
        {%- do wrong.append("unknown word '" ~ word ~ "': give time_column, chunk_interval or indexes") -%}
    {%- endfor -%}
    {%- set time = design.get('time_column') -%}
    {%- if time and time not in columns -%}
        {%- do wrong.append("time_column '" ~ time ~ "' is no column of the model") -%}
    {%- elif time and key and time not in key -%}
        {%- do wrong.append("unique_key must contain time_column '" ~ time ~ "': a hypertable has no other unique keys") -%}
    {%- endif -%}
    {%- set interval = design.get('chunk_interval', 'auto') -%}
    {%- if interval != 'auto' and not modules.re.match('^[1-9][0-9]* (hours?|days?)$', interval | string) -%}
        {%- do wrong.append("chunk_interval '" ~ interval ~ "': give auto, or a whole number of hours or days such as '7 days'") -%}
    {%- elif 'chunk_interval' in design and not time -%}
        {%- do wrong.append('chunk_interval needs a time_column') -%}
    {%- endif -%}
    {%- for index in design.get('indexes', []) -%}
        {%- do wrong.extend(faults_of_index(index, columns)) -%}
    {%- endfor -%}
    {{ return(wrong) }}
{%- endmacro %}
