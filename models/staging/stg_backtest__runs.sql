{# Grain: one row per backtest: its present state and what its engine claims; as known at var as_of. #}
select
    run_id::text as run_id,
    strategy_id::text as strategy_id,
    strategy::text as strategy,
    parent_search_id::text as search_id,
    range_start,
    range_end,
    timeframe,
    initial_capital,
    currency::text as currency,
    status::text as status,
    n_trials,
    metrics,
    created_at,
    finished_at

from {{ source('raw_backtest', 'backtest_runs') }}
{% if var('as_of') %}
where known_at <= timestamptz '{{ var("as_of") }}'
{% endif %}
