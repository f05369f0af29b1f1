{% macro check_inputs() -%}
    {#-
        Pre-hook of every model downstream of the run window. A model whose inputs were built for an earlier window is
        refused: with `--select` they can be one run older than the window, and the model would claim to have
        taken in what it never read. So is a full refresh of one model from the scratch of a partial window.
        Before the model writes: afterwards its unique key could fail first, with a message that helps nobody.
    -#}
    {%- set window = run_window_id() -%}
    {%- set tables = ['scratch', 'table', 'incremental'] -%}
    {%- set inputs = [] -%}
    {%- set scratch = [] -%}
    {%- for parent in (model.depends_on.nodes if execute and not var('workspace') and model.config.materialized in tables else []) if parent != window and parent in graph.nodes -%}
        {%- if graph.nodes[parent].config.materialized in tables and window in ancestors(parent) -%}
            {%- do inputs.append(graph.nodes[parent].name) -%}
            {%- do scratch.append(parent) if graph.nodes[parent].config.materialized != 'incremental' -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if inputs -%}
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
    end $$
    {%- endif -%}
{%- endmacro %}
