{#
    Grain: one row per open window of direction predictions with a mature one: how well up was told from not up.
    As scikit-learn has it, except that what is not defined is NULL: areas of one class, probabilities where some
    prediction has none. Floats are summed in the order of prediction_id: an incremental build may meet them in another.
#}
with

pairs as (

    select
        *,
        case when is_up then probability_up else 1 - probability_up end as probability_of_outcome
    from {{ ref('int_model_pairs_this_run') }}
    where
        judged_as = 'direction'
        and score is not null

),

confusion as (

    select
        window_no,
        count(*)::double precision as evaluated,
        count(probability_up) as with_probability,
        count(*) filter (where side > 0 and is_up)::double precision as tp,
        count(*) filter (where side > 0 and not is_up)::double precision as fp,
        count(*) filter (where side <= 0 and is_up)::double precision as fn,
        count(*) filter (where side <= 0 and not is_up)::double precision as tn,
        -- Clipped by the spacing of floats at 1, as scikit-learn does: a certain prediction that failed costs 36.04.
        -avg(
            ln(least(greatest(probability_of_outcome, {{ float_spacing() }}), 1 - {{ float_spacing() }}))
            order by prediction_id
        ) as log_loss,
        avg(power(probability_up - is_up::integer, 2) order by prediction_id) as brier_score
    from pairs
    group by window_no

),

scores as (

    select
        window_no,
        score,
        count(*) filter (where is_up) as ups,
        count(*) filter (where not is_up) as downs
    from pairs
    group by window_no, score

),

ranked as (

    select
        window_no,
        score,
        ups,
        downs,
        sum(downs) over by_score - downs as downs_below,
        sum(ups) over from_above as ups_to_here,
        sum(ups + downs) over from_above as all_to_here
    from scores
    window
        by_score as (partition by window_no order by score),
        from_above as (partition by window_no order by score desc)

),

areas as (

    -- Equal scores count half in the first area, and are one step of the second.
    select
        window_no,
        sum(ups * (2 * downs_below + downs))::double precision
        / nullif(2 * sum(ups)::double precision * sum(downs)::double precision, 0) as roc_auc,
        sum(ups::double precision * ups_to_here::double precision / all_to_here::double precision order by score desc)
        / nullif(sum(ups)::double precision, 0) as pr_auc
    from ranked
    group by window_no

),

binned as (

    select
        window_no,
        {{ probability_bin('probability_up') }} as bin,
        count(*) as predictions,
        avg(probability_up order by prediction_id) as mean_probability,
        count(*) filter (where is_up)::double precision / count(*) as share_up
    from pairs
    where probability_up is not null
    group by window_no, {{ probability_bin('probability_up') }}

),

reliability as (

    select
        window_no,
        array_agg(bin order by bin) as bins,
        array_agg(predictions order by bin) as bin_predictions,
        array_agg(mean_probability order by bin) as bin_mean_probability,
        array_agg(share_up order by bin) as bin_share_up,
        sum(predictions * abs(mean_probability - share_up) order by bin)
        / sum(predictions) as expected_calibration_error
    from binned
    group by window_no

)

select
    confusion.window_no,
    reliability.bins as reliability_bins,
    reliability.bin_predictions as reliability_predictions,
    reliability.bin_mean_probability as reliability_mean_probability,
    reliability.bin_share_up as reliability_share_up,
    confusion.tp::bigint as true_positives,
    confusion.fp::bigint as false_positives,
    confusion.fn::bigint as false_negatives,
    confusion.tn::bigint as true_negatives,
    (confusion.tp + confusion.tn) / confusion.evaluated as accuracy,
    coalesce(confusion.tp / nullif(confusion.tp + confusion.fp, 0), 0) as precision_up,
    coalesce(confusion.tp / nullif(confusion.tp + confusion.fn, 0), 0) as recall_up,
    coalesce(2 * confusion.tp / nullif(2 * confusion.tp + confusion.fp + confusion.fn, 0), 0) as f1_up,
    coalesce(
        (confusion.tp * confusion.tn - confusion.fp * confusion.fn)
        / nullif(
            sqrt(confusion.tp + confusion.fp)
            * sqrt(confusion.tp + confusion.fn)
            * sqrt(confusion.tn + confusion.fp)
            * sqrt(confusion.tn + confusion.fn),
            0
        ),
        0
    ) as matthews_correlation,
    -- Probabilities and values of one window have no common order.
    case when confusion.with_probability in (0, confusion.evaluated) then areas.roc_auc end as roc_auc,
    case when confusion.with_probability in (0, confusion.evaluated) then areas.pr_auc end as pr_auc,
    case when confusion.with_probability = confusion.evaluated then confusion.log_loss end as log_loss,
    case when confusion.with_probability = confusion.evaluated then confusion.brier_score end as brier_score,
    case
        when confusion.with_probability = confusion.evaluated then reliability.expected_calibration_error
    end as expected_calibration_error

from confusion
inner join areas on confusion.window_no = areas.window_no
left join reliability on confusion.window_no = reliability.window_no
