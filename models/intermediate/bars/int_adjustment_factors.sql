{#
    Grain: one row per instrument and span of session dates [valid_from, valid_to) between ex-dates.
    split_factor multiplies a price of the span into today's shares: the product of old shares per new
    over every later split. dividend_factor does the same for cash dividends, each as 1 - cash / close
    of the last daily bar before its ex-date (the CRSP and Yahoo convention); NULL cash or close: 1.
#}
with

actions as (

    select
        instrument_id,
        ex_date,
        -- A product of rows: exp(sum(ln)) would lose digits, and splits of one day are rare.
        coalesce(max(split_ratio) filter (where action_type = 'split'), 1)::double precision as split_ratio,
        coalesce(sum(cash_amount) filter (where action_type = 'cash_dividend'), 0)::double precision as cash_amount

    from {{ ref('stg_reference__corporate_actions') }}
    group by instrument_id, ex_date

),

priced as (

    select
        actions.instrument_id,
        actions.ex_date,
        actions.split_ratio,
        case
            when actions.cash_amount > 0 and last_bar.close > actions.cash_amount
                then 1 - actions.cash_amount / last_bar.close
            else 1
        end as dividend_ratio

    from actions
    left join lateral (

        select golden.close::double precision as close
        from {{ ref('int_bars_golden') }} as golden
        where
            golden.instrument_id = actions.instrument_id
            and golden.timeframe = '1d'
            and golden.bar_ts < actions.ex_date::timestamp at time zone 'UTC'
            and actions.cash_amount > 0
        order by golden.bar_ts desc
        limit 1

    ) as last_bar on true

),

spans as (

    select
        instrument_id,
        ex_date as valid_to,
        coalesce(
            lag(ex_date) over (partition by instrument_id order by ex_date), '-infinity'::date
        ) as valid_from,
        indicators.product(1 / split_ratio) over following as split_factor,
        indicators.product(dividend_ratio) over following as dividend_factor

    from priced

    window following as (
        partition by instrument_id order by ex_date rows between current row and unbounded following
    )

)

select
    instrument_id,
    valid_from,
    valid_to,
    split_factor,
    dividend_factor

from spans
