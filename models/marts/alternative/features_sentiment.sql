{#
    Grain: one row per instrument, timeframe, bar start (timestamp) and feature version of which anything was known
    when the bar was over that is not too old; other bars have no row. How each number is made: docs/alternative_data.md.
#}
{{
    config(
        incremental_strategy='window_replace',
        unique_key=['instrument_id', 'timeframe', 'timestamp', 'feature_version'],
        meta={'window_column': 'timestamp', 'window_model': 'int_alternative_window', 'versioned': true},
    )
}}
{%- set in_window = {
    '1d': "items.event_at > bars.decided_at - interval '1 day'",
    '5d': "items.event_at > bars.decided_at - interval '5 days'",
} -%}
{%- set is_known -%}
    bars.decided_at >= items.event_at
    and bars.decided_at >= items.known_from
    and bars.decided_at < items.known_until
{%- endset -%}
{%- set in_order = 'order by items.event_at, items.kind, items.channel, items.entity, items.source, items.symbol' %}
with

bars as (

    select
        bars_this_run.*,
        row_number() over () as bar_no
    from {{ ref('int_alternative_bars_this_run') }} as bars_this_run

),

said as (

    select
        bars.bar_no,
        max(items.event_at) as newest_at,
        count(*) as items,
        {% for window, within in in_window.items() -%}
            count(*) filter (where items.kind = 'news' and {{ within }}) as news_count_{{ window }},
            avg(
                items.score {{ in_order }}
            ) filter (where items.kind = 'news' and {{ within }}) as news_sentiment_{{ window }},
            count(*) filter (where items.kind = 'post' and {{ within }}) as post_count_{{ window }},
            avg(
                items.score {{ in_order }}
            ) filter (where items.kind = 'post' and {{ within }}) as post_sentiment_{{ window }},
            count(items.score) filter (where {{ within }}) as scored_{{ window }},
            avg(items.score {{ in_order }}) filter (where {{ within }}) as sentiment_mean_{{ window }},
            count(*) filter (where items.score > 0 and {{ within }}) as positive_{{ window }},
            count(*) filter (where items.score < 0 and {{ within }}) as negative_{{ window }},
        {% endfor -%}
        sum(items.score * items.weight {{ in_order }}) filter (where items.kind = 'news' and {{ in_window['5d'] }})
        / nullif(sum(items.weight {{ in_order }}) filter (
            where items.kind = 'news' and items.score is not null and {{ in_window['5d'] }}
        ), 0) as news_sentiment_by_relevance_5d,
        sum(
            items.score * ln(1 + items.weight) {{ in_order }}
        ) filter (where items.kind = 'post' and {{ in_window['5d'] }})
        / nullif(sum(ln(1 + items.weight) {{ in_order }}) filter (
            where items.kind = 'post' and items.score is not null and {{ in_window['5d'] }}
        ), 0) as post_sentiment_by_reach_5d,
        -- Scores all alike vary by nothing, not by how they are rounded.
        case
            when min(items.score) filter (where {{ in_window['5d'] }})
                = max(items.score) filter (where {{ in_window['5d'] }})
                and count(items.score) filter (where {{ in_window['5d'] }}) > 1 then 0
            else stddev_samp(items.score {{ in_order }}) filter (where {{ in_window['5d'] }})
        end as sentiment_std_5d,
        avg(items.score {{ in_order }}) as sentiment_mean,
        case when min(items.score) < max(items.score) then stddev_samp(items.score {{ in_order }}) end as sentiment_std
    from bars
    inner join {{ ref('int_alternative_items_this_run') }} as items
        on
            bars.instrument_id = items.instrument_id
            and items.kind in ('news', 'post')
            and items.event_at > bars.decided_at - interval '{{ var("sentiment_max_age_days") }} days'
            and {{ is_known }}
    group by bars.bar_no

),

social_windows as (

    -- The window that ended last, of each platform and source.
    select distinct on (bars.bar_no, items.channel, items.source)
        bars.bar_no,
        items.channel,
        items.source,
        items.event_at,
        items.score,
        items.weight
    from bars
    inner join {{ ref('int_alternative_items_this_run') }} as items
        on
            bars.instrument_id = items.instrument_id
            and items.kind = 'social'
            and items.event_at > bars.decided_at - interval '{{ var("social_max_age_hours") }} hours'
            and {{ is_known }}
    order by
        bars.bar_no asc, items.channel asc, items.source asc, items.event_at desc, items.about_ts desc, items.symbol asc

),

social as (

    select
        bar_no,
        max(event_at) as newest_at,
        sum(score * weight order by channel, source) / nullif(sum(weight order by channel, source), 0) as score,
        sum(weight order by channel, source)::bigint as mentions
    from social_windows
    group by bar_no

),

data_values as (

    -- Of each data set and entity the value that describes the latest time.
    select distinct on (bars.bar_no, items.channel, items.entity)
        bars.bar_no,
        items.channel,
        items.entity,
        items.event_at,
        items.payload
    from bars
    inner join {{ ref('int_alternative_items_this_run') }} as items
        on
            bars.instrument_id = items.instrument_id
            and items.kind = 'data'
            and items.event_at > bars.decided_at - interval '{{ var("alternative_data_max_age_days") }} days'
            and {{ is_known }}
    order by
        bars.bar_no asc, items.channel asc, items.entity asc, items.about_ts desc, items.event_at desc, items.source asc

),

data_sets as (

    select
        bar_no,
        channel,
        max(event_at) as newest_at,
        count(*) as entities,
        jsonb_object_agg(entity, payload) as payloads
    from data_values
    group by bar_no, channel

),

alternative as (

    select
        bar_no,
        max(newest_at) as newest_at,
        sum(entities)::bigint as entities,
        jsonb_object_agg(channel, payloads) as payloads
    from data_sets
    group by bar_no

)

select
    bars.instrument_id,
    bars.timeframe,
    bars."timestamp",
    '{{ var("feature_version") }}'::text as feature_version,
    bars.symbol,
    bars.session_date,
    bars.decided_at,
    {% for name in ['news', 'post'] -%}
        {% for window in in_window -%}
            coalesce(said.{{ name }}_count_{{ window }}, 0) as {{ name }}_count_{{ window }},
            said.{{ name }}_sentiment_{{ window }},
        {% endfor -%}
    {% endfor -%}
    said.news_sentiment_by_relevance_5d,
    said.post_sentiment_by_reach_5d,
    said.sentiment_mean_1d,
    said.sentiment_mean_5d,
    said.sentiment_std_5d,
    said.positive_5d::double precision / nullif(said.scored_5d, 0) as positive_share_5d,
    said.negative_5d::double precision / nullif(said.scored_5d, 0) as negative_share_5d,
    said.sentiment_mean_1d - said.sentiment_mean_5d as sentiment_momentum,
    (said.sentiment_mean_1d - said.sentiment_mean) / said.sentiment_std as sentiment_surprise,
    (said.news_count_1d + said.post_count_1d) * {{ var('sentiment_max_age_days') }}::double precision / said.items
        as attention_ratio,
    date_part('epoch', bars.decided_at - said.newest_at) / 3600 as said_age_hours,
    social.score as social_score,
    social.mentions as social_mentions,
    date_part('epoch', bars.decided_at - social.newest_at) / 3600 as social_age_hours,
    alternative.payloads as alternative_data,
    coalesce(alternative.entities, 0) as alternative_data_count,
    date_part('epoch', bars.decided_at - alternative.newest_at) / 86400 as alternative_data_age_days

from bars
left join said on bars.bar_no = said.bar_no
left join social on bars.bar_no = social.bar_no
left join alternative on bars.bar_no = alternative.bar_no
where said.bar_no is not null or social.bar_no is not null or alternative.bar_no is not null
