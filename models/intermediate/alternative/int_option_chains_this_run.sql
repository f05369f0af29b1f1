{#
    Grain: one row per contract of a chain that a bar of this run uses. A chain is what was known of an instrument's
    options at one time (state_at): of the newest day that has quotes, of the best source of that day, and of each
    contract its latest quote. Between two changes of what is known it stays the same, whatever the number of bars.
#}
{{ config(post_hook=['create index on {{ this }} (instrument_id, state_at)', 'analyze {{ this }}']) }}
with

instruments as (

    select
        instrument_id,
        min(decided_at) - interval '{{ var("option_max_age_days") }} days' as read_from
    from {{ ref('int_alternative_bars_this_run') }}
    group by instrument_id

),

-- A chain of a day is dated before it is known: at midnight, or a day before where there was no session.
quotes as materialized (

    select
        quoted.*,
        (quoted.quote_ts at time zone 'UTC')::date as quote_date,
        coalesce(priorities.priority, 100) as source_priority
    from instruments
    inner join lateral (

        select option_quotes.*
        from {{ ref('stg_market__option_quotes') }} as option_quotes
        where
            option_quotes.instrument_id = instruments.instrument_id
            and option_quotes.quote_ts > instruments.read_from - interval '2 days'
        offset 0 -- noqa: AM09

    ) as quoted on true
    left join {{ ref('source_priorities') }} as priorities on quoted.source = priorities.source

),

changes as (

    select
        instrument_id,
        known_from as state_at
    from quotes

    union

    select
        instrument_id,
        known_until as state_at
    from quotes
    where known_until < 'infinity'

),

spans as (

    select
        instrument_id,
        state_at,
        lead(state_at, 1, 'infinity') over (partition by instrument_id order by state_at) as next_at
    from changes

),

states as (

    select
        spans.instrument_id,
        spans.state_at,
        spans.next_at
    from spans
    where
        exists (
            select from {{ ref('int_alternative_bars_this_run') }} as bars
            where
                bars.instrument_id = spans.instrument_id
                and bars.decided_at >= spans.state_at
                and bars.decided_at < spans.next_at
        )

),

known as (

    select
        quotes.*,
        states.state_at,
        states.next_at,
        dense_rank() over (
            partition by states.instrument_id, states.state_at
            order by quotes.quote_date desc, quotes.source_priority asc, quotes.source asc
        ) as chain_rank
    from states
    inner join quotes
        on
            states.instrument_id = quotes.instrument_id
            and states.state_at >= quotes.known_from
            and states.state_at < quotes.known_until
            -- Whole days: which quotes of a day are read must not depend on where a state begins.
            and quotes.quote_date > (states.state_at at time zone 'UTC')::date - {{ var('option_max_age_days') }} - 3
    where not quotes.is_withdrawn

)

select distinct on (instrument_id, state_at, expiry, strike, option_right)
    instrument_id,
    state_at,
    next_at,
    event_at,
    source,
    expiry,
    strike,
    volume,
    open_interest,
    implied_volatility,
    delta,
    gamma,
    underlying_price,
    option_right = 'call' as is_call,
    expiry - quote_date as days_to_expiry,
    -- What can be interpolated: a volatility, a price that is not crossed, and a delta of the right sign.
    coalesce(
        expiry > quote_date
        and implied_volatility > 0
        and underlying_price > 0
        and (bid <= ask or bid is null or ask is null)
        and case option_right when 'call' then delta > 0 and delta < 1 else delta < 0 and delta > -1 end,
        false
    ) as is_usable

from known
where chain_rank = 1
order by instrument_id asc, state_at asc, expiry asc, strike asc, option_right asc, quote_ts desc
