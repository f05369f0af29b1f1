{% macro born_as_designed(target, origin, design) -%}
    {#-
        Statements that make a table as a copy of another: in one go on plain PostgreSQL; with TimescaleDB and a
        declared time column empty first, then a hypertable, then filled. Keys and indexes come after the rows.
    -#}
    {%- if design.get('time_column') and physical_tier() != 'plain' -%}
create table {{ target }} (like {{ origin }});
{{ ensure_hypertable(target, design.time_column, chunk_interval(origin, design)) }};
insert into {{ target }} table {{ origin }}
    {%- else -%}
create table {{ target }} as table {{ origin }}
    {%- endif -%}
{%- endmacro %}
