{#
    The gate of promotion: active models whose challenger is significantly better over all that both predicted.
    A warning, not a failure: whether another model is to be followed is for people to say, and the data is right.
#}
{{ config(severity='warn') }}
select
    champion_id,
    challenger_id,
    challenger_status,
    prediction_type,
    timeframe,
    horizon_bars,
    bars,
    loss_difference,
    net_return_difference,
    p_value

from {{ ref('model_comparison') }}
where
    period = 'all'
    and better = 'challenger'
    and is_significant
