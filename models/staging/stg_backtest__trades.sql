{# Grain: one row per simulated execution of a backtest, its side as the sign of its quantity; as known at var as_of. #}
select
    run_id::text as run_id,
    trade_no,
    symbol::text as symbol,
    price,
    commission,
    slippage,
    "timestamp" as executed_at,
    case side when 'buy' then quantity else -quantity end as signed_quantity

from {{ source('raw_backtest', 'backtest_trades') }}
{% if var('as_of') %}
where known_at <= timestamptz '{{ var("as_of") }}'
{% endif %}
