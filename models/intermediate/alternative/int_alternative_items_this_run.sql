{#
    Grain: one row per thing said of an instrument that a bar of this run may use, and revision. A ticker means the
    instrument that it meant on the day.
#}
{%- set days = [
    var('sentiment_max_age_days') | int, var('alternative_data_max_age_days') | int,
    var('social_max_age_hours') | int // 24 + 1,
] | max -%}
{{ config(post_hook=['create index on {{ this }} (instrument_id, kind, event_at)', 'analyze {{ this }}']) }}
with

instruments as (

    select
        instrument_id,
        min(decided_at) - interval '{{ days }} days' as read_from
    from {{ ref('int_alternative_bars_this_run') }}
    group by instrument_id

)

select
    instruments.instrument_id,
    items.kind,
    items.symbol,
    items.source,
    items.channel,
    items.entity,
    items.event_at,
    items.about_ts,
    items.known_from,
    items.known_until,
    items.score,
    items.weight,
    items.payload

from instruments
inner join {{ source('ref', 'symbol_history') }} as tickers on instruments.instrument_id = tickers.instrument_id
inner join lateral (

    select said.*
    from {{ ref('stg_alternative__items') }} as said
    where
        said.symbol = tickers.symbol
        and said.event_at > instruments.read_from
        and (said.event_at at time zone 'UTC')::date >= tickers.valid_from
        and (said.event_at at time zone 'UTC')::date < tickers.valid_to
        and not said.is_withdrawn
        and said.known_from < said.known_until
    offset 0 -- noqa: AM09

) as items on true
inner join lateral (

    {{ instrument_of('items.symbol', 'items.event_at') }}

) as named on instruments.instrument_id = named.instrument_id
