-- The names under which the four designs read market data. All views: the newest revision of what no revision
-- withdrew, one row per source. Which source to believe is decided in the marts.

-- By symbol they must be found through the key of the table, which begins with the instrument: hence the join,
-- which takes no row away, since every landed row's symbol is in the history.
create view raw_market.market_data with (security_invoker = true) as
select
    bar.symbol,
    bar.bar_ts as "timestamp",
    bar.open,
    bar.high,
    bar.low,
    bar.close,
    bar.volume,
    bar.source,
    bar.known_at as created_at,
    bar.timeframe,
    bar.session_date,
    bar.adjusted,
    bar.instrument_id
from raw_market.bars as bar
inner join (select distinct symbol, instrument_id from ref.symbol_history) as named using (symbol, instrument_id)
where
    not bar.is_withdrawn
    and not exists (
        select from raw_market.bars as later
        where
            later.instrument_id = bar.instrument_id
            and later.timeframe = bar.timeframe
            and later.bar_ts = bar.bar_ts
            and later.source = bar.source
            and later.revision > bar.revision
    );
comment on view raw_market.market_data is 'Bars of all timeframes, one row per source: seed C''s table. Ask for one timeframe: at midnight UTC a day and a minute start together.';

create view raw_market.market_data_daily with (security_invoker = true) as
select * from raw_market.market_data
where timeframe = '1d';
comment on view raw_market.market_data_daily is 'Daily bars, one row per source: seed A''s table.';

create view raw_market.market_data_hf with (security_invoker = true) as
select
    symbol, "timestamp", 'bar' as record_type, open, high, low, close, volume,
    null::numeric as price, null::numeric as size, null::types.side as side, null::bigint as seq,
    source, created_at, instrument_id
from raw_market.market_data
where timeframe = '1m'
union all
select
    tick.symbol, tick.tick_ts, 'tick', null, null, null, null, null,
    tick.price, tick.size, tick.aggressor, tick.seq,
    tick.source, tick.known_at, tick.instrument_id
from raw_market.ticks as tick
inner join (select distinct symbol, instrument_id from ref.symbol_history) as named using (symbol, instrument_id);
comment on view raw_market.market_data_hf is 'Bars of one minute and ticks, told apart by record_type: seed A''s table.';

create view raw_market.forex_crypto_data with (security_invoker = true) as
select
    rate.symbol,
    rate."timestamp",
    nullif(regexp_replace(rate.symbol, '[-/_.:]?' || instrument.currency || '$', ''), rate.symbol) as base_currency,
    instrument.currency as quote_currency,
    rate.bid,
    rate.ask,
    rate.bid_size,
    rate.ask_size,
    rate.open,
    rate.high,
    rate.low,
    rate.close,
    rate.volume,
    rate.record_type,
    rate.timeframe,
    instrument.asset_class,
    instrument.calendar,
    rate.source,
    rate.created_at,
    rate.instrument_id
from (
    select
        instrument_id, symbol, "timestamp", null::numeric as bid, null::numeric as ask, null::numeric as bid_size,
        null::numeric as ask_size, open, high, low, close, volume, 'bar' as record_type, timeframe, source, created_at
    from raw_market.market_data
    union all
    select
        quote.instrument_id, quote.symbol, quote.quote_ts, quote.bid, quote.ask, quote.bid_size,
        quote.ask_size, null, null, null, null, null, 'quote', quote.timeframe, quote.source, quote.known_at
    from raw_market.quotes as quote
    inner join (select distinct symbol, instrument_id from ref.symbol_history) as named using (symbol, instrument_id)
    where
        not quote.is_withdrawn
        and not exists (
            select from raw_market.quotes as later
            where
                later.instrument_id = quote.instrument_id
                and later.timeframe = quote.timeframe
                and later.quote_ts = quote.quote_ts
                and later.source = quote.source
                and later.seq = quote.seq
                and later.revision > quote.revision
        )
) as rate
inner join ref.instruments as instrument using (instrument_id)
where instrument.asset_class in ('fx', 'crypto');
comment on view raw_market.forex_crypto_data is 'Bars and quotes of instruments of asset class fx or crypto, told apart by record_type: seed A''s table. Currencies are NULL where the profile named none.';

create view raw_market.options_data with (security_invoker = true) as
select
    quote.symbol as underlying,
    quote.quote_ts as "timestamp",
    quote.expiry,
    quote.strike,
    quote.option_right as "right",
    quote.contract_symbol,
    quote.bid,
    quote.ask,
    quote.last,
    quote.open,
    quote.high,
    quote.low,
    quote.close,
    quote.volume,
    quote.open_interest,
    quote.implied_volatility,
    quote.delta,
    quote.gamma,
    quote.theta,
    quote.vega,
    quote.rho,
    quote.underlying_price,
    quote.source,
    quote.known_at as created_at,
    quote.instrument_id
from raw_market.option_quotes as quote
inner join (select distinct symbol, instrument_id from ref.symbol_history) as named using (symbol, instrument_id)
where
    not quote.is_withdrawn
    and not exists (
        select from raw_market.option_quotes as later
        where
            later.instrument_id = quote.instrument_id
            and later.quote_ts = quote.quote_ts
            and later.expiry = quote.expiry
            and later.strike = quote.strike
            and later.option_right = quote.option_right
            and later.source = quote.source
            and later.revision > quote.revision
    );
comment on view raw_market.options_data is 'Option chains with Greeks: seed A''s table.';
