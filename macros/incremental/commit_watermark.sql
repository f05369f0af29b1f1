{% macro commit_watermark() -%}
    {#-
        Post-hook of every model downstream of the run window. It runs in the transaction that wrote the model,
        so data and watermark move together. The cut is the snapshot in which the window read the change log:
        rows committed later are dirty for the next build, however early their times are.
    -#}
    {%- if execute and model.config.materialized in ['table', 'incremental'] and model.unique_id != run_window_id() and run_window_id() in ancestors(model.unique_id) -%}
        {%- set version = code_version(model.name) -%}
    insert into ops.built_from (model, cut, code_version, run_id)
    select '{{ model.name }}', cut, '{{ version }}', '{{ invocation_id }}' from ({{ window_cut() }}) as run_window
    on conflict (model) do update
        set
            cut = excluded.cut,
            code_version = excluded.code_version,
            run_id = excluded.run_id,
            built_at = excluded.built_at
        {%- if model.config.materialized == 'incremental' %};
    {{ move_watermark(model.name, version) }}
        {%- endif %}
    {%- endif -%}
{%- endmacro %}
