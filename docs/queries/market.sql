-- Prices as they landed: bars, ticks, quotes, options, and what stands beside them.

-- name: daily_bars
-- why: a chart: daily bars of a symbol, by the name that the designs give them
-- asked by: reader, 20 a second
-- budget: 5 ms, market data
-- sample: select symbol, max(bar_ts) as until from raw_market.bars where timeframe = '1d' group by symbol
select
    "timestamp",
    open,
    high,
    low,
    close,
    volume
from raw_market.market_data_daily
where
    symbol = :'symbol'
    and "timestamp" >= :'until'::timestamptz - interval '90 days'
order by "timestamp";

-- name: last_bar
-- why: the last price of a symbol; bounded in time, for without a bound all its bars are read to find the last
-- asked by: loader, 50 a second
-- budget: 5 ms, market data
-- sample: select symbol, timeframe, max(bar_ts) as until from raw_market.bars group by symbol, timeframe
select
    "timestamp",
    close,
    volume,
    source
from raw_market.market_data
where
    symbol = :'symbol'
    and timeframe = :'timeframe'
    and "timestamp" > :'until'::timestamptz - interval '7 days'
order by "timestamp" desc
limit 1;

-- name: minute_bars_and_ticks
-- why: one session as it went, bars of a minute and ticks in one
-- asked by: reader, 5 a second
-- budget: 5 ms, market data
-- sample: select symbol, max(tick_ts) as until from raw_market.ticks group by symbol
select
    "timestamp",
    record_type,
    close,
    price,
    size,
    seq
from raw_market.market_data_hf
where
    symbol = :'symbol'
    and "timestamp" between :'until'::timestamptz - interval '1 hour' and :'until'::timestamptz
order by "timestamp", seq;

-- name: rates
-- why: bid and ask of a currency pair or a coin
-- asked by: reader, 20 a second
-- budget: 5 ms, market data
-- sample: select quotes.symbol, max(quotes.quote_ts) as until from raw_market.quotes as quotes
-- sample: inner join ref.instruments using (instrument_id) where asset_class in ('fx', 'crypto') group by quotes.symbol
select
    "timestamp",
    record_type,
    bid,
    ask,
    close
from raw_market.forex_crypto_data
where
    symbol = :'symbol'
    and timeframe = 'tick'
    and "timestamp" between :'until'::timestamptz - interval '1 hour' and :'until'::timestamptz
order by "timestamp";

-- name: option_chain
-- why: one chain of options with its Greeks
-- asked by: reader, 5 a second
-- budget: 5 ms, market data
-- sample: select symbol as underlying, max(quote_ts) as at from raw_market.option_quotes group by symbol
select
    expiry,
    strike,
    "right",
    bid,
    ask,
    implied_volatility,
    delta,
    gamma,
    theta,
    vega
from raw_market.options_data
where
    underlying = :'underlying'
    and "timestamp" = :'at'
order by expiry, strike, "right";

-- name: company
-- why: who stands behind a symbol
-- asked by: reader, 5 a second
-- budget: 5 ms, market data
-- sample: select symbol from ref.symbol_history group by symbol
select
    company_name,
    sector,
    industry,
    exchange,
    known_at
from raw_market.stock_info
where symbol = :'symbol'
order by known_at desc, revision desc
limit 1;

-- name: tickers_of_an_instrument
-- why: under which symbols an instrument traded, and when
-- asked by: reader, 1 a second
-- budget: 5 ms, market data
-- sample: select instrument_id from ref.instruments
select
    symbol,
    calendar,
    valid_from::text as first_session,
    valid_to::text as session_after_last
from ref.symbol_history
where instrument_id = :'instrument_id'
order by valid_from;

-- name: rows_of_a_batch
-- why: what one landing brought, as the gate reads it and when a landing is looked into
-- asked by: loader, 1 a minute
-- budget: 100 ms, analytics
-- sample: select batch_id from ops.batches
select
    'bars' as landed_in,
    count(*) as landed
from raw_market.bars
where batch_id = :'batch_id'
union all
select
    'ticks' as landed_in,
    count(*) as landed
from raw_market.ticks
where batch_id = :'batch_id'
union all
select
    'quotes' as landed_in,
    count(*) as landed
from raw_market.quotes
where batch_id = :'batch_id'
union all
select
    'option_quotes' as landed_in,
    count(*) as landed
from raw_market.option_quotes
where batch_id = :'batch_id';

-- name: factor_returns
-- why: a year of a factor, to regress returns on
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select factor, timeframe, max(session_date) as until from raw_risk.factor_returns group by factor, timeframe
select
    session_date,
    factor_return,
    revision,
    is_withdrawn
from raw_risk.factor_returns
where
    factor = :'factor'
    and timeframe = :'timeframe'
    and session_date > :'until'::date - 365
order by session_date, revision;

-- name: factor_exposures
-- why: how much every symbol has of a factor on a day
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select factor, as_of_date from raw_risk.factor_loadings group by factor, as_of_date
select
    symbol,
    loading,
    standard_error,
    revision
from raw_risk.factor_loadings
where
    as_of_date = :'as_of_date'
    and factor = :'factor'
order by symbol, revision;
