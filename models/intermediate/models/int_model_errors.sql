{#
    Grain: one row per open window with a mature prediction: errors of returns and volatilities, correlation of the
    score with the outcome, and what following the predictions would have brought.
    Floats are summed in the order of prediction_id: an incremental build may meet them in another.
#}
with

pairs as (

    select
        *,
        case
            when judged_as = 'volatility' and prediction_value > 0
                then 2 * ln(prediction_value) + power(outcome / prediction_value, 2)
        end as qlike_term,
        -- Average ranks of ties, as in Spearman's correlation.
        rank() over (partition by window_no order by score)
        + (count(*) over (partition by window_no, score) - 1) / 2.0::double precision as score_rank,
        rank() over (partition by window_no order by outcome)
        + (count(*) over (partition by window_no, outcome) - 1) / 2.0::double precision as outcome_rank
    from {{ ref('int_model_pairs_this_run') }}
    where
        score is not null
        and outcome is not null

),

errors as (

    select
        window_no,
        avg(abs(prediction_value - outcome) order by prediction_id) as mae,
        sqrt(avg(power(prediction_value - outcome, 2) order by prediction_id)) as rmse,
        sum(power(prediction_value - outcome, 2) order by prediction_id) as squared_errors,
        case
            when {{ varies('outcome') }} then count(*) * var_pop(outcome order by prediction_id)
        end as squared_distances,
        case when count(qlike_term) = count(*) then avg(qlike_term order by prediction_id) end as qlike
    from pairs
    where
        judged_as in ('return', 'volatility')
        and prediction_value is not null
    group by window_no

),

followed as (

    select
        window_no,
        count(*)::bigint as evaluated,
        count(probability_up) as with_probability,
        bool_and(judged_as = 'direction') as is_direction,
        case
            when min(score) < max(score) and min(outcome) < max(outcome)
                then corr(score, outcome order by prediction_id)
        end as information_coefficient,
        case
            when min(score) < max(score) and min(outcome) < max(outcome)
                then corr(score_rank, outcome_rank order by prediction_id)
        end as rank_information_coefficient,
        case when count(side) > 0 then count(*) filter (where side <> 0) end as trades,
        avg(side * realised_return order by prediction_id) filter (where side <> 0) as mean_gross_return,
        avg(
            side * realised_return - {{ var('prediction_cost_bps') }} / 1e4::double precision
            order by prediction_id
        ) filter (where side <> 0) as mean_net_return
    from pairs
    group by window_no

)

select
    followed.window_no,
    followed.evaluated,
    followed.trades,
    followed.mean_gross_return,
    followed.mean_net_return,
    errors.mae,
    errors.rmse,
    errors.qlike,
    1 - errors.squared_errors / errors.squared_distances as r2,
    followed.mean_gross_return * 1e4 as breakeven_cost_bps,
    -- Probabilities and values of one window have no common order.
    case
        when not followed.is_direction or followed.with_probability in (0, followed.evaluated)
            then followed.information_coefficient
    end as information_coefficient,
    case
        when not followed.is_direction or followed.with_probability in (0, followed.evaluated)
            then followed.rank_information_coefficient
    end as rank_information_coefficient

from followed
left join errors on followed.window_no = errors.window_no
