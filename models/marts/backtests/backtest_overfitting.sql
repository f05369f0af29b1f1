{#
    Grain: one row per search: how likely the trial that looks best is below the median of all where it was not chosen.
    Bailey, Borwein, Lopez de Prado and Zhu: the common sessions of the trials are cut into blocks; every half of the
    blocks chooses the trial of the highest Sharpe ratio, and the other half ranks it. Sums of blocks are all that the
    halves need, so a search costs combinations times trials, whatever its length.
#}
{{
    config(
        incremental_strategy='touched_replace',
        unique_key=['search_id'],
        meta={'touched': 'int_backtest_searches_this_run'},
    )
}}
{%- set blocks = var('overfitting_blocks') | int -%}
-- depends_on: {{ ref('int_run_window') }}
with

searches as (

    select * from {{ ref('int_backtest_searches_this_run') }}
    where is_known

),

results as (

    select
        results.*,
        searches.trials,
        results.session_sharpe is not null as is_ranked
    from searches
    inner join {{ ref('int_backtest_results') }} as results on searches.search_id = results.search_id

),

counted as (

    select
        search_id,
        count(*) filter (where is_ranked) as ranked_trials,
        count(*) filter (where is_settled) as settled_trials,
        min(sessions_per_year) filter (where is_ranked) as sessions_per_year
    from results
    group by search_id

),

common as (

    -- Sessions that every ranked trial has.
    select
        results.search_id,
        daily.session_date,
        counted.ranked_trials,
        results.run_id,
        daily.session_return,
        count(*) over (partition by results.search_id, daily.session_date) as trials_of_session
    from results
    inner join counted on results.search_id = counted.search_id
    inner join {{ ref('int_backtest_daily') }} as daily on results.run_id = daily.run_id
    where
        results.is_ranked
        and counted.ranked_trials > 1
        and counted.settled_trials >= results.trials

),

numbered as (

    select
        search_id,
        run_id,
        session_date,
        session_return,
        count(*) over (partition by search_id, run_id) as sessions,
        -- Blocks are of one length: the oldest sessions that fill none are left out.
        (row_number() over (partition by search_id, run_id order by session_date desc) - 1) as number_from_end
    from common
    where trials_of_session = ranked_trials

),

block_sums as (

    select
        search_id,
        run_id,
        (number_from_end / (sessions / {{ blocks }}))::integer as block,
        count(*) as sessions,
        sum(session_return order by session_date) as total,
        sum(power(session_return, 2) order by session_date) as squares
    from numbered
    where
        sessions >= {{ 2 * blocks }}
        and number_from_end < sessions / {{ blocks }} * {{ blocks }}
    group by search_id, run_id, (number_from_end / (sessions / {{ blocks }}))::integer

),

combinations as (

    -- Blocks of the half that chooses, as bits.
    select combination
    from generate_series(1, {{ 2 ** blocks - 1 }}) as numbers (combination)
    where bit_count(combination::bit({{ blocks }})) = {{ blocks // 2 }}

),

halves as (

    select
        block_sums.search_id,
        combinations.combination,
        block_sums.run_id,
        (combinations.combination >> block_sums.block) & 1 = 1 as is_choosing,
        sum(block_sums.sessions) as sessions,
        sum(block_sums.total order by block_sums.block) as total,
        sum(block_sums.squares order by block_sums.block) as squares
    from block_sums
    cross join combinations
    group by
        block_sums.search_id,
        combinations.combination,
        block_sums.run_id,
        (combinations.combination >> block_sums.block) & 1 = 1

),

ratios as (

    -- A trial that stood still for a half earned nothing there: 0.
    select
        search_id,
        combination,
        run_id,
        is_choosing,
        case
            when squares - power(total, 2) / sessions > 1e-12 * squares
                then total / sessions / sqrt((squares - power(total, 2) / sessions) / (sessions - 1))
            else 0
        end::double precision as sharpe
    from halves

),

ranked as (

    select
        choosing.search_id,
        choosing.combination,
        choosing.run_id,
        choosing.sharpe as chosen_sharpe,
        judging.sharpe as judged_sharpe,
        row_number() over (
            partition by choosing.search_id, choosing.combination
            order by choosing.sharpe desc, choosing.run_id asc
        ) as place,
        -- Ties share the mean of their ranks.
        (
            rank() over by_judged + (count(*) over by_judged_ties - 1) / 2.0::double precision
        ) / (count(*) over by_combination + 1) as relative_rank
    from ratios as choosing
    inner join ratios as judging
        on
            choosing.search_id = judging.search_id
            and choosing.combination = judging.combination
            and choosing.run_id = judging.run_id
            and choosing.is_choosing
            and not judging.is_choosing
    window
        by_combination as (partition by choosing.search_id, choosing.combination),
        by_judged as (partition by choosing.search_id, choosing.combination order by judging.sharpe),
        by_judged_ties as (partition by choosing.search_id, choosing.combination, judging.sharpe)

),

chosen as (

    select
        *,
        ln(relative_rank / (1 - relative_rank)) as logit
    from ranked
    where place = 1

),

overfitting as (

    select
        search_id,
        count(*) as combinations,
        count(*) filter (where logit <= 0)::double precision / count(*) as overfitting_probability,
        count(*) filter (where judged_sharpe < 0)::double precision / count(*) as loss_probability,
        avg(chosen_sharpe order by combination) as mean_chosen_sharpe,
        avg(judged_sharpe order by combination) as mean_judged_sharpe,
        regr_slope(judged_sharpe, chosen_sharpe order by combination) as degradation_slope,
        regr_r2(judged_sharpe, chosen_sharpe order by combination) as degradation_r2,
        array_agg(logit order by logit) as logits
    from chosen
    group by search_id

),

used as (

    select
        search_id,
        min(sessions) as sessions
    from numbered
    group by search_id

)

select
    searches.search_id,
    searches.strategy,
    searches.strategies,
    searches.trials,
    searches.landed_trials,
    counted.settled_trials,
    counted.ranked_trials,
    coalesce(used.sessions, 0) as sessions,
    {{ blocks }} as blocks,
    overfitting.combinations,
    overfitting.overfitting_probability,
    overfitting.loss_probability,
    overfitting.mean_chosen_sharpe * sqrt(counted.sessions_per_year::double precision) as mean_chosen_sharpe,
    overfitting.mean_judged_sharpe * sqrt(counted.sessions_per_year::double precision) as mean_judged_sharpe,
    overfitting.degradation_slope,
    overfitting.degradation_r2,
    overfitting.logits,
    case
        when overfitting.search_id is not null then null
        when counted.settled_trials < searches.trials then 'trials missing'
        when counted.ranked_trials < 2 then 'fewer than two trials with a Sharpe ratio'
        else 'too few common sessions'
    end as not_judged_because

from searches
inner join counted on searches.search_id = counted.search_id
left join used on searches.search_id = used.search_id
left join overfitting on searches.search_id = overfitting.search_id
