{% macro drift_window_days() -%}
    {#- Length of the window of model_drift_daily in days. No var: another length would be another measure. -#}
    {{ return(30) }}
{%- endmacro %}
