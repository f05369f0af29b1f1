drop table raw_market.option_quotes;
drop table raw_market.quotes;
drop table raw_market.ticks;
drop function raw_market.refuse_impossible_prices();
drop type types.option_right;
