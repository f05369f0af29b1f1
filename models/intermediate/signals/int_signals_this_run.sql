{#
    Grain: one row per signal that this run reads, with the session in which it could first be acted on.
    That is the first session of its instrument's exchange that closes after the signal; the position is opened at that
    close. A signal of the very moment of a close is acted on at the next one. Where that session has no bar there is
    no price, and the signal is not judged: it counts for the UTC day on which it was said.
    Of several signals of an agent for one instrument and session the last one is its opinion.
#}
with

signals as (

    select
        signals.agent_id,
        signals.signal_id,
        signals.symbol,
        signals.signal_ts,
        signals.side,
        signals.score,
        signal_window.read_day
    from {{ ref('int_signal_window') }} as signal_window
    inner join {{ ref('stg_signals__signals') }} as signals
        on
            signal_window.agent_id = signals.agent_id
            and signal_window.read_from <= signals.signal_ts

),

moments as (

    -- Many agents speak of one ticker at one time.
    select distinct
        symbol,
        signal_ts
    from signals

),

entries as (

    {{ signal_entries('moments') }}

),

priced as (

    select
        signals.*,
        labels.instrument_id,
        coalesce(labels.session_date, (signals.signal_ts at time zone 'UTC')::date) as session_date
    from signals
    left join entries
        on
            signals.symbol = entries.symbol
            and signals.signal_ts = entries.signal_ts
    left join {{ ref('int_forward_returns') }} as labels
        on
            entries.instrument_id = labels.instrument_id
            and labels.timeframe = '1d'
            and labels.bar_ts = entries.session_date::timestamp at time zone 'UTC'
            and labels.horizon = {{ label_horizons() | min }}

)

select
    agent_id,
    signal_id,
    symbol,
    signal_ts,
    side,
    score,
    instrument_id,
    session_date,
    instrument_id is not null
    and row_number() over (
        partition by agent_id, instrument_id, session_date
        order by signal_ts desc, signal_id desc
    ) = 1 as is_opinion

from priced
where session_date >= read_day
