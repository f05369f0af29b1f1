{#
    Grain: one row per bar (of var alternative_timeframes) whose features of alternative data or options are computed
    again, with the time at which it
    is over and acted on: the close of its last session for bars of a day or longer, its own end for shorter ones, of
    which the last of a session ends with it. A bar may use what was known by then, that moment included.
#}
{{ config(post_hook=['create index on {{ this }} (instrument_id, decided_at)', 'analyze {{ this }}']) }}
with

bars as (

    -- offset 0 keeps the bounds of the series inside, where they become index conditions.
    select
        features.*,
        alternative_window.instrument_id,
        alternative_window.timeframe,
        alternative_window.timeframe::interval as duration,
        instruments.calendar
    from {{ ref('int_alternative_window') }} as alternative_window
    inner join {{ source('ref', 'instruments') }} as instruments
        on alternative_window.instrument_id = instruments.instrument_id
    inner join lateral (

        select
            engineered."timestamp",
            engineered.symbol,
            engineered.session_date,
            engineered.realized_vol_24
        from {{ ref('feature_engineered_data') }} as engineered
        where
            engineered.instrument_id = alternative_window.instrument_id
            and engineered.timeframe = alternative_window.timeframe
            and engineered.feature_version = '{{ var("feature_version") }}'
            and engineered."timestamp" >= alternative_window.recompute_from
        offset 0 -- noqa: AM09

    ) as features on true
    where alternative_window.timeframe in ('{{ var("alternative_timeframes") | join("', '") }}')

)

select
    bars.instrument_id,
    bars.timeframe,
    bars."timestamp",
    bars.symbol,
    bars.session_date,
    case
        when bars.duration >= interval '1 day' then coalesce(sessions.close_at, bars."timestamp" + bars.duration)
        when bars."timestamp" < sessions.close_at then least(bars."timestamp" + bars.duration, sessions.close_at)
        else bars."timestamp" + bars.duration
    end as decided_at,
    case when bars.timeframe = '1d' then bars.realized_vol_24 end as realized_vol_24

from bars
left join lateral (

    select exchange_sessions.close_at
    from {{ source('ref', 'exchange_sessions') }} as exchange_sessions
    where
        exchange_sessions.calendar = bars.calendar
        and exchange_sessions.session_date >= bars.session_date
        and exchange_sessions.session_date
        < greatest(((bars."timestamp" + bars.duration) at time zone 'UTC')::date, bars.session_date + 1)
    order by exchange_sessions.session_date desc
    limit 1

) as sessions on true
