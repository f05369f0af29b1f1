{#
    Grain: one row per frozen reference, feature and day on which something was observed: how far the values of the last
    30 days (drift_window_days) are from those of the reference, in the bins of the reference.
    Counts are whole numbers, so that a window is the same however its days came together.
#}
{{
    config(
        incremental_strategy='window_replace',
        unique_key=['reference', 'feature', 'observed_on'],
        meta={
            'window_model': 'int_drift_window',
            'window_keys': ['reference', 'feature'],
            'window_column': 'observed_on',
            'window_bound': 'first_day',
        },
    )
}}
-- depends_on: {{ ref('int_run_window') }}
with

subjects as (

    select * from {{ ref('int_drift_window') }}
    where is_known

),

observed as (

    select
        subjects.reference,
        subjects.feature,
        (predictions.predicted_at at time zone 'UTC')::date as observed_on,
        width_bucket(
            case
                when subjects.feature = 'prediction_score' then predictions.score
                else types.number_of(predictions.features -> subjects.feature)
            end,
            subjects.edges
        ) as bin
    from subjects
    inner join {{ ref('stg_ml__predictions') }} as predictions
        on
            subjects.model_id = predictions.model_id
            and subjects.prediction_type = predictions.prediction_type
            and subjects.timeframe = predictions.timeframe
            and subjects.horizon_bars = predictions.horizon_bars
            and subjects.read_day::timestamp at time zone 'UTC' <= predictions.predicted_at

    union all

    select
        subjects.reference,
        subjects.feature,
        features.session_date as observed_on,
        width_bucket({{ feature_value('features', 'subjects.feature') }}, subjects.edges) as bin
    from subjects
    inner join {{ ref('feature_engineered_data') }} as features
        on
            subjects.timeframe = features.timeframe
            and subjects.feature_version = features.feature_version
            and subjects.read_day <= features.session_date
    where subjects.model_id is null

),

counted as (

    -- What is missing is a bin of its own, -1.
    select
        reference,
        feature,
        observed_on,
        coalesce(bin, -1) as bin,
        count(*) as observations
    from observed
    group by
        reference,
        feature,
        observed_on,
        coalesce(bin, -1)

),

days as (

    select distinct
        reference,
        feature,
        observed_on
    from counted

),

bins as (

    select
        subjects.reference,
        subjects.feature,
        bins.expected,
        bins.position::integer - 2 as bin,
        case
            when bins.position > 1
                then
                    bins.expected::double precision
                    / sum(bins.expected) filter (where bins.position > 1) over by_feature
        end as expected_share
    from subjects
    cross join unnest(subjects.missing || subjects.counts) with ordinality as bins (expected, position)

    window by_feature as (partition by subjects.reference, subjects.feature)

),

windows as (

    select
        days.reference,
        days.feature,
        days.observed_on,
        bins.bin,
        bins.expected,
        bins.expected_share,
        coalesce(counted.observations, 0) as observations_of_day,
        sum(coalesce(counted.observations, 0)) over trailing_days as observations
    from days
    inner join bins
        on
            days.reference = bins.reference
            and days.feature = bins.feature
    left join counted
        on
            days.reference = counted.reference
            and days.feature = counted.feature
            and days.observed_on = counted.observed_on
            and bins.bin = counted.bin

    window
        trailing_days as (
            partition by days.reference, days.feature, bins.bin
            order by days.observed_on
            range between interval '{{ drift_window_days() - 1 }} days' preceding and current row
        )

),

shares as (

    select
        *,
        case
            when bin >= 0
                then
                    observations::double precision
                    / nullif(sum(observations) filter (where bin >= 0) over by_day, 0)
        end as observed_share
    from windows

    window by_day as (partition by reference, feature, observed_on)

),

compared as (

    -- A share of 0 has no logarithm: both are at least 0.0001.
    select
        *,
        case
            when observed_share is not null
                then
                    (greatest(observed_share, 0.0001) - greatest(expected_share, 0.0001))
                    * ln(greatest(observed_share, 0.0001) / greatest(expected_share, 0.0001))
        end as psi_term,
        abs(sum(observed_share - expected_share) over by_bin) as distance,
        (
            case
                when observed_share > 0
                    then observed_share * ln(2 * observed_share / (observed_share + expected_share))
                else observed_share
            end
            + case
                when expected_share > 0
                    then expected_share * ln(2 * expected_share / (observed_share + expected_share))
                else expected_share
            end
        )
        / (2 * ln(2::double precision)) as divergence_term
    from shares

    window by_bin as (partition by reference, feature, observed_on order by bin)

),

measured as (

    select
        reference,
        feature,
        observed_on,
        sum(observations_of_day)::bigint as observations_of_day,
        sum(observations)::bigint as observations,
        sum(expected)::bigint as reference_observations,
        sum(observations) filter (where bin = -1)::bigint as missing,
        sum(expected) filter (where bin = -1)::bigint as reference_missing,
        count(*) filter (where expected_share > 0) as filled_bins,
        sum(psi_term order by bin) as psi,
        max(distance) as ks_statistic,
        -- Rounding may leave less than nothing.
        case
            when max(observed_share) is not null then greatest(sum(divergence_term order by bin), 0)
        end as js_divergence
    from compared
    group by reference, feature, observed_on

)

select
    subjects.reference,
    subjects.feature,
    measured.observed_on,
    subjects.model_id,
    subjects.prediction_type,
    subjects.timeframe,
    subjects.horizon_bars,
    subjects.feature_version,
    measured.observations_of_day,
    measured.observations,
    measured.reference_observations,
    measured.psi,
    measured.ks_statistic,
    measured.js_divergence,
    measured.missing::double precision / measured.observations as missing_share,
    measured.reference_missing::double precision / measured.reference_observations as reference_missing_share,
    (measured.filled_bins - 1)
    * (
        1::double precision / nullif(measured.observations - measured.missing, 0)
        + 1::double precision / (measured.reference_observations - measured.reference_missing)
    ) as psi_by_chance,
    case
        when measured.psi < 0.1 then 'stable'
        when measured.psi < 0.25 then 'moderate'
        when measured.psi >= 0.25 then 'major'
    end as drift_level

from measured
inner join subjects
    on
        measured.reference = subjects.reference
        and measured.feature = subjects.feature
where measured.observed_on >= subjects.first_day
