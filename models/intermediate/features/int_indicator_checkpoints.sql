{#
    Grain: one row per series and every 64th bar of it: the recursive state after that bar.
    Where the next incremental build takes up the recursive indicators instead of warming them up.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='window_replace',
        unlogged=false,
        unique_key=['instrument_id', 'timeframe', 'bar_ts'],
        meta={'window_column': 'bar_ts'},
    )
}}
{%- for part in ['int_features_part_1', 'int_features_part_2'] %}
    {{ 'union all' if not loop.first }}
    select
        {% for state in indicator_states() -%}
            {{ state }},
        {% endfor -%}
        instrument_id,
        timeframe,
        "timestamp" as bar_ts,
        bar_number
    from {{ ref(part) }}
    where bar_number % {{ checkpoint_bars() }} = 0
{% endfor %}
