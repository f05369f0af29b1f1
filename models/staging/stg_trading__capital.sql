{#
    Grain: one row per account, strategy ('' for the whole account) and time: what it was said to be worth then, in the
    currency of the account, by its latest statement; as known at var as_of.
#}
select distinct on (snapshots.account_id, snapshots.strategy_id, snapshots.snapshot_ts)
    snapshots.account_id::text as account_id,
    snapshots.strategy_id,
    snapshots.snapshot_ts as stated_at,
    snapshots.equity

from {{ source('raw_trading', 'portfolio_snapshots') }} as snapshots
inner join {{ source('raw_trading', 'accounts') }} as books on snapshots.account_id = books.account_id
where
    coalesce(snapshots.currency, books.currency) = books.currency
    and snapshots.known_at <= {{ known_until() }}
order by
    snapshots.account_id asc,
    snapshots.strategy_id asc,
    snapshots.snapshot_ts asc,
    snapshots.known_at desc,
    snapshots.source asc,
    snapshots.revision desc
