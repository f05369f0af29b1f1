{% macro commit_watermark() -%}
    {#-
        Post-hook of every model downstream of the run window. It runs in the transaction that wrote the model,
        so data and watermark move together. The cut is the snapshot in which the window read the change log:
        rows committed later are dirty for the next build, however early their times are.
    -#}
    {#- A workspace is nobody's watermark. -#}
    {%- if execute and not var('workspace') and model.config.materialized in ['scratch', 'table', 'incremental'] and model.unique_id != run_window_id() and run_window_id() in ancestors(model.unique_id) -%}
        {%- set version = code_version(model.name) -%}
    {{ note_built_from(model.name, '(' ~ window_cut() ~ ')', version) }}
        {%- if model.config.materialized == 'incremental' %};
    {{ move_watermark(model.name, version) }}
        {%- endif %}
    {%- endif -%}
{%- endmacro %}
