{% macro record_model_runs(results) %}
    {%- set rows = [] -%}
    {%- for result in results if result.node.resource_type in ['model', 'seed', 'test'] -%}
        {%- set affected = result.adapter_response.get('rows_affected') if result.adapter_response else none -%}
        {%- do rows.append(
            "('" ~ invocation_id ~ "', '" ~ result.node.unique_id | replace("'", "''") ~ "', '" ~ result.status ~ "', "
            ~ result.execution_time ~ ", " ~ (affected if affected is not none and affected >= 0 else 'null') ~ ")"
        ) -%}
    {%- endfor -%}
    {%- if rows and execute and flags.WHICH in ['run', 'build', 'test', 'seed'] -%}
        insert into ops.model_runs (run_id, model, status, seconds, rows)
        values {{ rows | join(', ') }}
        on conflict (run_id, model) do nothing
    {%- else -%}
        select 1
    {%- endif -%}
{% endmacro %}
