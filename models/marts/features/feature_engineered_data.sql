{#
    Grain: one row per instrument, timeframe, bar start (timestamp) and feature version.
    Every column is documented in seeds/catalog/feature_catalog.csv, from which its YAML is generated.
    Prices and volume are in today's shares: close / split_factor is the price that was traded,
    close * dividend_factor the total-return price.
    int_features lists the columns, in families; here the two parts of a run come together.
#}
{{
    config(
        incremental_strategy='window_replace',
        unique_key=['instrument_id', 'timeframe', 'timestamp', 'feature_version'],
        meta={
            'window_column': 'timestamp',
            'versioned': true,
            'physical_design': {
                'time_column': 'timestamp',
                'chunk_interval': 'auto',
                'indexes': [{
                    'name': 'idx_features_symbol_version_covering',
                    'columns': ['symbol', 'feature_version', '"timestamp" desc'],
                    'include': ['close', 'rsi_1d', 'price_ma_short'],
                    'why': 'the recent features of a symbol, read from the index alone (docs/seeds/ml_trading.sql)',
                }, {
                    'name': 'idx_features_timeseries',
                    'columns': ['timeframe', '"timestamp" desc'],
                    'why': 'a cross-section: every instrument at one bar; the key begins with the instrument',
                }],
            },
        },
    )
}}
{%- set columns -%}
    {% for name in model.columns -%}
        {{ adapter.quote(name) }}{{ ',' if not loop.last }}
    {% endfor %}
{%- endset -%}
select {{ columns }} from {{ ref('int_features_part_1') }}
union all
select {{ columns }} from {{ ref('int_features_part_2') }}
