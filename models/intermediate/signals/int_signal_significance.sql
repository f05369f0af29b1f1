{#
    Grain: one row per agent, horizon, period and measure ('return': the sessions' mean returns, 'rank_ic': their
    Spearman ICs): how far its mean is from 0, and how sure that is when neighbouring sessions tell the same story.
#}
-- depends_on: {{ ref('int_run_window') }}
with

days as (

    select
        daily.*,
        periods.period
    from {{ ref('signal_performance_daily') }} as daily
    cross join unnest(array['all', to_char(daily.session_date, 'YYYY-MM')]) as periods (period)

),

series as (

    select
        days.agent_id,
        days.horizon,
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
    group by days.agent_id, days.horizon, days.period, measures.measure

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

tested as (

    select
        series.*,
        smooth.degrees,
        series.mean / sqrt(nullif(smooth.variance, 0) / series.observations) as t,
        series.mean / (series.deviation / sqrt(series.observations)) as t_naive,
        case
            when series.deviation is not null and overlapping.variance > 0
                then series.mean / sqrt(overlapping.variance / series.observations / (series.observations - 1))
        end as t_newey_west
    from series
    inner join overlapping on series.series_no = overlapping.series_no
    left join smooth on series.series_no = smooth.series_no

)

select
    agent_id,
    horizon,
    period,
    measure,
    observations,
    mean,
    deviation,
    degrees,
    t,
    {{ student_t_p_value('t', 'degrees') }} as p_value,
    t_naive,
    t_newey_west

from tested
