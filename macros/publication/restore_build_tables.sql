{% macro restore_build_tables() -%}
    {#-
        on-run-start: fill the marts in schema build again from what is published, after a crash or a restored backup.
        They are not logged, because every row of them is written a second time, with WAL, when it is published; so
        PostgreSQL empties them when it recovers. What was built after the last publication is lost with them, and is
        made again: the publication is a consumer of the run window, for which it is still dirty.
    -#}
    {%- set filled = [] -%}
    {%- if execute and not var('workspace') and flags.WHICH in ['run', 'build', 'retry', 'test'] -%}
        {%- set names = published_models() | map(attribute='alias') | join("', '") -%}
        {#- A table that was emptied has no pages, one whose rows were deleted has. -#}
        {%- set empty = run_query(
            "select built.relname from pg_class as built where built.relnamespace = to_regnamespace('build')"
            ~ " and built.relname in ('" ~ names ~ "') and built.relpersistence = 'u' and pg_relation_size(built.oid) = 0"
            ~ " and to_regclass('marts.' || built.relname) is not null"
        ).columns[0].values() -%}
        {%- for name in empty -%}
            {%- set origin = published_relation(name) -%}
            {%- set target = api.Relation.create(database=origin.database, schema='build', identifier=name) -%}
            {%- set published = adapter.get_columns_in_relation(origin) | map(attribute='name') | list -%}
            {%- set columns = adapter.get_columns_in_relation(target) | map(attribute='name') | select('in', published) | list -%}
            {%- do filled.append(
                'insert into ' ~ target ~ ' (' ~ get_quoted_csv(columns) ~ ') select ' ~ get_quoted_csv(columns) ~ ' from ' ~ origin
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ filled | join(';\n') or 'select 1' }}
{%- endmacro %}
