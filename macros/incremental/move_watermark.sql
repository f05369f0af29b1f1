{% macro move_watermark(consumer, version) -%}
    {#- Say that a consumer has taken in every change that the run window saw. -#}
    insert into ops.consumers (model, relation, seen, system_identifier, code_version, run_id)
    select
        '{{ consumer }}',
        relations.relation,
        run_window.cut,
        ops.system_identifier(),
        '{{ version }}',
        '{{ invocation_id }}'
    from ({{ window_cut() }}) as run_window
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
