{% macro landing_catalogue(sources) -%}
    {#-
        Columns, primary key, row-level security and age of compression of the tables of sources, by unique_id; a table that
        is not there is left out.
    -#}
    {%- set found = {} -%}
    {%- if sources -%}
        {%- set names = [] -%}
        {%- for source in sources -%}
            {%- do names.append("('" ~ source.unique_id ~ "', '" ~ source.schema ~ '.' ~ source.identifier ~ "')") -%}
        {%- endfor -%}
        {%- set asked %}
            select
                named.id,
                to_json(array_agg(attribute.attname order by attribute.attnum)),
                to_json(array_agg(attribute.attname) filter (where attribute.attnum = any (key.conkey))),
                bool_or(class.relrowsecurity),
                max(policy.compress_after)::text
            from (values {{ names | join(', ') }}) as named (id, relation)
            inner join pg_attribute as attribute on attribute.attrelid = to_regclass(named.relation)
            inner join pg_class as class on class.oid = attribute.attrelid
            left join ops.retention_policy as policy on policy.relation = named.relation
            left join pg_constraint as key on key.conrelid = attribute.attrelid and key.contype = 'p'
            where attribute.attnum > 0 and not attribute.attisdropped
            group by named.id
        {%- endset -%}
        {%- for row in run_query(asked) -%}
            {%- do found.update({row[0]: {
                'columns': fromjson(row[1]) if row[1] is string else row[1],
                'key': (fromjson(row[2]) if row[2] is string else row[2]) or [],
                'has_policies': row[3],
                'compress_after': row[4],
            }}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
