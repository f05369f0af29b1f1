with recursive

given as (

    select
        $1 as x,
        $2 as a,
        $3 as b,
        -- The fraction converges fast on one side of the mean; on the other it is 1 less that of the mirror image.
        $1 >= ($2 + 1) / ($2 + $3 + 2) as is_mirrored
    where
        $1 > 0
        and $1 < 1

),

sides as (

    select
        is_mirrored,
        case when is_mirrored then 1 - x else x end as x,
        case when is_mirrored then b else a end as a,
        case when is_mirrored then a else b end as b
    from given

),

-- Modified Lentz: every step multiplies the value so far by the correction of one more term.
fraction as (

    select
        1 as step,
        1::double precision as numerator,
        1 / (1 - (a + b) * x / (a + 1)) as reciprocal,
        1 / (1 - (a + b) * x / (a + 1)) as so_far,
        0::double precision as correction
    from sides

    union all

    select
        fraction.step + 1 as step,
        next_terms.numerator,
        next_terms.reciprocal,
        fraction.so_far * next_terms.numerator * next_terms.reciprocal as so_far,
        next_terms.numerator * next_terms.reciprocal as correction
    from fraction
    cross join sides
    cross join lateral (values ((fraction.step + 1) / 2)) as pairs (pair)
    cross join
        lateral (
            values
            (
                case
                    when fraction.step % 2 = 1 then pairs.pair * (sides.b - pairs.pair)
                    else -(sides.a + pairs.pair) * (sides.a + sides.b + pairs.pair)
                end
                * sides.x / ((sides.a + fraction.step) * (sides.a + fraction.step + 1))
            )
        ) as terms (term)
    cross join
        lateral (
            values
            (
                coalesce(nullif(1 + terms.term / fraction.numerator, 0), 1e-300),
                1 / coalesce(nullif(1 + terms.term * fraction.reciprocal, 0), 1e-300)
            )
        ) as next_terms (numerator, reciprocal)
    where
        abs(fraction.correction - 1) > 1e-15
        and fraction.step < 20000

),

-- Stirling's series eight to the right of each argument, where it is exact to the last digits.
log_gammas as (

    select
        sum(
            gammas.factor * (
                (gammas.z + 7.5) * ln(gammas.z + 8) - (gammas.z + 8) + ln(2 * pi()) / 2
                + 1 / (12 * (gammas.z + 8))
                - 1 / (360 * power(gammas.z + 8, 3))
                + 1 / (1260 * power(gammas.z + 8, 5))
                - 1 / (1680 * power(gammas.z + 8, 7))
                + 1 / (1188 * power(gammas.z + 8, 9))
                - ln(
                    gammas.z * (gammas.z + 1) * (gammas.z + 2) * (gammas.z + 3)
                    * (gammas.z + 4) * (gammas.z + 5) * (gammas.z + 6) * (gammas.z + 7)
                )
            )
            order by gammas.factor, gammas.z
        ) as one_over_beta
    from sides
    cross join lateral (values (1, sides.a + sides.b), (-1, sides.a), (-1, sides.b)) as gammas (factor, z)

),

tails as (

    select
        sides.is_mirrored,
        -- PostgreSQL raises an error where a number becomes too small for a float.
        exp(greatest(log_gammas.one_over_beta + sides.a * ln(sides.x) + sides.b * ln(1 - sides.x), -600))
        * fraction.so_far / sides.a as area
    from fraction
    cross join sides
    cross join log_gammas
    order by fraction.step desc
    limit 1

)

select
    case
        when $1 <= 0 then 0
        when $1 >= 1 then 1
        else (select case when tails.is_mirrored then 1 - tails.area else tails.area end from tails)
    end
