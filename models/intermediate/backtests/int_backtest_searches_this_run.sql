{#
    Grain: one row per search of which this run asks anew how likely it is overfitted; is_known is false for one that
    has no runs (any more), which is only deleted. Asked anew is: of which a run is judged anew, or was taken from it or
    put to it, and what was asked by other blocks.
#}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('int_unseen_changes') }}, {{ ref('int_backtest_runs_this_run') }}
{% set built = built_relation('backtest_overfitting') -%}
with

searches as (

    select
        search_id,
        min(strategy) as strategy,
        count(distinct strategy) as strategies,
        greatest(max(n_trials), count(*)) as trials,
        count(*) as landed_trials
    from {{ ref('stg_backtest__runs') }}
    where search_id is not null
    group by search_id

),

touched as (

    {% if built is none -%}
        select search_id
        from searches
    {%- else -%}
        select search_id
        from {{ ref('int_backtest_runs_this_run') }}
        where search_id is not null

        union

        select built.search_id
        from {{ built }} as built
        left join searches on built.search_id = searches.search_id
        where
            built.landed_trials <> coalesce(searches.landed_trials, 0)
            or built.blocks <> {{ var('overfitting_blocks') }}
            or exists (
                select from {{ ref('int_unseen_changes') }} as changes
                where changes.relation is null
            )
    {%- endif %}

)

select
    touched.search_id,
    searches.strategy,
    searches.strategies,
    searches.trials,
    searches.landed_trials,
    searches.search_id is not null as is_known

from touched
left join searches on touched.search_id = searches.search_id
