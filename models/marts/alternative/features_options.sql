{#
    Grain: one row per instrument, timeframe, bar start (timestamp) and feature version of whose options a chain was
    known when the bar was over that is not too old; other bars have no row. How each number is made:
    docs/alternative_data.md.
    Curves are interpolated twice: in strike or delta for each expiry, then in total variance between expiries.
#}
{{
    config(
        incremental_strategy='window_replace',
        unique_key=['instrument_id', 'timeframe', 'timestamp', 'feature_version'],
        meta={'window_column': 'timestamp', 'window_model': 'int_alternative_window', 'versioned': true},
    )
}}
{%- set contract = 'order by expiry, strike, is_call' %}
with

contracts as (

    select * from {{ ref('int_option_chains_this_run') }}

),

chains as (

    select
        instrument_id,
        state_at,
        next_at,
        max(event_at) as chain_at,
        max(source) as source,
        (array_agg(underlying_price order by event_at desc, expiry asc, strike asc, is_call asc) filter (
            where underlying_price is not null
        ))[1] as underlying_price,
        count(*) as contracts,
        count(*) filter (where is_usable) as usable_contracts,
        sum(volume {{ contract }}) filter (where is_call) as call_volume,
        sum(volume {{ contract }}) filter (where not is_call) as put_volume,
        sum(open_interest {{ contract }}) filter (where is_call) as call_open_interest,
        sum(open_interest {{ contract }}) filter (where not is_call) as put_open_interest,
        -- 100 shares a contract, a move of 1 %.
        sum(
            case when is_call then 1 else -1 end * gamma * open_interest * 100 * underlying_price ^ 2 * 0.01
            {{ contract }}
        ) filter (where is_usable) as gamma_exposure
    from contracts
    group by instrument_id, state_at, next_at

),

points as (

    -- At the money: strikes that have both a call and a put.
    select
        instrument_id,
        state_at,
        days_to_expiry,
        'atm' as curve,
        strike / max(underlying_price) as x,
        avg(implied_volatility order by is_call) as y,
        1.0::double precision as wanted_x
    from contracts
    where is_usable
    group by instrument_id, state_at, days_to_expiry, strike
    having count(*) = 2

    union all

    select
        instrument_id,
        state_at,
        days_to_expiry,
        case when is_call then 'call' else 'put' end as curve,
        abs(delta) as x,
        avg(implied_volatility order by strike) as y,
        0.25 as wanted_x
    from contracts
    where is_usable
    group by instrument_id, state_at, days_to_expiry, is_call, abs(delta)

),

smiles as (

    select
        instrument_id,
        state_at,
        days_to_expiry,
        curve,
        {{ interpolated('wanted_x', 'x', 'y') }} as volatility
    from points
    group by instrument_id, state_at, days_to_expiry, curve, wanted_x

),

variances as (

    select
        instrument_id,
        state_at,
        curve,
        days_to_expiry::double precision as tenor,
        volatility ^ 2 * days_to_expiry as variance
    from smiles
    where volatility is not null

),

terms as (

    select
        instrument_id,
        state_at,
        curve,
        sqrt({{ interpolated('30', 'tenor', 'variance') }} / 30) as volatility_30d,
        sqrt({{ interpolated('90', 'tenor', 'variance') }} / 90) as volatility_90d
    from variances
    group by instrument_id, state_at, curve

),

surfaces as (

    select
        instrument_id,
        state_at,
        max(volatility_30d) filter (where curve = 'atm') as iv_atm_30d,
        max(volatility_90d) filter (where curve = 'atm') as iv_atm_90d,
        max(volatility_30d) filter (where curve = 'put') as iv_put_25d_30d,
        max(volatility_30d) filter (where curve = 'call') as iv_call_25d_30d
    from terms
    group by instrument_id, state_at

),

nearest as (

    -- The next expiry in which anything is open.
    select
        instrument_id,
        state_at,
        min(expiry) as expiry
    from contracts
    where
        days_to_expiry > 0
        and open_interest > 0
    group by instrument_id, state_at

),

open_contracts as (

    select
        contracts.instrument_id,
        contracts.state_at,
        contracts.strike,
        contracts.is_call,
        contracts.open_interest
    from nearest
    inner join contracts
        on
            nearest.instrument_id = contracts.instrument_id
            and nearest.state_at = contracts.state_at
            and nearest.expiry = contracts.expiry
    where contracts.open_interest > 0

),

payouts as (

    select
        settled.instrument_id,
        settled.state_at,
        settled.strike,
        sum(
            case
                when held.is_call then greatest(settled.strike - held.strike, 0)
                else greatest(held.strike - settled.strike, 0)
            end * held.open_interest
            order by held.strike, held.is_call
        ) as payout
    from (
        select distinct
            instrument_id,
            state_at,
            strike
        from open_contracts
    ) as settled
    inner join open_contracts as held
        on
            settled.instrument_id = held.instrument_id
            and settled.state_at = held.state_at
    group by settled.instrument_id, settled.state_at, settled.strike

),

max_pains as (

    select distinct on (instrument_id, state_at)
        instrument_id,
        state_at,
        strike
    from payouts
    order by instrument_id, state_at, payout, strike

)

select
    bars.instrument_id,
    bars.timeframe,
    bars."timestamp",
    '{{ var("feature_version") }}'::text as feature_version,
    bars.symbol,
    bars.session_date,
    bars.decided_at,
    chains.chain_at,
    chains.source as chain_source,
    chains.underlying_price,
    chains.contracts,
    chains.usable_contracts,
    surfaces.iv_atm_30d,
    surfaces.iv_atm_90d,
    surfaces.iv_put_25d_30d,
    surfaces.iv_call_25d_30d,
    chains.call_volume,
    chains.put_volume,
    chains.call_open_interest,
    chains.put_open_interest,
    chains.gamma_exposure,
    date_part('epoch', bars.decided_at - chains.chain_at) / 86400 as chain_age_days,
    surfaces.iv_atm_90d - surfaces.iv_atm_30d as iv_term_slope,
    surfaces.iv_put_25d_30d - surfaces.iv_call_25d_30d as iv_skew_25d,
    surfaces.iv_atm_30d - bars.realized_vol_24 * sqrt(252::double precision) as iv_minus_realized,
    chains.put_volume / nullif(chains.call_volume, 0) as put_call_volume_ratio,
    chains.put_open_interest / nullif(chains.call_open_interest, 0) as put_call_open_interest_ratio,
    max_pains.strike / nullif(chains.underlying_price, 0) - 1 as max_pain_distance

from {{ ref('int_alternative_bars_this_run') }} as bars
inner join chains
    on
        bars.instrument_id = chains.instrument_id
        and bars.decided_at >= chains.state_at
        and bars.decided_at < chains.next_at
        and bars.decided_at < chains.chain_at + interval '{{ var("option_max_age_days") }} days'
left join surfaces
    on
        chains.instrument_id = surfaces.instrument_id
        and chains.state_at = surfaces.state_at
left join max_pains
    on
        chains.instrument_id = max_pains.instrument_id
        and chains.state_at = max_pains.state_at
