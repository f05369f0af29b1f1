-- The names under which the four designs read market data. All views: the newest revision of what no revision
-- withdrew, one row per source. Which source to believe is decided in the marts.
--
-- Domains are cast to their types: where the branches of a union differ in type, a condition on a symbol would be
-- tried on every row after the union instead of in the index of each branch.

-- By symbol they must be found through the key of the table, which begins with the instrument: hence the join
-- with what the symbol meant on the day. It takes no bar away; ticks, quotes and options, which a rename does not
-- move, are left out until they land again.
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
inner join ref.symbol_history as named
    on
        bar.symbol = named.symbol
        and bar.instrument_id = named.instrument_id
        and bar.session_date >= named.valid_from
        and bar.session_date < named.valid_to
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
comment on column raw_market.market_data.symbol is 'Ticker as the source sent it.';
comment on column raw_market.market_data."timestamp" is 'Start of the bar, UTC; a day starts at 00:00 UTC of its session date.';
comment on column raw_market.market_data.open is 'First price.';
comment on column raw_market.market_data.high is 'Highest price.';
comment on column raw_market.market_data.low is 'Lowest price.';
comment on column raw_market.market_data.close is 'Last price.';
comment on column raw_market.market_data.volume is 'Units traded; NULL: the source has none.';
comment on column raw_market.market_data.source is 'Who sent it.';
comment on column raw_market.market_data.created_at is 'When we knew it: the start of the landing transaction.';
comment on column raw_market.market_data.timeframe is 'Length of the bar, such as 1m or 1d.';
comment on column raw_market.market_data.session_date is 'Exchange-local session the bar belongs to.';
comment on column raw_market.market_data.adjusted is 'What the source has adjusted prices for: none, splits, splits_and_dividends.';
comment on column raw_market.market_data.instrument_id is 'Instrument of ref.instruments.';

create view raw_market.market_data_daily with (security_invoker = true) as
select * from raw_market.market_data
where timeframe = '1d';
comment on view raw_market.market_data_daily is 'Daily bars, one row per source: seed A''s table.';
comment on column raw_market.market_data_daily.symbol is 'Ticker as the source sent it.';
comment on column raw_market.market_data_daily."timestamp" is 'Start of the bar, UTC; a day starts at 00:00 UTC of its session date.';
comment on column raw_market.market_data_daily.open is 'First price.';
comment on column raw_market.market_data_daily.high is 'Highest price.';
comment on column raw_market.market_data_daily.low is 'Lowest price.';
comment on column raw_market.market_data_daily.close is 'Last price.';
comment on column raw_market.market_data_daily.volume is 'Units traded; NULL: the source has none.';
comment on column raw_market.market_data_daily.source is 'Who sent it.';
comment on column raw_market.market_data_daily.created_at is 'When we knew it: the start of the landing transaction.';
comment on column raw_market.market_data_daily.timeframe is 'Length of the bar, such as 1m or 1d.';
comment on column raw_market.market_data_daily.session_date is 'Exchange-local session the bar belongs to.';
comment on column raw_market.market_data_daily.adjusted is 'What the source has adjusted prices for: none, splits, splits_and_dividends.';
comment on column raw_market.market_data_daily.instrument_id is 'Instrument of ref.instruments.';

create view raw_market.market_data_hf with (security_invoker = true) as
select
    symbol, "timestamp", 'bar' as record_type, open, high, low, close, volume,
    null::numeric as price, null::numeric as size, null::types.side as side, null::bigint as seq,
    source, created_at, instrument_id
from raw_market.market_data
where timeframe = '1m'
union all
select
    tick.symbol::text, tick.tick_ts, 'tick', null, null, null, null, null,
    tick.price::numeric, tick.size::numeric, tick.aggressor, tick.seq,
    tick.source::text, tick.known_at, tick.instrument_id
from raw_market.ticks as tick
inner join ref.symbol_history as named
    on
        tick.symbol = named.symbol
        and tick.instrument_id = named.instrument_id
left join ref.calendars as zoned on named.calendar = zoned.calendar
-- The day as the loader reads it: midnight in UTC stands for a whole session.
cross join lateral (
    select
        (
            case
                when date_trunc('day', tick.tick_ts, 'UTC') = tick.tick_ts then tick.tick_ts at time zone 'UTC'
                else tick.tick_ts at time zone coalesce(zoned.timezone, 'UTC')
            end
        )::date as day
) as on_day
where on_day.day >= named.valid_from and on_day.day < named.valid_to;
comment on view raw_market.market_data_hf is 'Bars of one minute and ticks, told apart by record_type: seed A''s table.';
comment on column raw_market.market_data_hf.symbol is 'Ticker as the source sent it.';
comment on column raw_market.market_data_hf."timestamp" is 'Start of the bar, or time of the tick, UTC.';
comment on column raw_market.market_data_hf.record_type is 'bar or tick.';
comment on column raw_market.market_data_hf.open is 'First price; NULL for ticks.';
comment on column raw_market.market_data_hf.high is 'Highest price; NULL for ticks.';
comment on column raw_market.market_data_hf.low is 'Lowest price; NULL for ticks.';
comment on column raw_market.market_data_hf.close is 'Last price; NULL for ticks.';
comment on column raw_market.market_data_hf.volume is 'Units traded in the bar; NULL for ticks, or where the source has none.';
comment on column raw_market.market_data_hf.price is 'Price of the trade; NULL for bars.';
comment on column raw_market.market_data_hf.size is 'Units of the trade; NULL for bars.';
comment on column raw_market.market_data_hf.side is 'Side that took liquidity; NULL for bars, or not said.';
comment on column raw_market.market_data_hf.seq is 'Order among the ticks of one source and time; NULL for bars.';
comment on column raw_market.market_data_hf.source is 'Who sent it.';
comment on column raw_market.market_data_hf.created_at is 'When we knew it: the start of the landing transaction.';
comment on column raw_market.market_data_hf.instrument_id is 'Instrument of ref.instruments.';

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
        quote.instrument_id, quote.symbol::text, quote.quote_ts, quote.bid::numeric, quote.ask::numeric,
        quote.bid_size::numeric, quote.ask_size::numeric, null, null, null, null, null, 'quote', quote.timeframe,
        quote.source::text, quote.known_at
    from raw_market.quotes as quote
    inner join ref.symbol_history as named
        on
            quote.symbol = named.symbol
            and quote.instrument_id = named.instrument_id
    left join ref.calendars as zoned on named.calendar = zoned.calendar
    -- The day as the loader reads it: midnight in UTC stands for a whole session.
    cross join lateral (
        select
            (
                case
                    when date_trunc('day', quote.quote_ts, 'UTC') = quote.quote_ts then quote.quote_ts at time zone 'UTC'
                    else quote.quote_ts at time zone coalesce(zoned.timezone, 'UTC')
                end
            )::date as day
    ) as on_day
    where
        on_day.day >= named.valid_from and on_day.day < named.valid_to
        and not quote.is_withdrawn
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
comment on column raw_market.forex_crypto_data.symbol is 'Ticker as the source sent it.';
comment on column raw_market.forex_crypto_data."timestamp" is 'Start of the bar, or time of the quote, UTC.';
comment on column raw_market.forex_crypto_data.base_currency is 'What is priced: the symbol without the quote currency; NULL: the two cannot be told apart.';
comment on column raw_market.forex_crypto_data.quote_currency is 'What it is priced in; NULL: the profile named none.';
comment on column raw_market.forex_crypto_data.bid is 'Best bid; NULL for bars, or where nobody bids.';
comment on column raw_market.forex_crypto_data.ask is 'Best ask; NULL for bars, or where nobody asks.';
comment on column raw_market.forex_crypto_data.bid_size is 'Units wanted at the bid; NULL for bars, or not sent.';
comment on column raw_market.forex_crypto_data.ask_size is 'Units offered at the ask; NULL for bars, or not sent.';
comment on column raw_market.forex_crypto_data.open is 'First price; NULL for quotes.';
comment on column raw_market.forex_crypto_data.high is 'Highest price; NULL for quotes.';
comment on column raw_market.forex_crypto_data.low is 'Lowest price; NULL for quotes.';
comment on column raw_market.forex_crypto_data.close is 'Last price; NULL for quotes.';
comment on column raw_market.forex_crypto_data.volume is 'Units traded in the bar; NULL for quotes, or where the source has none.';
comment on column raw_market.forex_crypto_data.record_type is 'bar or quote.';
comment on column raw_market.forex_crypto_data.timeframe is 'Length of the bar, also of a bar of quotes; tick for single quotes.';
comment on column raw_market.forex_crypto_data.asset_class is 'fx or crypto.';
comment on column raw_market.forex_crypto_data.calendar is 'When it trades: a calendar of exchange_calendars, or 24/7.';
comment on column raw_market.forex_crypto_data.source is 'Who sent it.';
comment on column raw_market.forex_crypto_data.created_at is 'When we knew it: the start of the landing transaction.';
comment on column raw_market.forex_crypto_data.instrument_id is 'Instrument of ref.instruments.';

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
inner join ref.symbol_history as named
    on
        quote.symbol = named.symbol
        and quote.instrument_id = named.instrument_id
left join ref.calendars as zoned on named.calendar = zoned.calendar
-- The day as the loader reads it: midnight in UTC stands for a whole session.
cross join lateral (
    select
        (
            case
                when date_trunc('day', quote.quote_ts, 'UTC') = quote.quote_ts then quote.quote_ts at time zone 'UTC'
                else quote.quote_ts at time zone coalesce(zoned.timezone, 'UTC')
            end
        )::date as day
) as on_day
where
    on_day.day >= named.valid_from and on_day.day < named.valid_to
    and not quote.is_withdrawn
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
comment on column raw_market.options_data.underlying is 'Ticker of the underlying as the source sent it.';
comment on column raw_market.options_data."timestamp" is 'Time of the quote, UTC; of a chain at the end of a session: 00:00 UTC of the session date.';
comment on column raw_market.options_data.expiry is 'Last day on which the option can be exercised.';
comment on column raw_market.options_data.strike is 'Price of one unit of the underlying at exercise.';
comment on column raw_market.options_data."right" is 'call or put.';
comment on column raw_market.options_data.contract_symbol is 'The source''s own name of the contract; NULL: not sent.';
comment on column raw_market.options_data.bid is 'Best bid; NULL: none, or not sent.';
comment on column raw_market.options_data.ask is 'Best ask; NULL: none, or not sent.';
comment on column raw_market.options_data.last is 'Last trade; NULL: none, or not sent.';
comment on column raw_market.options_data.open is 'First price.';
comment on column raw_market.options_data.high is 'Highest price.';
comment on column raw_market.options_data.low is 'Lowest price.';
comment on column raw_market.options_data.close is 'Last price.';
comment on column raw_market.options_data.volume is 'Contracts traded; NULL: not sent.';
comment on column raw_market.options_data.open_interest is 'Contracts open; NULL: not sent.';
comment on column raw_market.options_data.implied_volatility is 'Per year, 0.25 for 25 %; NULL: not sent.';
comment on column raw_market.options_data.delta is 'Change of the price per unit change of the underlying.';
comment on column raw_market.options_data.gamma is 'Change of delta per unit change of the underlying.';
comment on column raw_market.options_data.theta is 'Change of the price per day.';
comment on column raw_market.options_data.vega is 'Change of the price per percentage point of volatility.';
comment on column raw_market.options_data.rho is 'Change of the price per percentage point of the interest rate.';
comment on column raw_market.options_data.underlying_price is 'Price of the underlying that goes with the quote; NULL: not sent.';
comment on column raw_market.options_data.source is 'Who sent it.';
comment on column raw_market.options_data.created_at is 'When we knew it: the start of the landing transaction.';
comment on column raw_market.options_data.instrument_id is 'Underlying: instrument of ref.instruments.';
