{#
    Grain: one row per series (instrument, timeframe) that this run recomputes.
    Decides once, for every model downstream, from where a series must be recomputed and from where its
    inputs must be read. Empty when nothing changed. The rules are in docs/incremental.md.
#}
{{ config(pre_hook='{{ take_cut() }}') }}
{%- set consumers = window_consumers() -%}
{%- set mart = built_relation('feature_engineered_data') -%}
{%- set checkpoints = built_relation('int_indicator_checkpoints') -%}
{%- set is_first_build = mart is none or checkpoints is none -%}
{%- set is_bounded = not is_first_build and var('expired_history') != 'drop' -%}
-- depends_on: {{ ref('feature_catalog') }}, {{ source('ops', 'expired_bars') }}
with

watermarks as (

    select
        consumers.relation,
        consumers.seen
    from {{ source('ops', 'consumers') }} as consumers
    inner join (
        values
        {% for model, version in consumers.items() -%}
            ('{{ model }}', '{{ version }}'){{ ',' if not loop.last }}
        {% endfor -%}
    ) as expected (model, code_version)
        on
            consumers.model = expected.model
            and consumers.code_version = expected.code_version
    where
        {{ is_own_watermark() }}
        and not {{ is_first_build }}

),

series as (

    -- Every series that ever had a bar: one that lost them all still has rows in the marts to delete.
    select distinct
        instrument_id,
        timeframe
    from {{ source('ref', 'series') }}

),

unseen as (

    select
        change_log.instrument_id,
        change_log.timeframe,
        change_log.lo,
        change_log.hi
    from {{ source('ops', 'change_log') }} as change_log
    inner join watermarks on change_log.relation = watermarks.relation
    where
        change_log._xid >= pg_snapshot_xmin(watermarks.seen)
        and not pg_visible_in_snapshot(change_log._xid, watermarks.seen)
        -- Another cluster's rows came with a backup, which was taken in as a whole.
        and change_log._xid < pg_snapshot_xmax(pg_current_snapshot())

    union all

    -- Without a watermark nothing was seen: every series from its first bar.
    select
        null::integer as instrument_id,
        null::text as timeframe,
        '-infinity'::timestamptz as lo,
        'infinity'::timestamptz as hi
    where (select count(*) from watermarks) < {{ consumers | length * tracked_relations() | length }}

),

repriced as (

    -- A cash dividend is weighed by the last daily close before its ex-date (int_adjustment_factors): when that
    -- bar changes, or one after it was withdrawn, so does dividend_factor of every earlier bar, in every timeframe.
    select unseen.instrument_id
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

),

changed as (

    select
        instrument_id,
        timeframe,
        lo
    from unseen

    union all

    select
        instrument_id,
        null as timeframe,
        '-infinity'::timestamptz as lo
    from repriced

),

{% if not is_first_build -%}
    lookback as (

        select max(lookback_bars) as bars
        from {{ ref('feature_catalog') }}
        where memory = 'finite'

    ),

{% endif -%}
dirty as (

    select
        series.instrument_id,
        series.timeframe,
        min(changed.lo) as recompute_from,
        -- Nothing could be carried over from the last build.
        bool_or(changed.instrument_id is null and changed.timeframe is null) as is_whole
    from series
    inner join changed
        on
            (series.instrument_id = changed.instrument_id or changed.instrument_id is null)
            and (series.timeframe = changed.timeframe or changed.timeframe is null)
    group by series.instrument_id, series.timeframe

){% if is_bounded -%},

expired as (

    select
        timeframe,
        max(kept_from) as kept_from
    from {{ source('ops', 'expired_bars') }}
    group by timeframe

),

bounded as (

    -- History whose bars have expired stays as it is published: what can be computed again begins one
    -- look-back after the oldest bar that is still landed.
    select
        dirty.instrument_id,
        dirty.timeframe,
        dirty.is_whole,
        case
            when expired.kept_from is null or published.is_older is null then dirty.recompute_from
            else greatest(dirty.recompute_from, coalesce(computable.bar_ts, 'infinity'))
        end as recompute_from

    from dirty
    left join expired on dirty.timeframe = expired.timeframe
    left join lateral (

        select true as is_older
        from {{ mart }} as mart
        where
            mart.instrument_id = dirty.instrument_id
            and mart.timeframe = dirty.timeframe
            and mart.feature_version = '{{ var("feature_version") }}'
            and mart."timestamp" < expired.kept_from
        limit 1

    ) as published on true
    left join lateral (

        select golden.bar_ts
        from {{ ref('int_bars_golden') }} as golden
        where
            golden.instrument_id = dirty.instrument_id
            and golden.timeframe = dirty.timeframe
            and golden.bar_ts >= expired.kept_from
        order by golden.bar_ts
        limit 1 offset (select lookback.bars from lookback)

    ) as computable on true

)
{%- endif %}

select
    row_number() over (order by dirty.instrument_id, dirty.timeframe)::integer as series_no,
    dirty.instrument_id,
    dirty.timeframe,
    dirty.recompute_from,
    {% if is_first_build -%}
        '-infinity'::timestamptz as read_from,
        null::timestamptz as checkpoint_at,
        0 as checkpoint_bar_number,
        {% for state in indicator_states() -%}
            null::double precision[] as {{ state }},
        {% endfor -%}
    {%- else -%}
        -- Fewer bars than the look-back: read from the start of the series.
        least(coalesce(previous_bars.read_from, '-infinity'), coalesce(checkpoint.bar_ts, '-infinity')) as read_from,
        checkpoint.bar_ts as checkpoint_at,
        coalesce(checkpoint.bar_number, 0) as checkpoint_bar_number,
        {% for state in indicator_states() -%}
            checkpoint.{{ state }},
        {% endfor -%}
    {%- endif -%}
    dirty.is_whole

from {{ 'bounded' if is_bounded else 'dirty' }} as dirty
{% if not is_first_build %}
    left join lateral (

        select mart."timestamp" as read_from
        from {{ mart }} as mart
        where
            mart.instrument_id = dirty.instrument_id
            and mart.timeframe = dirty.timeframe
            and mart.feature_version = '{{ var("feature_version") }}'
            and mart."timestamp" < dirty.recompute_from
        order by mart."timestamp" desc
        limit 1 offset (select lookback.bars - 1 from lookback)

    ) as previous_bars on true
    left join lateral (

        select checkpoints.*
        from {{ checkpoints }} as checkpoints
        where
            checkpoints.instrument_id = dirty.instrument_id
            and checkpoints.timeframe = dirty.timeframe
            and checkpoints.bar_ts < dirty.recompute_from
        order by checkpoints.bar_ts desc
        limit 1

    ) as checkpoint on true
{% endif %}
