{% macro commit_watermark(model, window='int_run_window') -%}
    {#-
        Post-hook of a model fed by a run window: runs in the transaction that wrote the model, so data and
        watermark move together. The cut is the snapshot in which the window read the change log: rows
        committed later are dirty for the next build, however early their times are.
    -#}
    insert into ops.consumers (model, relation, seen, system_identifier, code_version, run_id)
    select
        '{{ model }}',
        relations.relation,
        run_window.cut,
        ops.system_identifier(),
        run_window.code_version,
        '{{ invocation_id }}'
    from (select cut, code_version from {{ ref(window) }} limit 1) as run_window
    cross join (
        values {% for relation in tracked_relations() %}('{{ relation }}'::regclass){{ ', ' if not loop.last }}{% endfor %}
    ) as relations (relation)
    on conflict (model, relation) do update
        set
            seen = excluded.seen,
            system_identifier = excluded.system_identifier,
            code_version = excluded.code_version,
            run_id = excluded.run_id,
            consumed_at = clock_timestamp()
{%- endmacro %}
