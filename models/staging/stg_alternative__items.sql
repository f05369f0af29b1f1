{#
    Grain: one row per thing that was said or measured of a ticker and revision: news, posts, windows of sentiment, and
    values of alternative data, with the span of time in which it was what we knew; as known at var as_of.
    A query should give symbol, which every table has an index on.
#}
{%- set kinds = {
    'news': {
        'table': source('raw_alt', 'news_symbols'), 'event_at': 'published_at', 'about_ts': 'published_at',
        'label': 'source', 'entity': 'article_id', 'score': 'sentiment_score', 'weight': 'relevance',
        'keys': ['symbol', 'published_at', 'article_id', 'source'],
    },
    'post': {
        'table': source('raw_alt', 'social_posts'), 'event_at': 'posted_at', 'about_ts': 'posted_at',
        'label': 'platform', 'entity': 'post_id', 'score': 'sentiment_score', 'weight': 'reach',
    },
    'social': {
        'table': source('raw_alt', 'social_sentiment'), 'event_at': 'window_end', 'about_ts': 'window_start',
        'label': 'platform', 'entity': "''", 'score': 'score', 'weight': 'mentions',
        'keys': ['symbol', 'window_start', 'platform', 'window_end', 'source'],
    },
    'data': {
        'table': source('raw_alt', 'alternative_data'), 'event_at': 'published_at', 'about_ts': 'as_of_ts',
        'label': 'dataset', 'entity': 'entity', 'payload': 'payload',
        'keys': ['dataset', 'entity', 'as_of_ts', 'source'],
    },
} %}
{% for kind, is in kinds.items() %}
    select
        '{{ kind }}'::text as kind,
        said.symbol::text as symbol,
        said.source::text as source,
        said.{{ is.label }}::text as channel,
        {{ 'said.' if is.entity != "''" }}{{ is.entity }}::text as entity,
        said.{{ is.event_at }} as event_at,
        said.{{ is.about_ts }} as about_ts,
        {{ known_from('said.' ~ is.event_at, 'said.known_at', 'said.source') }} as known_from,
        {% if is.get('keys') -%}
            {{ restated_from(is.table, 'said', 'later.' ~ is.event_at, is['keys']) }} as known_until,
            said.is_withdrawn,
        {%- else -%}
            'infinity'::timestamptz as known_until,
            false as is_withdrawn,
        {%- endif %}
        {{ 'said.' ~ is.score if is.get('score') else 'null' }}::double precision as score,
        {{ 'said.' ~ is.weight if is.get('weight') else 'null' }}::double precision as weight,
        {{ 'said.' ~ is.payload if is.get('payload') else 'null' }}::jsonb as payload
    from {{ is.table }} as said
    where
        said.symbol is not null
    {% if var('as_of') -%}
            and said.known_at <= timestamptz '{{ var("as_of") }}'
        {%- endif %}
    {{ 'union all' if not loop.last }}
{% endfor %}
