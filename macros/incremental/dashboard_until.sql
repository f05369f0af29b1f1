{% macro dashboard_until() -%}
    {#- Instant from which the dashboards' window is counted back: var dashboard_as_of, else the start of this run. -#}
    timestamptz '{{ var("dashboard_as_of") or run_started_at.isoformat() }}'
{%- endmacro %}
