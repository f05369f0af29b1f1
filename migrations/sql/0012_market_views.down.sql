drop view raw_market.options_data;
drop view raw_market.forex_crypto_data;
drop view raw_market.market_data_hf;
drop view raw_market.market_data_daily;
drop view raw_market.market_data;
