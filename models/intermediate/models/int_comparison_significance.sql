{#
    Grain: one row per open comparison of two models and measure ('loss', 'net_return'): how sure the mean of its
    differences over bars is when neighbouring bars tell the same story.
#}
with

differences as (

    select
        measures.*,
        bars.comparison_no,
        bars.horizon_bars,
        bars.observation
    from {{ ref('int_comparison_bars_this_run') }} as bars
    cross join lateral (
        values
        ('loss', bars.loss_difference, bars.lowest_loss_difference, bars.highest_loss_difference),
        (
            'net_return',
            bars.net_return_difference,
            bars.lowest_net_return_difference,
            bars.highest_net_return_difference
        )
    ) as measures (measure, value, lowest, highest)

),

-- A mean of differences that are all equal is as sure as they are many, and no test says how sure.
series as (

    select
        comparison_no,
        measure,
        horizon_bars,
        count(*)::integer as observations,
        avg(value order by observation) as mean,
        array_agg(value order by observation) as observed,
        {{ cosine_degrees('count(*)', 'horizon_bars') }} as degrees
    from differences
    group by comparison_no, measure, horizon_bars
    having min(lowest) < max(highest)

),

running as (

    select
        series.comparison_no,
        series.measure,
        series.horizon_bars,
        series.observations,
        differences.observation,
        sum(differences.value - series.mean) over (
            partition by series.comparison_no, series.measure
            order by differences.observation
        ) as so_far
    from series
    inner join differences
        on
            series.comparison_no = differences.comparison_no
            and series.measure = differences.measure

),

blocks as (

    select
        *,
        {{ newey_west_block('so_far', 'observation', 'observations', 'horizon_bars', 'by_observation') }} as squares
    from running
    window by_observation as (partition by comparison_no, measure order by observation)

),

overlapping as (

    select
        comparison_no,
        measure,
        nullif(sum(squares order by observation), 0) / horizon_bars as variance
    from blocks
    group by comparison_no, measure, horizon_bars

),

waves as (

    select
        series.comparison_no,
        series.measure,
        numbers.wave,
        {{ cosine_square('series.observed', 'numbers.wave', 'series.observations') }} as square
    from series
    cross join generate_series(1, series.degrees) as numbers (wave)

),

-- Lazarus, Lewis, Stock and Watson: the equal-weighted mean of the longest waves' squares is the long-run variance.
smooth as (

    select
        comparison_no,
        measure,
        avg(square order by wave) as variance
    from waves
    group by comparison_no, measure

),

-- Diebold and Mariano, with the correction of Harvey, Leybourne and Newbold: needs more bars than one spans.
tested as (

    select
        series.*,
        series.mean / sqrt(nullif(smooth.variance, 0) / series.observations) as t,
        case
            when series.observations > series.horizon_bars
                then
                    series.mean
                    * sqrt(
                        (series.observations - series.horizon_bars)
                        * (series.observations - series.horizon_bars + 1)
                        / overlapping.variance
                    )
        end as t_diebold_mariano
    from series
    inner join overlapping
        on
            series.comparison_no = overlapping.comparison_no
            and series.measure = overlapping.measure
    left join smooth
        on
            series.comparison_no = smooth.comparison_no
            and series.measure = smooth.measure

)

select
    comparison_no,
    measure,
    degrees,
    t,
    {{ student_t_p_value('t', 'degrees') }} as p_value,
    t_diebold_mariano

from tested
