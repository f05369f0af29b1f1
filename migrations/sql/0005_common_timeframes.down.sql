alter table raw_market.bars
drop constraint bars_timeframe_check,
add constraint bars_timeframe_check check (timeframe ~ '^[1-9][0-9]*(m|h|d)$');
