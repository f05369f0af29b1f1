{% macro ensure_hypertable(relation, time_column, interval) -%}
    {#-
        Make an empty table a hypertable when it is none yet. Without TimescaleDB's default index: the key of a
        mart has the time column already. A table with rows is refused by TimescaleDB: tables are born with their
        design, because moving rows later writes them twice under a lock.
    -#}
    do $$
    begin
        if not exists (
            select from timescaledb_information.hypertables
            where hypertable_schema = '{{ relation.schema }}' and hypertable_name = '{{ relation.identifier }}'
        ) then
            perform create_hypertable(
                '{{ relation }}'::regclass,
                by_range('{{ time_column }}', interval '{{ interval }}'),
                create_default_indexes => false
            );
        end if;
    end $$
{%- endmacro %}
