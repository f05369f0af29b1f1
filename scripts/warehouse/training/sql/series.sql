-- Grain: one row per series with a bar known at the instant. Says whether the published marts hold it as it was known
-- then: why_recomputed is NULL, and rows of bars before known_before are good, labels that end before labels_before too.
create temporary table training_series on commit drop as
with

wanted as (

    select
        instrument_id,
        max(first_known_at) filter (where first_known_at <= {{ as_of }}) as sources_known_at,
        bool_or(first_known_at > {{ as_of }}) as has_later_source
    from ref.series
    where
        timeframe = {{ timeframe }}
        {%- if instruments is not none %}
        and instrument_id = any(array[{{ instruments | join(', ') }}]::integer[])
        {%- endif %}
    group by instrument_id
    having bool_or(first_known_at <= {{ as_of }})

),

marts as (

    -- What readers see. Good for something if it was built of everything, here (a watermark that came with a backup is
    -- no newer than what it has seen, macro is_own_watermark), and if the labels are of the same build.
    select
        publication.cut,
        publication.as_of is null
        and labels.cut::text = publication.cut::text
        and not exists (
            select from ops.consumers
            where
                consumers.model = 'publication'
                and not (
                    consumers.system_identifier = ops.system_identifier()
                    and (
                        consumers.xmin::text::bigint
                        - pg_snapshot_xmax(consumers.seen)::text::bigint % 4294967296
                        + 4294967296
                    ) % 4294967296 < 2147483648
                )
        ) as is_whole
    from ops.publication
    inner join ops.built_from as labels on labels.model = 'int_forward_returns'
    where publication.publication_id = (select max(publication_id) from ops.publication)

),

bars as (

    select
        wanted.instrument_id,
        min(bars.bar_ts) filter (where bars.known_at > {{ as_of }}) as first_later,
        max(bars.bar_ts) filter (where bars.known_at <= {{ as_of }}) as last_known
    from wanted
    inner join raw_market.bars on wanted.instrument_id = bars.instrument_id
    where bars.timeframe = {{ timeframe }}
    group by wanted.instrument_id

),

actions as (

    select
        bars.instrument_id,
        bool_or(actions.known_at > {{ as_of }}) as has_later,
        max(actions.known_at) filter (
            where actions.known_at <= {{ as_of }} and actions.action_type = 'split'
        ) as splits_known_at,
        -- A dividend is weighed by the last close before its ex-date: while that is to come, every new bar changes it.
        bool_or(
            actions.action_type = 'cash_dividend' and actions.ex_date > (bars.first_later at time zone 'UTC')::date
        ) as has_dividend_ahead
    from bars
    inner join ref.corporate_actions as actions on bars.instrument_id = actions.instrument_id
    group by bars.instrument_id

),

withdrawals as (

    select
        instrument_id,
        bool_or(
            withdrawn_at > {{ as_of }} or (returned_at > {{ as_of }} and returned_at < 'infinity')
        ) as has_later,
        max(
            case when returned_at <= {{ as_of }} then returned_at else withdrawn_at end
        ) filter (where withdrawn_at <= {{ as_of }}) as known_at
    from ref.withdrawn_series
    where timeframe = {{ timeframe }}
    group by instrument_id

),

unseen as (

    -- Landed and not in the marts, and not only behind all that was known at the instant.
    select distinct wanted.instrument_id
    from marts
    inner join ops.change_log
        on
            change_log._xid >= pg_snapshot_xmin(marts.cut)
            and not pg_visible_in_snapshot(change_log._xid, marts.cut)
    inner join wanted
        on change_log.instrument_id = wanted.instrument_id or change_log.instrument_id is null
    where
        change_log.entity is null
        -- Of an instrument, but no bar of it is dirty for them (int_unseen_changes).
        and change_log.relation <> 'raw_market.option_quotes'::regclass
        and (change_log.timeframe = {{ timeframe }} or change_log.timeframe is null)
        and change_log.relation in (select relation from ops.consumers where model = 'publication')
        and (
            change_log.relation <> 'raw_market.bars'::regclass
            or exists (
                select from raw_market.bars
                where
                    bars.instrument_id = wanted.instrument_id
                    and bars.timeframe = {{ timeframe }}
                    and bars.bar_ts between change_log.lo and change_log.hi
                    and bars.known_at <= {{ as_of }}
            )
        )

),

expired as (

    -- When bars that are gone were known, nobody can say any more: before they went.
    select max(expired_at) as known_at
    from ops.expired_bars
    where timeframe = {{ timeframe }}

),

judged as (

    select
        wanted.instrument_id,
        instruments.symbol,
        instruments.calendar,
        bars.first_later,
        -- Later facts of a whole series reach all of its rows, those of a bar the rows from it on.
        greatest(
            wanted.sources_known_at, actions.splits_known_at, withdrawals.known_at, expired.known_at
        ) as series_known_at,
        case
            when (select marts.is_whole from marts) is not true then 'the marts are not the last complete build of everything'
            when {{ recompute_all }} then 'the marts were built by other code'
            when unseen.instrument_id is not null then 'landed, not built'
            when bars.first_later <= bars.last_known then 'bars late, corrected or withdrawn since'
            when actions.has_later then 'splits or dividends known since'
            when actions.has_dividend_ahead then 'a dividend that was ahead'
            when wanted.has_later_source then 'a source since'
            when withdrawals.has_later then 'a source that went or came since'
        end as why_recomputed
    from wanted
    inner join bars on wanted.instrument_id = bars.instrument_id
    inner join ref.instruments on wanted.instrument_id = instruments.instrument_id
    left join actions on wanted.instrument_id = actions.instrument_id
    left join withdrawals on wanted.instrument_id = withdrawals.instrument_id
    left join unseen on wanted.instrument_id = unseen.instrument_id
    cross join expired
    where bars.last_known is not null

)

select
    judged.instrument_id,
    judged.symbol,
    judged.series_known_at,
    judged.why_recomputed,
    case when judged.why_recomputed is null then coalesce(judged.first_later, 'infinity') else 'infinity' end as known_before,
    case when judged.why_recomputed is null then coalesce(next_session.close_at, 'infinity') else 'infinity' end as labels_before
from judged
left join lateral (

    -- The first session whose bar was not known: labels that end in it or later were open.
    select sessions.close_at
    from ref.exchange_sessions as sessions
    where
        sessions.calendar = judged.calendar
        and sessions.session_date >= (judged.first_later at time zone 'UTC')::date
    order by sessions.session_date
    limit 1

) as next_session on true
order by judged.instrument_id
