-- depends_on: {{ function('normal_quantile') }}, {{ function('regularized_beta') }}
-- Not called by those names: they name the database, and a copy of it under another name could not call them.
{%- set outside = student_t_p_value('steps.t', 'given.degrees', beta='indicators.regularized_beta') %}
with recursive

given as (

    select
        $1 as probability,
        $2 as degrees,
        2 * least($1, 1 - $1) as outside,
        -- Of the density at 0; by a series in 1 / degrees that is 1.5 % off for one degree, which only costs steps.
        (
            1 - 1 / (4 * $2) + 1 / (32 * power($2, 2)) + 5 / (128 * power($2, 3)) - 21 / (2048 * power($2, 4))
        ) / sqrt(2 * pi()) as peak
    where
        $1 > 0
        and $1 < 1
        and $2 >= 1

),

-- Newton's steps from the normal quantile, which is never farther out: the tail is convex, so none goes too far.
steps as (

    select
        1 as step,
        abs(indicators.normal_quantile(probability)) as t,
        1::double precision as correction
    from given

    union all

    select
        steps.step + 1 as step,
        steps.t + moves.correction as t,
        moves.correction
    from steps
    cross join given
    cross join
        lateral (
            values
            (
                ({{ outside }} - given.outside)
                / (2 * given.peak * power(1 + power(steps.t, 2) / given.degrees, -(given.degrees + 1) / 2))
            )
        ) as moves (correction)
    where
        abs(steps.correction) > 1e-14 * steps.t
        and steps.step < 200

)

select sign(given.probability - 0.5) * steps.t
from steps
cross join given
order by steps.step desc
limit 1
