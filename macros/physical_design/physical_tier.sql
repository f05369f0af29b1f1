{% macro physical_tier() -%}
    {#-
        What the server can do, asked at run time: `community` (TimescaleDB with columnstore and policies), `apache`
        (TimescaleDB without them) or `plain` PostgreSQL. The license decides, not the version.
    -#}
    {{ return(run_query(
        "select case when not exists (select from pg_extension where extname = 'timescaledb') then 'plain'"
        ~ " when current_setting('timescaledb.license', true) = 'timescale' then 'community' else 'apache' end"
    ).columns[0].values()[0] if execute else 'plain') }}
{%- endmacro %}
