{% macro note_built_from(name, cut, version) -%}
    {#- Say which run window a model was built from; `cut` is an expression for the snapshot of that window. -#}
    insert into ops.built_from (model, cut, code_version, run_id)
    values ('{{ name }}', {{ cut }}, '{{ version }}', '{{ invocation_id }}')
    on conflict (model) do update
        set
            cut = excluded.cut,
            code_version = excluded.code_version,
            run_id = excluded.run_id,
            built_at = excluded.built_at
{%- endmacro %}
