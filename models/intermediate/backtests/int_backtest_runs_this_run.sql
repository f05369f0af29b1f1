{#
    Grain: one row per backtest that this run judges anew; is_known is false for one that is not known (any more: a
    build as of an earlier instant), which is only deleted.
    Judged anew is: what landed or changed; what was completed and could not be judged; what traded tickers whose daily
    bars this run recomputes from within the tested range on, or that came to mean something else; what was judged
    by another tolerance or by other currencies of its instruments; and what is of a strategy that was traded otherwise
    until the end of the tested range than it was known, on the same grounds.
#}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('int_unseen_changes') }}
-- depends_on: {{ source('ref', 'symbol_history') }}, {{ source('ref', 'instruments') }}
-- depends_on: {{ source('raw_trading', 'fills') }}, {{ source('raw_trading', 'accounts') }}
{% set built = built_relation('int_backtest_results') -%}
{% set traded = built_relation('backtest_live_gap') -%}
with

{% if built is not none -%}
    changes as (

        select
            relation,
            entity,
            lo,
            hi
        from {{ ref('int_unseen_changes') }}
        where entity is not null or relation is null

    ),

    moved as (

        select
            symbol_history.symbol,
            min(run_window.recompute_from) as recompute_from
        from {{ ref('int_run_window') }} as run_window
        inner join {{ source('ref', 'symbol_history') }} as symbol_history
            on run_window.instrument_id = symbol_history.instrument_id
        where run_window.timeframe = '1d'
        group by symbol_history.symbol

        union all

        select
            entity as symbol,
            '-infinity' as recompute_from
        from changes
        where relation = 'ref.symbol_history'::regclass

    ),

    changed_accounts as (

        -- A correction concerns the time of what it corrects, too.
        select
            fills.account_id,
            min(least(fills."timestamp", corrected."timestamp")) as changed_from
        from changes
        inner join {{ source('raw_trading', 'fills') }} as fills
            on
                changes.relation = 'raw_trading.fills'::regclass
                and changes.entity = fills.account_id
                and fills."timestamp" between changes.lo and changes.hi
        left join {{ source('raw_trading', 'fills') }} as corrected on fills.corrects_fill_id = corrected.fill_id
        group by fills.account_id

        union all

        select
            entity as account_id,
            lo as changed_from
        from changes
        where relation = 'raw_trading.portfolio_snapshots'::regclass

    ),

{% endif -%}
touched as (

    {% if built is none -%}
        select run_id
        from {{ ref('stg_backtest__runs') }}
    {%- else -%}
        select runs.run_id
        from {{ ref('stg_backtest__runs') }} as runs
        inner join changes
            on
                changes.relation is null
                or (
                    runs.run_id = changes.entity
                    and changes.relation in (
                        'raw_backtest.backtest_runs'::regclass, 'raw_backtest.backtest_trades'::regclass
                    )
                )

        union

        select runs.run_id
        from {{ ref('stg_backtest__runs') }} as runs
        inner join changed_accounts on runs.range_end > changed_accounts.changed_from
        where
            exists (
                select from {{ source('raw_trading', 'fills') }} as fills
                where
                    fills.strategy_id = runs.strategy_id
                    and fills.account_id = changed_accounts.account_id
            )

        {% if traded is not none -%}
            union

            select traded.run_id
            from {{ traded }} as traded
            inner join {{ source('raw_trading', 'accounts') }} as books on traded.account_id = books.account_id
            where
                traded.account_type <> books.account_type
                or traded.currency <> books.currency
                or exists (
                    select from moved
                    where
                        moved.symbol = any(traded.symbols)
                        and moved.recompute_from <= traded.range_end
                )
                or traded.instrument_currencies is distinct from (
                    select array_agg(distinct instruments.currency order by instruments.currency)
                    from {{ source('ref', 'instruments') }} as instruments
                    where instruments.instrument_id = any(traded.instrument_ids)
                )

        {% endif -%}
        union

        select built.run_id
        from {{ built }} as built
        where
            (built.status = 'completed' and built.not_judged_because is not null)
            or built.price_tolerance <> {{ var('backtest_price_tolerance') }}
            or exists (
                select from moved
                where
                    moved.symbol = any(built.symbols)
                    and moved.recompute_from <= built.last_session::timestamp at time zone 'UTC'
            )
            or built.currencies is distinct from (
                select array_agg(distinct instruments.currency order by instruments.currency)
                from {{ source('ref', 'instruments') }} as instruments
                where instruments.instrument_id = any(built.instrument_ids)
            )
            or exists (
                select from changes
                where changes.relation is null
            )
    {%- endif %}

)

select
    touched.run_id,
    runs.search_id,
    runs.strategy_id,
    runs.range_start,
    runs.range_end,
    runs.initial_capital,
    runs.currency,
    runs.status,
    runs.created_at,
    runs.run_id is not null as is_known

from touched
left join {{ ref('stg_backtest__runs') }} as runs on touched.run_id = runs.run_id
