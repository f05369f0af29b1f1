{# Grain: one row per prediction, its kind and its score spelled out; as known at var as_of. #}
with

named as (

    select
        prediction_id,
        model_id,
        symbol,
        "timestamp" as predicted_at,
        prediction_type,
        timeframe,
        horizon_bars,
        prediction_value,
        features,
        feature_version,
        created_at,
        known_at,
        case
            when prediction_type like '%direction%' then 'direction'
            when prediction_type like '%volatility%' then 'volatility'
            when prediction_type in ('return', 'returns') then 'return'
            else 'score'
        end as judged_as,
        (class_probabilities ->> 'up')::double precision as probability_up

    from {{ source('raw_ml', 'predictions') }}
    {% if var('as_of') %}
        where known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

)

select
    named.*,
    {{ prediction_score('named') }} as score

from named
