{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {#-
        As in dbt-postgres, but an enforced contract is checked and the table still made by CREATE TABLE AS.
        dbt would create it empty and INSERT: that never runs in parallel, and with the key in place it took
        23 s where creating the table first and the key afterwards takes 17 (1.9M rows of 150 columns).
        Scratch is dropped by the next run: vacuuming it in the background only costs.
        A temporary table is compared with its contract once it is there (postgres__check_for_schema_changes).
    -#}
    {%- set contract_config = config.get('contract') -%}
    {%- if contract_config.enforced and not temporary -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}
    {{ config.get('sql_header', '') or '' }}
    create {{ 'temporary' if temporary else ('unlogged' if config.get('unlogged', default=false)) }} table {{ relation }}
    {%- if config.get('materialized') == 'scratch' %} with (autovacuum_enabled = false){% endif %} as (
        {{ sql }}
    );
    {%- set required = [] -%}
    {%- for column in model.get('columns', {}).values() if contract_config.enforced and not temporary -%}
        {%- if column.get('constraints', []) | selectattr('type', 'equalto', 'not_null') | list -%}
            {%- do required.append('alter column ' ~ adapter.quote(column.name) ~ ' set not null') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if required %}
    alter table {{ relation }} {{ required | join(', ') }};
    {%- endif %}
{%- endmacro %}
