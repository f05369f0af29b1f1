{#
    Grain: one row per agent, horizon, sector and day: what the agent's opinions of that session's close came to, among the
    instruments of a sector. Instruments whose sector nobody states are in none.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='window_replace',
        unlogged=false,
        unique_key=['agent_id', 'horizon', 'sector', 'session_date'],
        meta={
            'window_model': 'int_signal_window', 'window_keys': ['agent_id'],
            'window_bound': 'first_day', 'window_column': 'session_date',
        },
    )
}}
-- depends_on: {{ ref('int_run_window') }}
with

opinions as (

    select
        signals.agent_id,
        labels.horizon,
        sectors.sector,
        signals.session_date,
        signals.instrument_id,
        signals.side,
        signals.score,
        labels.fwd_ret
    from {{ ref('int_signals_this_run') }} as signals
    inner join {{ ref('int_signal_window') }} as signal_window
        on
            signals.agent_id = signal_window.agent_id
            and signals.session_date >= signal_window.first_day
    inner join {{ ref('int_sectors_this_run') }} as sectors on signals.instrument_id = sectors.instrument_id
    inner join {{ ref('int_forward_returns') }} as labels
        on
            signals.instrument_id = labels.instrument_id
            and labels.timeframe = '1d'
            and labels.bar_ts = signals.session_date::timestamp at time zone 'UTC'
    where
        signals.is_opinion
        and labels.fwd_ret is not null

),

ranked as (

    select
        *,
        -- Average ranks.
        rank() over by_score + (count(*) over (by_score range current row) - 1) / 2.0::float8 as score_rank,
        rank() over by_return + (count(*) over (by_return range current row) - 1) / 2.0::float8 as return_rank
    from opinions
    window
        by_score as (partition by agent_id, horizon, sector, session_date order by score),
        by_return as (partition by agent_id, horizon, sector, session_date order by fwd_ret)

)

select
    agent_id,
    horizon,
    sector,
    session_date,
    {{ judged_opinions() | indent(4) }}

from ranked
group by agent_id, horizon, sector, session_date
