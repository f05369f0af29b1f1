drop table raw_alt.alternative_data;
drop table raw_alt.social_sentiment;
drop table raw_alt.social_posts;
drop table raw_alt.news_symbols;
drop table raw_alt.news_articles;
