{% macro window_consumers() -%}
    {#-
        The models that read a run window. A change stays dirty until every one of them has committed it, so a
        run that failed half-way is made good by the next.
    -#}
    {{ return(['int_indicator_checkpoints', 'feature_engineered_data', 'int_features_daily', 'feature_coverage', 'mv_features_dashboard_summary', 'market_overview']) }}
{%- endmacro %}
