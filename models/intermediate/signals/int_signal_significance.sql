{#
    Grain: one row per agent, horizon, segment, period and measure ('return': the sessions' mean returns, 'rank_ic': their
    Spearman ICs): how far its mean is from 0, and how sure that is when neighbouring sessions tell the same story.
#}
-- depends_on: {{ ref('int_run_window') }}
with

days as (

    select
        daily.*,
        periods.period
    from {{ ref('int_signal_segment_days') }} as daily
    cross join unnest(array['all', to_char(daily.session_date, 'YYYY-MM')]) as periods (period)

),

series as (

    select
        days.agent_id,
        days.horizon,
        days.segment_kind,
        days.segment,
        days.period,
        measures.measure,
        row_number() over () as series_no,
        count(*)::integer as observations,
        avg(measures.value order by days.session_date) as mean,
        case
            when {{ varies('measures.value') }}
                then stddev_samp(measures.value order by days.session_date)
        end as deviation,
        array_agg(measures.value order by days.session_date) as observed
    from days
    cross join unnest(array['return', 'rank_ic'], array[days.mean_return, days.rank_ic]) as measures (measure, value)
    where measures.value is not null
    group by days.agent_id, days.horizon, days.segment_kind, days.segment, days.period, measures.measure

),

running as (

    select
        series.series_no,
        series.horizon,
        series.observations,
        numbered.observation,
        sum(numbered.value - series.mean) over (
            partition by series.series_no
            order by numbered.observation
        ) as so_far
    from series
    cross join unnest(series.observed) with ordinality as numbered (value, observation)

),

blocks as (

    select
        series_no,
        horizon,
        observation,
        {{ newey_west_block('so_far', 'observation', 'observations', 'horizon', 'by_observation') }} as squares
    from running
    window by_observation as (partition by series_no order by observation)

),

overlapping as (

    select
        series_no,
        sum(squares order by observation) / horizon as variance
    from blocks
    group by series_no, horizon

),

resolved as (

    select
        *,
        {{ cosine_degrees('observations', 'horizon') }} as degrees
    from series
    where deviation is not null

),

waves as (

    select
        resolved.series_no,
        resolved.degrees,
        numbers.wave,
        {{ cosine_square('resolved.observed', 'numbers.wave', 'resolved.observations') }} as square
    from resolved
    cross join generate_series(1, resolved.degrees) as numbers (wave)

),

-- Lazarus, Lewis, Stock and Watson: the equal-weighted mean of the longest waves' squares is the long-run variance.
smooth as (

    select
        series_no,
        degrees,
        avg(square order by wave) as variance
    from waves
    group by series_no, degrees

),

blocked as (

    select
        *,
        {{ block_length('observations', 'horizon') }} as block_size
    from series
    where deviation is not null

),

prefixes as (

    select
        series_no,
        array_agg(so_far order by observation) as so_far
    from running
    group by series_no

),

-- Deviations from the mean sum to 0, so a block that runs over the end of the circle is a difference as well.
block_sums as (

    select
        blocked.series_no,
        blocked.observations,
        blocked.block_size,
        places.observation,
        prefixes.so_far[(places.observation + blocked.block_size - 1) % blocked.observations + 1]
        - prefixes.so_far[places.observation] as whole,
        prefixes.so_far[(places.observation + blocked.observations % blocked.block_size - 1) % blocked.observations + 1]
        - prefixes.so_far[places.observation] as rest
    from blocked
    inner join prefixes on blocked.series_no = prefixes.series_no
    cross join generate_series(1, blocked.observations) as places (observation)
    where blocked.block_size is not null

),

-- What resampling blocks for ever would find: a draw is a sum of independent blocks, so its variance is theirs.
resampled as (

    select
        series_no,
        observations::double precision / block_size - 1 as block_degrees,
        sqrt(
            (observations / block_size) * avg(power(whole, 2) order by observation)
            + avg(power(rest, 2) order by observation)
        ) / observations as bootstrap_error
    from block_sums
    group by series_no, observations, block_size

),

-- Few blocks say little of their own variance. Once per number of blocks, for a quantile costs a millisecond or more:
-- not materialized, it is taken for each of the series, which was half of this model's time.
widths as materialized (

    select
        block_degrees,
        {{ function('student_t_quantile') }}(0.975, block_degrees) as width
    from (select distinct block_degrees from resampled) as wanted

),

intervals as (

    select
        resampled.series_no,
        resampled.bootstrap_error,
        resampled.bootstrap_error * widths.width as half_interval
    from resampled
    inner join widths on resampled.block_degrees = widths.block_degrees

),

tested as (

    select
        series.*,
        intervals.bootstrap_error,
        smooth.degrees,
        series.mean - intervals.half_interval as low,
        series.mean + intervals.half_interval as high,
        series.mean / sqrt(nullif(smooth.variance, 0) / series.observations) as t,
        series.mean / (series.deviation / sqrt(series.observations)) as t_naive,
        case
            when series.deviation is not null and overlapping.variance > 0
                then series.mean / sqrt(overlapping.variance / series.observations / (series.observations - 1))
        end as t_newey_west
    from series
    inner join overlapping on series.series_no = overlapping.series_no
    left join smooth on series.series_no = smooth.series_no
    left join intervals on series.series_no = intervals.series_no

)

select
    agent_id,
    horizon,
    segment_kind,
    segment,
    period,
    measure,
    observations,
    mean,
    deviation,
    degrees,
    t,
    {{ student_t_p_value('t', 'degrees') }} as p_value,
    t_naive,
    t_newey_west,
    bootstrap_error,
    low,
    high

from tested
