{#
    Grain: one row per agent that has days to be judged again, and from which day on; empty when nothing changed.
    Whole days of an agent are judged, because ranks and quantiles compare all that it said of a session. Labels that
    changed concern every agent: the first of them decides. What an agent said late, or of a ticker that came to mean
    another instrument, concerns that agent alone, and so does a company that changed its sector.
#}
{%- set built = built_relation('signal_performance_daily') %}
{%- set grouped = built_relation('int_signal_sectors') %}
-- depends_on: {{ ref('int_sectors_this_run') }}
with

changes as (

    {{ entity_changes(built) }}

),

renames as (

    -- A ticker is judged by the instrument it meant, and a rename need not touch a bar. What enters the first session
    -- of a meaning was said after the close before it, which a weekend or holidays part from it.
    select
        changes.entity as symbol,
        min(coalesce(previous.close_at, '-infinity')) as said_from
    from changes
    cross join {{ source('ref', 'calendars') }} as calendars
    left join lateral (

        select sessions.close_at
        from {{ source('ref', 'exchange_sessions') }} as sessions
        where
            sessions.calendar = calendars.calendar
            and sessions.session_date < (changes.lo at time zone 'UTC')::date
        order by sessions.session_date desc
        limit 1

    ) as previous on true
    where changes.relation = 'ref.symbol_history'::regclass
    group by changes.entity

),

renamed as (

    select
        signals.agent_id,
        min(signals.signal_ts) as lo
    from renames
    inner join {{ ref('stg_signals__signals') }} as signals
        on
            renames.symbol = signals.symbol
            and renames.said_from <= signals.signal_ts
    group by signals.agent_id

),

{% if grouped is not none -%}
    regrouped as (

        -- Of all tickers of an instrument, for the sector is the instrument's. By ticker, and not by reading all that was
        -- ever said: in most nights nothing moved, which the planner cannot know.
        select
            said.agent_id,
            min(said.lo) as lo
        from (
            select coalesce(known.instrument_id, used.instrument_id) as instrument_id
            from {{ ref('int_sectors_this_run') }} as known
            full join {{ grouped }} as used on known.instrument_id = used.instrument_id
            where (known.sector = used.sector) is not true
        ) as moved
        inner join {{ source('ref', 'symbol_history') }} as tickers on moved.instrument_id = tickers.instrument_id
        inner join lateral (

            select
                signals.agent_id,
                min(signals.signal_ts) as lo
            from {{ ref('stg_signals__signals') }} as signals
            where signals.symbol = tickers.symbol
            group by signals.agent_id

        ) as said on true
        group by said.agent_id

    ),

{% endif -%}
touched as (

    select
        agents.agent_id,
        run_window.labels_from as lo
    from {{ source('raw_signals', 'agents') }} as agents
    cross join {{ ref('int_run_window') }} as run_window
    where run_window.timeframe = '1d'

    union all

    select
        agents.agent_id,
        changes.lo
    from {{ source('raw_signals', 'agents') }} as agents
    inner join changes
        on
            (changes.relation = 'raw_signals.signals'::regclass and agents.agent_id = changes.entity)
            or changes.relation is null

    union all

    select
        renamed.agent_id,
        renamed.lo
    from renamed
    {% if grouped is not none %}
    union all

    select
        regrouped.agent_id,
        regrouped.lo
    from regrouped
    {% endif %}
),

first_days as (

    select
        agent_id::text as agent_id,
        -- A session can begin on the evening before its date.
        (min(lo) at time zone 'UTC')::date - 1 as first_day
    from touched
    group by agent_id

),

read_days as (

    -- Turnover and autocorrelation compare with the session that the agent judged before, at each horizon.
    select
        first_days.agent_id,
        first_days.first_day,
        {% if built is none -%}
            first_days.first_day as read_day
        {%- else -%}
            coalesce(previous.session_date, first_days.first_day) as read_day
        {%- endif %}
    from first_days
    {% if built is not none -%}
        left join lateral (

            select max(judged.session_date) as session_date
            from {{ built }} as judged
            where
                judged.agent_id = first_days.agent_id
                and judged.session_date < first_days.first_day
                and judged.matured > 0
            group by judged.horizon
            order by max(judged.session_date)
            limit 1

        ) as previous on true
    {%- endif %}

),

calendar_closes as (

    select
        wanted.read_day,
        min(coalesce(previous.close_at, '-infinity')) as closed_at
    from (select distinct read_day from read_days) as wanted
    cross join {{ source('ref', 'calendars') }} as calendars
    left join lateral (

        select sessions.close_at
        from {{ source('ref', 'exchange_sessions') }} as sessions
        where
            sessions.calendar = calendars.calendar
            and sessions.session_date < wanted.read_day
        order by sessions.session_date desc
        limit 1

    ) as previous on true
    group by wanted.read_day

)

select
    read_days.agent_id,
    read_days.first_day,
    read_days.read_day,
    -- What can enter a session of that day or later was said after the close before it.
    least(
        (read_days.read_day - 1)::timestamp at time zone 'UTC', coalesce(calendar_closes.closed_at, 'infinity')
    ) as read_from

from read_days
left join calendar_closes on read_days.read_day = calendar_closes.read_day
