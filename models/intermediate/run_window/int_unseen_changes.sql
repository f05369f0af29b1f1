{#
    Grain: one row per row of the change log that some consumer of the run window has not taken in, one per consumer
    without a valid watermark, and one per change of a close that weighs a dividend.
    NULL instrument_id or timeframe: every one. NULL relation: no watermark, nothing of the last build holds.
    Rows with an entity are of tables without bars: they make no series dirty, only what reads those tables.
#}
{{ config(materialized='view') }}
with

expected as (

    select
        consumer.model,
        consumer.code_version,
        tracked.relation
    from (
        values
        {% for model, version in window_consumers().items() -%}
            ('{{ model }}', '{{ version }}'){{ ',' if not loop.last }}
        {% endfor -%}
    ) as consumer (model, code_version)
    cross join unnest(array[
        {% for relation in tracked_relations() -%}
            '{{ relation }}'{{ ',' if not loop.last }}
        {% endfor -%}
    ]::regclass[]) as tracked (relation)

),

watermarks as (

    select
        expected.model,
        expected.relation,
        consumers.seen,
        case
            when consumers.model is null then 'never built: ' || expected.model
            when consumers.code_version <> expected.code_version then 'code changed: ' || expected.model
            when consumers.system_identifier <> ops.system_identifier() then 'restored into another cluster'
            when not ({{ is_own_watermark() }}) then 'restored from a backup: the watermark is not of this history'
        end as invalid
    from expected
    left join {{ source('ops', 'consumers') }} as consumers
        on
            expected.model = consumers.model
            and expected.relation = consumers.relation

),

untrusted as (

    select distinct invalid as reason
    from watermarks
    where invalid is not null

),

snapshots as (

    -- Consumers move together: after a whole build there is one snapshot left. Compared as text, for the type
    -- has no equality.
    select distinct
        relation,
        seen::text as seen
    from watermarks
    where not exists (select from untrusted)

),

unseen as (

    select distinct
        change_log.log_id,
        change_log.timeframe,
        change_log.lo,
        change_log.hi,
        change_log.relation,
        change_log.operation,
        change_log.logged_at,
        -- Options are of an instrument, and no bar of it is dirty for them.
        case
            when change_log.relation <> 'raw_market.option_quotes'::regclass then change_log.instrument_id
        end as instrument_id,
        case
            when change_log.relation = 'raw_market.option_quotes'::regclass then change_log.instrument_id::text
            else change_log.entity
        end as entity
    from snapshots
    inner join {{ source('ops', 'change_log') }} as change_log
        on
            snapshots.relation = change_log.relation
            and change_log._xid >= pg_snapshot_xmin(snapshots.seen::pg_snapshot)
            and not pg_visible_in_snapshot(change_log._xid, snapshots.seen::pg_snapshot)
            -- Another cluster's rows came with a backup, which was taken in as a whole.
            and change_log._xid < pg_snapshot_xmax(pg_current_snapshot())

),

repriced as (

    -- A cash dividend is weighed by the last daily close before its ex-date (int_adjustment_factors): when that
    -- bar changes, or one after it was withdrawn, so does dividend_factor of every earlier bar, in every timeframe.
    select distinct
        unseen.instrument_id,
        actions.ex_date
    from unseen
    inner join {{ ref('stg_reference__corporate_actions') }} as actions
        on
            unseen.instrument_id = actions.instrument_id
            and actions.action_type = 'cash_dividend'
    left join lateral (

        select golden.bar_ts
        from {{ ref('int_bars_golden') }} as golden
        where
            golden.instrument_id = actions.instrument_id
            and golden.timeframe = '1d'
            and golden.bar_ts < actions.ex_date::timestamp at time zone 'UTC'
        order by golden.bar_ts desc
        limit 1

    ) as last_bar on true
    where
        unseen.timeframe = '1d'
        and unseen.lo < actions.ex_date::timestamp at time zone 'UTC'
        and unseen.hi >= coalesce(last_bar.bar_ts, '-infinity')

)

select
    null::integer as instrument_id,
    null::text as timeframe,
    null::text as entity,
    '-infinity'::timestamptz as lo,
    'infinity'::timestamptz as hi,
    null::regclass as relation,
    reason,
    null::timestamptz as logged_at
from untrusted

union all

select
    instrument_id,
    timeframe,
    entity,
    lo,
    hi,
    relation,
    case operation
        when 'I' then 'rows landed'
        when 'U' then 'rows changed'
        when 'D' then 'rows deleted'
        when 'T' then 'table emptied'
        when 'S' then 'a source came or went'
        else operation::text
    end as reason,
    logged_at
from unseen

union all

select
    instrument_id,
    null as timeframe,
    null as entity,
    '-infinity' as lo,
    'infinity' as hi,
    'ref.corporate_actions'::regclass as relation,
    'close before the dividend of ' || ex_date as reason,
    null as logged_at
from repriced
