{#
    Grain: one row per series (instrument, timeframe) that this run recomputes.
    Decides once, for every model downstream, from where a series must be recomputed and from where its
    inputs must be read. Empty when nothing changed. The rules are in docs/incremental.md.
#}
{{ config(pre_hook='{{ take_cut() }}') }}
{%- set mart = built_relation('feature_engineered_data') -%}
{%- set checkpoints = built_relation('int_indicator_checkpoints') -%}
{%- set is_first_build = mart is none or checkpoints is none -%}
{%- set is_bounded = not is_first_build and var('expired_history') != 'drop' -%}
{#- Only daily bars have labels: 21 sessions are 8,190 bars of a minute, which a night would read for nothing. -#}
{%- set labels_from -%}
    case when dirty.timeframe = '1d' then coalesce(first_label.bar_ts, '-infinity') else dirty.recompute_from end
{%- endset -%}
-- depends_on: {{ ref('feature_catalog') }}, {{ ref('alpha158_catalog') }}
-- depends_on: {{ ref('int_bars_golden') }}, {{ source('ops', 'expired_bars') }}
with

changes as (

    select
        instrument_id,
        timeframe,
        lo,
        relation
    from {{ ref('int_unseen_changes') }}
    where entity is null
    {% if is_first_build %}
        union all
        select
            null as instrument_id,
            null as timeframe,
            '-infinity' as lo,
            null as relation
    {% endif %}

),

series as (

    -- Every series that ever had a bar: one that lost them all still has rows in the marts to delete.
    select distinct
        instrument_id,
        timeframe
    from {{ source('ref', 'series') }}
    {% if var('workspace') %}
        where (instrument_id, timeframe) in (
            select
                wanted.instrument_id,
                wanted.timeframe
            from {{ wanted_series() }} as wanted
        )
    {% endif %}

),

{% if not is_first_build -%}
    lookback as (

        select
            greatest(
                {{ lookback_bars('feature_catalog') }},
                {{ lookback_bars('alpha158_catalog') }}
            ) as bars

    ),

{% endif -%}
dirty as (

    select
        series.instrument_id,
        series.timeframe,
        min(changes.lo) as recompute_from,
        -- Nothing could be carried over from the last build.
        bool_or(changes.relation is null) as is_whole
    from series
    inner join changes
        on
            (series.instrument_id = changes.instrument_id or changes.instrument_id is null)
            and (series.timeframe = changes.timeframe or changes.timeframe is null)
    group by series.instrument_id, series.timeframe

),

{% if is_bounded -%}
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
            order by mart."timestamp"
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

    ),

{% endif -%}
recomputed as (

    select
        instrument_id,
        timeframe,
        recompute_from,
        is_whole
    from {{ 'bounded' if is_bounded else 'dirty' }}

)

select
    row_number() over (order by dirty.instrument_id, dirty.timeframe)::integer as series_no,
    dirty.instrument_id,
    dirty.timeframe,
    dirty.recompute_from,
    {{ labels_from }} as labels_from,
    {% if is_first_build -%}
        '-infinity'::timestamptz as read_from,
        null::timestamptz as checkpoint_at,
        0 as checkpoint_bar_number,
        {% for state in indicator_states() -%}
            null::double precision[] as {{ state }},
        {% endfor -%}
    {%- else -%}
        -- Fewer bars than the look-back: read from the start of the series.
        least(
            coalesce(previous_bars.read_from, '-infinity'),
            coalesce(checkpoint.bar_ts, '-infinity'),
            {{ labels_from }}
        ) as read_from,
        checkpoint.bar_ts as checkpoint_at,
        coalesce(checkpoint.bar_number, 0) as checkpoint_bar_number,
        {% for state in indicator_states() -%}
            checkpoint.{{ state }},
        {% endfor -%}
    {%- endif -%}
    dirty.is_whole

from recomputed as dirty
left join lateral (

    -- Labels look ahead: one that ends in the first bar that can have changed began so many sessions before it.
    select sessions.session_date::timestamp at time zone 'UTC' as bar_ts
    from {{ source('ref', 'instruments') }} as instruments
    inner join {{ source('ref', 'exchange_sessions') }} as sessions on instruments.calendar = sessions.calendar
    where
        dirty.timeframe = '1d'
        and instruments.instrument_id = dirty.instrument_id
        and sessions.session_date < (dirty.recompute_from at time zone 'UTC')::date
    order by sessions.session_date desc
    limit 1 offset {{ label_horizons() | max - 1 }}

) as first_label on true
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
