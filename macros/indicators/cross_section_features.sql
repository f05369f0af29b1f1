{% macro cross_section_features() -%}
    {#-
        Features of feature_engineered_data that features_cross_section compares between instruments. All of finite
        memory: a recursive one changes in its last digits at every bar after a corrected one, and with it every
        later cross-section.
    -#}
    {{ return([
        'returns', 'roc_5', 'roc_20', 'price_to_sma_50', 'realized_vol_24', 'volume_zscore_20', 'dollar_volume_sma_20',
        'amihud_illiquidity_20',
    ]) }}
{%- endmacro %}
