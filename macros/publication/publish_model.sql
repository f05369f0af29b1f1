{% macro publish_model(node, is_whole) -%}
    {#-
        Bring one published table in line with the model as built: the rows of the run window, or all of them.
        The table is made at its first publication, with its physical design, and altered when the model's columns change; a column that
        somebody's view needs is not dropped, PostgreSQL's error names the view. A mart with tenant_id shows each
        tenant its own rows, from the transaction on that makes it.
    -#}
    {%- set origin = api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias, type='table') -%}
    {%- set target = api.Relation.create(database=node.database, schema='marts', identifier=node.alias, type='table') -%}
    {%- set meta = node.config.get('meta', {}) -%}
    {%- set design = meta.get('physical_design', {}) -%}
    {%- set columns = adapter.get_columns_in_relation(origin) -%}
    {%- set published = adapter.get_columns_in_relation(target) -%}
    {%- if not published %}
{{ born_as_designed(target, origin, design) }};
alter table {{ target }}
        {%- for column in node.columns.values() if column.constraints | selectattr('type', 'equalto', 'not_null') | list %}
    alter column {{ adapter.quote(column.name) }} set not null,
        {%- endfor %}
    set (autovacuum_enabled = true);
    {%- else -%}
        {%- set were = {} -%}
        {%- for column in published -%}{%- do were.update({column.name: column.data_type}) -%}{%- endfor -%}
        {%- for column in columns if column.name not in were %}
alter table {{ target }} add column {{ adapter.quote(column.name) }} {{ column.data_type }};
        {%- endfor -%}
        {%- for column in columns if column.name in were and were[column.name] != column.data_type %}
alter table {{ target }} alter column {{ adapter.quote(column.name) }} type {{ column.data_type }};
        {%- endfor -%}
        {%- for name in were if name not in columns | map(attribute='name') %}
alter table {{ target }} drop column {{ adapter.quote(name) }};
        {%- endfor -%}
        {%- set everything = {'from': none, 'where': "target.feature_version = '" ~ var('feature_version') ~ "'" if meta.get('versioned') else 'true'} -%}
{{ replace_rows(
    target, origin, columns | map(attribute='name') | list,
    everything if is_whole else window_range(node.config.incremental_strategy, meta, node.config.unique_key), is_origin_whole=true
) }};
    {%- endif %}
    {%- if columns | selectattr('name', 'equalto', 'tenant_id') | list %}
select ops.protect_tenant_rows('{{ target }}');
    {%- endif %}
{{ ensure_key(target, node) }};
    {%- for index in design.get('indexes', []) %}
{{ ensure_index(
    target, index.name, index.columns, include=index.get('include', []), where=index.get('where'), method=index.get('method', 'btree')
) }};
    {%- endfor %}
    {%- if is_whole or not published %}
comment on table {{ target }} is {{ postgres_escape_comment(node.description) }};
        {%- for column in node.columns.values() %}
comment on column {{ target }}.{{ adapter.quote(column.name) }} is {{ postgres_escape_comment(column.description) }};
        {%- endfor %}
    {%- endif %}
{%- endmacro %}
