{% macro faults_of_design(design, table, words) -%}
    {#- What is wrong with a physical design, as a list of texts: unknown words, columns that are not there, a key without the time. -#}
    {%- set wrong, columns, key = [], table['columns'], table['key'] -%}
    {%- if design is not mapping -%}
        {{ return(['give a mapping']) }}
    {%- endif -%}
    {%- for word in design if word not in words -%}
        {%- do wrong.append("unknown word '" ~ word ~ "': give " ~ words[:-1] | join(', ') ~ ' or ' ~ words[-1]) -%}
    {%- endfor -%}
    {%- set time = design.get('time_column') -%}
    {%- if time and time not in columns -%}
        {%- do wrong.append("time_column '" ~ time ~ "' is no column of it") -%}
    {%- elif time and key and time not in key -%}
        {%- do wrong.append("its unique key must contain time_column '" ~ time ~ "': chunks and partitions have no other unique keys") -%}
    {%- endif -%}
    {%- set interval = design.get('chunk_interval', 'auto') -%}
    {%- if interval != 'auto' and not modules.re.match('^[1-9][0-9]* (hours?|days?)$', interval | string) -%}
        {%- do wrong.append("chunk_interval '" ~ interval ~ "': give auto, or a whole number of hours or days such as '7 days'") -%}
    {%- endif -%}
    {%- if design.get('partitions', false) is not boolean -%}
        {%- do wrong.append("partitions '" ~ design.partitions ~ "': give true or false") -%}
    {%- endif -%}
    {%- for word in ['chunk_interval', 'partitions', 'compress'] if word in design and not time -%}
        {%- do wrong.append(word ~ ' needs a time_column') -%}
    {%- endfor -%}
    {%- if 'compress' in design -%}
        {%- do wrong.extend(faults_of_compression(design.compress, table)) -%}
    {%- endif -%}
    {%- for index in design.get('indexes', []) -%}
        {%- do wrong.extend(faults_of_index(index, columns)) -%}
    {%- endfor -%}
    {{ return(wrong) }}
{%- endmacro %}
