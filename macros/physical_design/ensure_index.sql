{% macro ensure_index(relation, name, columns, include=[], unique=false, where=none, method='btree') -%}
    {#-
        Create an index with an explicit name when the relation does not have it yet; dbt's own `indexes`
        config knows neither INCLUDE nor WHERE nor sort order and only acts when it creates the table.
        After dbt's swap the name can belong to the old table, which is about to be dropped: it gives it up.
    -#}
    {%- if name | length > 63 -%}
        {{ exceptions.raise_compiler_error("index name " ~ name ~ " is longer than PostgreSQL's 63 characters") }}
    {%- endif -%}
    do $$
    begin
        if not exists (
            select from pg_index where indexrelid = to_regclass('{{ relation.schema }}.{{ name }}') and indrelid = '{{ relation }}'::regclass
        ) then
            if to_regclass('{{ relation.schema }}.{{ name }}') is not null then
                alter index {{ relation.schema }}.{{ name }} rename to {{ (name ~ '_old')[:63] }};
            end if;
            create {{ 'unique ' if unique }}index {{ name }} on {{ relation }} using {{ method }} ({{ columns | join(', ') }})
            {%- if include %} include ({{ include | join(', ') }}){% endif %}
            {%- if where %} where {{ where }}{% endif %};
        end if;
    end $$
{%- endmacro %}
