{% macro take_cut() -%}
    {#-
        Pre-hook of the run window: the cut is taken before the change log is read. What commits in between
        is read and stays dirty for the next build; taken after the read it would be marked as seen unread.
    -#}
    insert into ops.built_from (model, cut, code_version, run_id)
    values ('int_run_window', pg_current_snapshot(), '{{ code_version("int_run_window") if execute }}', '{{ invocation_id }}')
    on conflict (model) do update
        set
            cut = excluded.cut,
            code_version = excluded.code_version,
            run_id = excluded.run_id,
            built_at = excluded.built_at
{%- endmacro %}
