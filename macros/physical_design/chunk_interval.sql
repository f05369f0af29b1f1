{% macro chunk_interval(origin, design) -%}
    {#-
        Length of the chunks of a hypertable that is about to be filled from `origin`, as an interval: what the
        design says, or by rule. `auto`: the longest of 360, 90, 30, 7 and 1 days of which one chunk fits into
        shared_buffers (a quarter of memory), by the bytes per day in `origin`, but never so short that there are
        more than 500 chunks. 90 days where nothing is there to be measured.
    -#}
    {%- if design.get('chunk_interval', 'auto') != 'auto' -%}
        {{ return(design.chunk_interval) }}
    {%- endif -%}
    {%- set time = adapter.quote(design.time_column) -%}
    {%- set rule %}
        with span as (
            select extract(epoch from max({{ time }}) - min({{ time }})) / 86400 + 1 as days
            from {{ origin }}
        ),
        measured as (
            select
                days,
                pg_table_size('{{ origin }}') / days as bytes_per_day,
                (select setting::bigint * 8192 from pg_settings where name = 'shared_buffers') as memory
            from span
        ),
        judged as (
            select
                candidates.length,
                measured.days / candidates.length <= 500 as are_few,
                measured.bytes_per_day * candidates.length <= measured.memory as is_small
            from measured cross join (values (1), (7), (30), (90), (360)) as candidates (length)
        )
        select coalesce(
            max(length) filter (where are_few and is_small),
            min(length) filter (where are_few),
            90
        ) || ' days' from judged
    {%- endset -%}
    {{ return(run_query(rule).columns[0].values()[0]) }}
{%- endmacro %}
