{% macro faults_of_compression(compress, columns) -%}
    {#- What is wrong with the columnstore of a physical design, as a list of texts. -#}
    {%- set wrong = [] -%}
    {%- if compress is not mapping or compress | list | sort != ['order_by', 'segment_by'] -%}
        {{ return(['compress: give segment_by and order_by; after which age is said by ops.retention_policy']) }}
    {%- endif -%}
    {%- for column in (compress.segment_by ~ ',' ~ compress.order_by).split(',') -%}
        {%- set bare = column.strip().split(' ')[0] | replace('"', '') -%}
        {%- if bare not in columns -%}
            {%- do wrong.append("compress: '" ~ bare ~ "' is no column of it") -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(wrong) }}
{%- endmacro %}
