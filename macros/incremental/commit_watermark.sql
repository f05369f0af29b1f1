{% macro commit_watermark() -%}
    {#-
        Post-hook of every model downstream of the run window. It runs in the transaction that wrote the model,
        so data and watermark move together. The cut is the snapshot in which the window read the change log:
        rows committed later are dirty for the next build, however early their times are.
        A model whose inputs were built for an earlier window is refused: with `--select` they can be one run
        older than the window, and the model would claim to have taken in what it never read.
    -#}
    {%- set window = run_window_id() -%}
    {%- set tables = ['table', 'incremental'] -%}
    {%- if execute and model.unique_id != window and model.config.materialized in tables and window in ancestors(model.unique_id) -%}
        {%- set version = code_version(model.name) -%}
        {%- set inputs = [] -%}
        {%- set scratch = [] -%}
        {%- for parent in model.depends_on.nodes if parent != window and parent in graph.nodes -%}
            {%- if graph.nodes[parent].config.materialized in tables and window in ancestors(parent) -%}
                {%- do inputs.append(graph.nodes[parent].name) -%}
                {%- do scratch.append(parent) if graph.nodes[parent].config.materialized == 'table' -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if inputs %}
    do $$
    declare
        stale text;
    begin
        select string_agg(built_from.model, ', ' order by built_from.model) into stale
        from ops.built_from
        where
            built_from.model in ('{{ inputs | join("', '") }}')
            and built_from.cut::text <> ({{ window_cut() }})::text;
        if stale is not null then
            raise exception '{{ model.name }} reads %, built for an earlier run window', stale
                using hint = 'Build them together: dbt build, or dbt build --select +{{ model.name }}.';
        end if;
        {%- if scratch and flags.FULL_REFRESH and model.config.materialized == 'incremental' %}
        if exists (select from ref.series)
            and (select bool_and(is_whole) from {{ run_window() }}) is not true
        then
            raise exception 'a full refresh of {{ model.name }} alone would keep only what the last run recomputed'
                using hint = 'Build its inputs with it: dbt build --full-refresh --select +{{ model.name }}.';
        end if;
        {%- endif %}
    end $$;
        {% endif %}
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
