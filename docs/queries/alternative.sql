-- News, social media and other data.

-- name: news_of_a_symbol
-- why: what was written about a symbol, newest first
-- asked by: reader, 5 a second
-- budget: 20 ms, metrics
-- sample: select symbol, max(published_at) as until from raw_alt.news_symbols group by symbol
select
    mentions.published_at,
    articles.headline,
    mentions.sentiment_score,
    mentions.relevance
from raw_alt.news_symbols as mentions
inner join raw_alt.news_articles as articles
    on
        mentions.source = articles.source
        and mentions.article_id = articles.article_id
where
    mentions.symbol = :'symbol'
    and mentions.published_at >= :'until'::timestamptz - interval '7 days'
    and not mentions.is_withdrawn
    and not articles.is_withdrawn
order by mentions.published_at desc;

-- name: latest_news
-- why: the news of a day, whomever it is about
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select max(published_at) as until from raw_alt.news_articles
select
    published_at,
    headline,
    sentiment_score,
    source
from raw_alt.news_articles
where
    published_at >= :'until'::timestamptz - interval '1 day'
    and not is_withdrawn
order by published_at desc
limit 100;

-- name: posts_of_a_symbol
-- why: what was posted about a symbol
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select symbol, max(posted_at) as until from raw_alt.social_posts group by symbol
select
    posted_at,
    platform,
    reach,
    sentiment_score
from raw_alt.social_posts
where
    symbol = :'symbol'
    and posted_at >= :'until'::timestamptz - interval '1 day'
order by posted_at desc;

-- name: loudest_posts
-- why: the posts of an hour with the largest reach
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select max(posted_at) as until from raw_alt.social_posts
select
    symbol,
    posted_at,
    platform,
    reach,
    sentiment_score
from raw_alt.social_posts
where posted_at >= :'until'::timestamptz - interval '1 hour'
order by reach desc nulls last, posted_at desc
limit 20;

-- name: sentiment_of_a_symbol
-- why: how the mood about a symbol went
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select symbol, max(window_start) as until from raw_alt.social_sentiment group by symbol
select
    window_start,
    window_end,
    platform,
    score,
    mentions
from raw_alt.social_sentiment
where
    symbol = :'symbol'
    and window_start >= :'until'::timestamptz - interval '7 days'
order by window_start;

-- name: mood_of_the_market
-- why: the mood about every symbol in the windows that ended last
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select max(window_end) as until from raw_alt.social_sentiment
select
    symbol,
    platform,
    score,
    mentions
from raw_alt.social_sentiment
where window_end > :'until'::timestamptz - interval '1 hour'
order by mentions desc nulls last
limit 100;

-- name: alternative_data_of_a_symbol
-- why: what other data say about a symbol
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select symbol, max(as_of_ts) as until from raw_alt.alternative_data where symbol is not null group by symbol
select
    as_of_ts,
    dataset,
    entity,
    payload
from raw_alt.alternative_data
where
    symbol = :'symbol'
    and as_of_ts >= :'until'::timestamptz - interval '90 days'
order by as_of_ts;

-- name: alternative_data_by_content
-- why: all that say this, found by a part of the payload
-- asked by: reader, 1 a minute
-- budget: 100 ms, analytics
-- sample: select jsonb_build_object(item.key, item.value) as part
-- sample: from (select payload from raw_alt.alternative_data limit 100) as few
-- sample: cross join jsonb_each(few.payload) as item
select
    dataset,
    entity,
    as_of_ts,
    payload
from raw_alt.alternative_data
where payload @> :'part'
order by as_of_ts desc
limit 100;

-- name: alternative_data_published
-- why: what became known on a day: what a backtest may know
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select max(published_at) as until from raw_alt.alternative_data
select
    published_at,
    dataset,
    entity,
    payload
from raw_alt.alternative_data
where published_at > :'until'::timestamptz - interval '1 day'
order by published_at;
