{#
    Grain: one row per execution of a strategy that is in force, neither replaced nor taken back, its side as the sign of
    its quantity; as known at var as_of.
#}
select
    fills.account_id::text as account_id,
    fills.strategy_id::text as strategy_id,
    fills.seq,
    fills.symbol::text as symbol,
    fills.price,
    fills.commission,
    fills.currency::text as currency,
    fills."timestamp" as executed_at,
    case fills.side when 'buy' then fills.quantity else -fills.quantity end as signed_quantity

from {{ source('raw_trading', 'fills') }} as fills
left join {{ source('raw_trading', 'fills') }} as corrections
    on
        fills.fill_id = corrections.corrects_fill_id
        and corrections.known_at <= {{ known_until() }}
where
    not fills.is_cancel
    and corrections.fill_id is null
    and fills.known_at <= {{ known_until() }}
