{% macro faults_of_compression(compress, table) -%}
    {#-
        What is wrong with the columnstore of a landing table, as a list of texts. Its order must end with the rest of the
        key: batches of 1,000 rows know the first and last value of what they are ordered by, and a revision that is new to
        all of them is written without reading one (13 to 23 us a row instead of 37 to 656, docs/benchmarks.md).
    -#}
    {%- set wrong = [] -%}
    {%- if compress is not mapping or compress | list | sort != ['order_by', 'segment_by'] -%}
        {{ return(['compress: give segment_by and order_by; after which age is said by ops.retention_policy']) }}
    {%- endif -%}
    {%- set named = [] -%}
    {%- for column in (compress.segment_by ~ ',' ~ compress.order_by).split(',') -%}
        {%- set bare = column.strip().split(' ')[0] | replace('"', '') -%}
        {%- do named.append(bare) -%}
        {%- if bare not in table['columns'] -%}
            {%- do wrong.append("compress: '" ~ bare ~ "' is no column of it") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set unnamed = table['key'] | reject('in', named) | join(', ') -%}
    {%- if unnamed -%}
        {%- do wrong.append('compress: end order_by with ' ~ unnamed ~ ' of its key: without, a late row unpacks every batch of its time') -%}
    {%- endif -%}
    {%- if table['has_policies'] -%}
        {%- do wrong.append('compress: it has row-level security, and TimescaleDB allows no columnstore beside it: leave compress out') -%}
    {%- endif -%}
    {%- if not table['compress_after'] -%}
        {%- do wrong.append('compress: ops.retention_policy has no compress_after for it, so it would never happen') -%}
    {%- endif -%}
    {{ return(wrong) }}
{%- endmacro %}
