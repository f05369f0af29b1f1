-- Alternative data: news, social media, and everything else that has an entity, a time and a payload.
-- Two clocks: published_at is when the world could know, known_at when we did. What is studied of the past may
-- use a row from the later of both on, except where it was landed long after the fact: then from published_at.

create table raw_alt.news_articles (
    source types.label not null default 'application',
    article_id types.label not null,
    revision integer not null default 0,
    published_at timestamptz not null,
    headline types.label not null,
    summary text,
    body text,
    url text,
    author text,
    publisher text,
    language text,
    sentiment_score types.signed_fraction,
    sentiment_model text,
    is_withdrawn boolean not null default false,
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (source, article_id, revision),
    constraint news_articles_revision_counts_up check (revision >= 0),
    constraint news_articles_language_is_iso_639 check (language ~ '^[a-z]{2}$'),
    constraint news_articles_model_has_score check (sentiment_model is null or sentiment_score is not null)
);
create index news_articles_published_idx on raw_alt.news_articles (published_at);
comment on constraint news_articles_revision_counts_up on raw_alt.news_articles is 'The revision is negative.';
comment on constraint news_articles_language_is_iso_639 on raw_alt.news_articles is 'The language is no two lower-case letters, such as en.';
comment on constraint news_articles_model_has_score on raw_alt.news_articles is 'A sentiment model is named, but no score.';
comment on table raw_alt.news_articles is 'News as published. Append-only: an edited article is the next revision.';
comment on column raw_alt.news_articles.source is 'Who sent it.';
comment on column raw_alt.news_articles.article_id is 'The source''s own id of the article; where it has none, a hash of the headline.';
comment on column raw_alt.news_articles.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_alt.news_articles.published_at is 'When the article was published: from then on the world could know.';
comment on column raw_alt.news_articles.headline is 'Headline.';
comment on column raw_alt.news_articles.summary is 'Teaser or description; NULL: none.';
comment on column raw_alt.news_articles.body is 'Full text; NULL: not licensed or not sent.';
comment on column raw_alt.news_articles.url is 'Address of the article; NULL: not sent.';
comment on column raw_alt.news_articles.author is 'Who wrote it; NULL: not said.';
comment on column raw_alt.news_articles.publisher is 'Who published it, where the source resells; NULL: the source itself.';
comment on column raw_alt.news_articles.language is 'Language, ISO 639-1, such as en; NULL: not said.';
comment on column raw_alt.news_articles.sentiment_score is 'Sentiment of the article as the source or its model states it: -1 bad, 0 neutral, 1 good; NULL: not scored.';
comment on column raw_alt.news_articles.sentiment_model is 'What scored it, with its version; NULL: not scored, or not said.';
comment on column raw_alt.news_articles.is_withdrawn is 'True in the revision that takes the row back.';
comment on column raw_alt.news_articles.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_alt.news_articles.known_at is 'When we knew it: the start of the landing transaction.';
create trigger news_articles_append_only before update or delete or truncate on raw_alt.news_articles
for each statement execute function ops.refuse_mutation('Land the corrected rows again: they become the next revision.');
create trigger news_articles_log_changes after insert on raw_alt.news_articles
referencing new table as changed
for each statement execute function ops.log_landed('source', 'published_at');

create table raw_alt.news_symbols (
    source types.label not null default 'application',
    article_id types.label not null,
    symbol types.label not null,
    revision integer not null default 0,
    published_at timestamptz not null,
    relevance types.fraction,
    sentiment_score types.signed_fraction,
    is_withdrawn boolean not null default false,
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (symbol, published_at, article_id, source, revision),
    constraint news_symbols_revision_counts_up check (revision >= 0)
);
comment on constraint news_symbols_revision_counts_up on raw_alt.news_symbols is 'The revision is negative.';
comment on table raw_alt.news_symbols is 'Which symbols an article is about, and how it speaks of each. Append-only: a restated link is the next revision. No reference to the article, whose key has its revision, and which may land later.';
comment on column raw_alt.news_symbols.source is 'Who sent it.';
comment on column raw_alt.news_symbols.article_id is 'Article of raw_alt.news_articles of the same source.';
comment on column raw_alt.news_symbols.symbol is 'Ticker as the source names it.';
comment on column raw_alt.news_symbols.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_alt.news_symbols.published_at is 'When the article was published.';
comment on column raw_alt.news_symbols.relevance is 'How much the article is about the symbol, 0 to 1; NULL: not said.';
comment on column raw_alt.news_symbols.sentiment_score is 'Sentiment towards the symbol, -1 to 1; NULL: not scored.';
comment on column raw_alt.news_symbols.is_withdrawn is 'True in the revision that takes the row back.';
comment on column raw_alt.news_symbols.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_alt.news_symbols.known_at is 'When we knew it: the start of the landing transaction.';
create trigger news_symbols_append_only before update or delete or truncate on raw_alt.news_symbols
for each statement execute function ops.refuse_mutation('Land the corrected rows again: they become the next revision.');
create trigger news_symbols_log_changes after insert on raw_alt.news_symbols
referencing new table as changed
for each statement execute function ops.log_landed('symbol', 'published_at');

create table raw_alt.social_posts (
    platform types.label not null,
    symbol types.label not null,
    posted_at timestamptz not null,
    post_id types.label not null,
    author text,
    text types.label not null,
    language text,
    reach bigint,
    sentiment_score types.signed_fraction,
    sentiment_model text,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (symbol, posted_at, post_id, platform, source),
    constraint social_posts_language_is_iso_639 check (language ~ '^[a-z]{2}$'),
    constraint social_posts_reach_not_negative check (reach >= 0),
    constraint social_posts_model_has_score check (sentiment_model is null or sentiment_score is not null)
);
create index social_posts_posted_idx on raw_alt.social_posts (posted_at);
comment on constraint social_posts_language_is_iso_639 on raw_alt.social_posts is 'The language is no two lower-case letters, such as en.';
comment on constraint social_posts_reach_not_negative on raw_alt.social_posts is 'The reach is negative.';
comment on constraint social_posts_model_has_score on raw_alt.social_posts is 'A sentiment model is named, but no score.';
comment on table raw_alt.social_posts is 'Ledger of posts on social media, one row per post and symbol it was found under. Posts are never changed; an edited one has another id.';
comment on column raw_alt.social_posts.platform is 'Where it was posted: twitter, reddit, stocktwits …';
comment on column raw_alt.social_posts.symbol is 'Ticker under which the post was found.';
comment on column raw_alt.social_posts.posted_at is 'When it was posted: from then on the world could know.';
comment on column raw_alt.social_posts.post_id is 'The platform''s id of the post; where the source has none, a hash of author and text.';
comment on column raw_alt.social_posts.author is 'Who posted it, as a pseudonym: the name itself is personal data and does not land. NULL: not said.';
comment on column raw_alt.social_posts.text is 'What was posted.';
comment on column raw_alt.social_posts.language is 'Language, ISO 639-1; NULL: not said.';
comment on column raw_alt.social_posts.reach is 'Followers of the author at that time; NULL: not said.';
comment on column raw_alt.social_posts.sentiment_score is 'Sentiment of the post, -1 to 1; NULL: not scored.';
comment on column raw_alt.social_posts.sentiment_model is 'What scored it, with its version; NULL: not scored, or not said.';
comment on column raw_alt.social_posts.source is 'Who sent it.';
comment on column raw_alt.social_posts.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_alt.social_posts.known_at is 'When we knew it: the start of the landing transaction.';
create trigger social_posts_append_only before update or delete or truncate on raw_alt.social_posts
for each statement execute function ops.refuse_mutation('A post stays as it was; an edited one has an id of its own.');
create trigger social_posts_log_changes after insert on raw_alt.social_posts
referencing new table as changed
for each statement execute function ops.log_landed('symbol', 'posted_at');

create table raw_alt.social_sentiment (
    platform types.label not null,
    symbol types.label not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    source types.label not null default 'application',
    revision integer not null default 0,
    score types.signed_fraction not null,
    mentions bigint not null,
    positive_mentions bigint,
    negative_mentions bigint,
    sentiment_model text,
    is_withdrawn boolean not null default false,
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (symbol, window_start, platform, window_end, source, revision),
    constraint social_sentiment_revision_counts_up check (revision >= 0),
    constraint social_sentiment_window_has_length check (window_end > window_start),
    constraint social_sentiment_mentions_not_negative check (mentions >= 0),
    constraint social_sentiment_parts_within_mentions check (positive_mentions >= 0 and negative_mentions >= 0 and coalesce(positive_mentions, 0) + coalesce(negative_mentions, 0) <= mentions)
);
create index social_sentiment_end_idx on raw_alt.social_sentiment (window_end);
comment on constraint social_sentiment_revision_counts_up on raw_alt.social_sentiment is 'The revision is negative.';
comment on constraint social_sentiment_window_has_length on raw_alt.social_sentiment is 'The window ends before it starts.';
comment on constraint social_sentiment_mentions_not_negative on raw_alt.social_sentiment is 'The number of mentions is negative.';
comment on constraint social_sentiment_parts_within_mentions on raw_alt.social_sentiment is 'Positive and negative mentions are negative, or together more than all mentions.';
comment on table raw_alt.social_sentiment is 'Sentiment of a symbol on a platform over a window of time, as a source aggregates it. Append-only: a restated window is the next revision.';
comment on column raw_alt.social_sentiment.platform is 'Where: twitter, reddit, stocktwits …, or all.';
comment on column raw_alt.social_sentiment.symbol is 'Ticker as the source names it.';
comment on column raw_alt.social_sentiment.window_start is 'Start of the window.';
comment on column raw_alt.social_sentiment.window_end is 'End of the window, exclusive: the sentiment is known from then on at the earliest.';
comment on column raw_alt.social_sentiment.source is 'Who sent it.';
comment on column raw_alt.social_sentiment.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_alt.social_sentiment.score is 'Mean sentiment, -1 to 1.';
comment on column raw_alt.social_sentiment.mentions is 'Posts in the window: the volume behind the score.';
comment on column raw_alt.social_sentiment.positive_mentions is 'Posts scored as positive; NULL: not said.';
comment on column raw_alt.social_sentiment.negative_mentions is 'Posts scored as negative; NULL: not said.';
comment on column raw_alt.social_sentiment.sentiment_model is 'What scored them, with its version; NULL: not said.';
comment on column raw_alt.social_sentiment.is_withdrawn is 'True in the revision that takes the row back.';
comment on column raw_alt.social_sentiment.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_alt.social_sentiment.known_at is 'When we knew it: the start of the landing transaction.';
create trigger social_sentiment_append_only before update or delete or truncate on raw_alt.social_sentiment
for each statement execute function ops.refuse_mutation('Land the corrected rows again: they become the next revision.');
create trigger social_sentiment_log_changes after insert on raw_alt.social_sentiment
referencing new table as changed
for each statement execute function ops.log_landed('symbol', 'window_end');

create table raw_alt.alternative_data (
    dataset types.label not null,
    entity types.label not null,
    as_of_ts timestamptz not null,
    source types.label not null default 'application',
    revision integer not null default 0,
    symbol text,
    published_at timestamptz not null,
    payload jsonb not null,
    is_withdrawn boolean not null default false,
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (dataset, entity, as_of_ts, source, revision),
    constraint alternative_data_revision_counts_up check (revision >= 0),
    constraint alternative_data_payload_is_object check (jsonb_typeof(payload) = 'object'),
    constraint alternative_data_published_after_its_time check (published_at >= as_of_ts),
    constraint alternative_data_symbol_not_empty check (symbol ~ '\S')
);
create index alternative_data_published_idx on raw_alt.alternative_data (published_at);
create index alternative_data_symbol_idx on raw_alt.alternative_data (symbol, as_of_ts) where symbol is not null;
create index alternative_data_payload_idx on raw_alt.alternative_data using gin (payload jsonb_path_ops);
comment on constraint alternative_data_revision_counts_up on raw_alt.alternative_data is 'The revision is negative.';
comment on constraint alternative_data_payload_is_object on raw_alt.alternative_data is 'The payload is no JSON object.';
comment on constraint alternative_data_published_after_its_time on raw_alt.alternative_data is 'It was published before the time it describes: a forecast is dated by when it was made.';
comment on constraint alternative_data_symbol_not_empty on raw_alt.alternative_data is 'The symbol is empty.';
comment on table raw_alt.alternative_data is 'Everything else: satellite images counted, card payments, weather. One row per data set, entity and time. Append-only: a restated value is the next revision.';
comment on column raw_alt.alternative_data.dataset is 'Data set, such as satellite_parking or card_spending.';
comment on column raw_alt.alternative_data.entity is 'What it is about: a store, a region, a company.';
comment on column raw_alt.alternative_data.as_of_ts is 'Time that the payload describes.';
comment on column raw_alt.alternative_data.source is 'Who sent it.';
comment on column raw_alt.alternative_data.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_alt.alternative_data.symbol is 'Ticker the entity belongs to; NULL: none, or not said.';
comment on column raw_alt.alternative_data.published_at is 'When it was published: weeks after as_of_ts in many data sets, and nobody could know before.';
comment on column raw_alt.alternative_data.payload is 'The values, a JSON object; each data set has its own names and units.';
comment on column raw_alt.alternative_data.is_withdrawn is 'True in the revision that takes the row back.';
comment on column raw_alt.alternative_data.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_alt.alternative_data.known_at is 'When we knew it: the start of the landing transaction.';
create trigger alternative_data_append_only before update or delete or truncate on raw_alt.alternative_data
for each statement execute function ops.refuse_mutation('Land the corrected rows again: they become the next revision.');
create trigger alternative_data_log_changes after insert on raw_alt.alternative_data
referencing new table as changed
for each statement execute function ops.log_landed('dataset', 'as_of_ts');
