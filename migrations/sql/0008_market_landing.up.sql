-- Market data beyond bars: ticks, quotes, option quotes, and the names under which the four designs read them.

create type types.option_right as enum ('call', 'put');
comment on type types.option_right is 'What an option gives its holder the right to do: buy (call) or sell (put) the underlying.';

------------------------------------------------------------------------------- ticks

create table raw_market.ticks (
    instrument_id integer not null,
    tick_ts timestamptz not null,
    source types.label not null default 'application',
    seq bigint not null default 0,
    symbol types.label not null,
    price types.amount not null,
    size types.quantity not null,
    aggressor types.side,
    tick_id text,
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (instrument_id, tick_ts, source, seq),
    constraint ticks_seq_counts_up check (seq >= 0)
);
create index ticks_batch_idx on raw_market.ticks using brin (batch_id);
comment on constraint ticks_seq_counts_up on raw_market.ticks is 'The sequence number is negative.';
comment on table raw_market.ticks is 'Ledger of trades on the tape, one row each. A tick that the venue cancels or corrects is a matter for the bars made from it: ticks are never changed.';
comment on column raw_market.ticks.instrument_id is 'Instrument of ref.instruments, found by symbol, calendar and day while landing. No reference, which would cost more than the rest of the landing: a statement trigger asks for it.';
comment on column raw_market.ticks.tick_ts is 'When the trade happened by the clock of the venue, UTC, to the microsecond.';
comment on column raw_market.ticks.source is 'Who sent it: a feed, a vendor''s file, or the application.';
comment on column raw_market.ticks.seq is 'Order among the ticks of one source and time: the venue''s trade or sequence number; 0 where one time has one tick.';
comment on column raw_market.ticks.symbol is 'Ticker as the source sent it.';
comment on column raw_market.ticks.price is 'Price of one unit, in the instrument''s currency. Zero or negative only where the instrument allows it.';
comment on column raw_market.ticks.size is 'Units traded, above zero.';
comment on column raw_market.ticks.aggressor is 'Side that took liquidity: buy lifted the ask, sell hit the bid; NULL: the source does not say.';
comment on column raw_market.ticks.tick_id is 'The venue''s own id of the trade; NULL: it has none.';
comment on column raw_market.ticks.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_market.ticks.known_at is 'When we knew it: the start of the landing transaction.';

------------------------------------------------------------------------------- quotes

create table raw_market.quotes (
    instrument_id integer not null,
    timeframe text not null default 'tick',
    quote_ts timestamptz not null,
    source types.label not null default 'application',
    seq bigint not null default 0,
    revision integer not null default 0,
    symbol types.label not null,
    bid types.amount,
    ask types.amount,
    bid_size types.non_negative,
    ask_size types.non_negative,
    bid_open types.amount,
    bid_high types.amount,
    bid_low types.amount,
    ask_open types.amount,
    ask_high types.amount,
    ask_low types.amount,
    is_withdrawn boolean not null default false,
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (instrument_id, timeframe, quote_ts, source, seq, revision),
    constraint quotes_timeframe_known check (timeframe ~ '^(tick|[1-9][0-9]*(m|h|d))$'),
    constraint quotes_seq_counts_up check (seq >= 0),
    constraint quotes_revision_counts_up check (revision >= 0),
    constraint quotes_has_a_side check (bid is not null or ask is not null),
    constraint quotes_bid_range_holds_prices check (bid_high >= greatest(bid_open, bid_low, bid) and bid_low <= least(bid_open, bid)),
    constraint quotes_ask_range_holds_prices check (ask_high >= greatest(ask_open, ask_low, ask) and ask_low <= least(ask_open, ask))
);
create index quotes_batch_idx on raw_market.quotes using brin (batch_id);
comment on constraint quotes_timeframe_known on raw_market.quotes is 'The timeframe is neither tick nor a number of minutes, hours or days, such as 1m.';
comment on constraint quotes_seq_counts_up on raw_market.quotes is 'The sequence number is negative.';
comment on constraint quotes_revision_counts_up on raw_market.quotes is 'The revision is negative.';
comment on constraint quotes_has_a_side on raw_market.quotes is 'Neither a bid nor an ask: this is no quote.';
comment on constraint quotes_bid_range_holds_prices on raw_market.quotes is 'The bid was opened, closed or lowest above its high, or opened or closed below its low.';
comment on constraint quotes_ask_range_holds_prices on raw_market.quotes is 'The ask was opened, closed or lowest above its high, or opened or closed below its low.';
comment on table raw_market.quotes is 'Bids and asks of currencies, crypto and equities: single quotes (timeframe tick) or quote bars, whose bid and ask are the last of the bar. A crossed quote (bid above ask) is landed and found by the rule crossed_quote. Append-only: a restated quote is the next revision.';
comment on column raw_market.quotes.instrument_id is 'Instrument of ref.instruments, found by symbol, calendar and day while landing; a statement trigger asks for it.';
comment on column raw_market.quotes.timeframe is 'tick: the quote as it stood at quote_ts. Otherwise the length of the bar, such as 1m.';
comment on column raw_market.quotes.quote_ts is 'Time of the quote, or start of the bar, UTC.';
comment on column raw_market.quotes.source is 'Who sent it.';
comment on column raw_market.quotes.seq is 'Order among the quotes of one source and time; 0 where one time has one quote.';
comment on column raw_market.quotes.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_market.quotes.symbol is 'Ticker or pair as the source sent it.';
comment on column raw_market.quotes.bid is 'Best price somebody pays, in the quote currency; of a bar, its last. NULL: nobody bids, or the source has asks alone.';
comment on column raw_market.quotes.ask is 'Best price somebody sells at, in the quote currency; of a bar, its last. NULL: nobody asks, or the source has bids alone.';
comment on column raw_market.quotes.bid_size is 'Units wanted at the bid; NULL: not sent.';
comment on column raw_market.quotes.ask_size is 'Units offered at the ask; NULL: not sent.';
comment on column raw_market.quotes.bid_open is 'First bid of the bar; NULL for single quotes.';
comment on column raw_market.quotes.bid_high is 'Highest bid of the bar; NULL for single quotes.';
comment on column raw_market.quotes.bid_low is 'Lowest bid of the bar; NULL for single quotes.';
comment on column raw_market.quotes.ask_open is 'First ask of the bar; NULL for single quotes.';
comment on column raw_market.quotes.ask_high is 'Highest ask of the bar; NULL for single quotes.';
comment on column raw_market.quotes.ask_low is 'Lowest ask of the bar; NULL for single quotes.';
comment on column raw_market.quotes.is_withdrawn is 'True in the revision that takes the quote back.';
comment on column raw_market.quotes.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_market.quotes.known_at is 'When we knew it: the start of the landing transaction.';

------------------------------------------------------------------------------- options

create table raw_market.option_quotes (
    instrument_id integer not null,
    expiry date not null,
    strike types.quantity not null,
    option_right types.option_right not null,
    quote_ts timestamptz not null,
    source types.label not null default 'application',
    revision integer not null default 0,
    symbol types.label not null,
    contract_symbol text,
    bid types.non_negative,
    ask types.non_negative,
    last types.non_negative,
    open types.non_negative,
    high types.non_negative,
    low types.non_negative,
    close types.non_negative,
    volume types.non_negative,
    open_interest types.non_negative,
    implied_volatility types.finite,
    delta types.signed_fraction,
    gamma types.finite,
    vega types.finite,
    theta types.finite,
    rho types.finite,
    underlying_price types.amount,
    is_withdrawn boolean not null default false,
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (instrument_id, quote_ts, expiry, strike, option_right, source, revision),
    constraint option_quotes_revision_counts_up check (revision >= 0),
    constraint option_quotes_volatility_not_negative check (implied_volatility >= 0),
    constraint option_quotes_gamma_not_negative check (gamma >= 0),
    constraint option_quotes_range_holds_prices check (high >= greatest(open, low, close) and low <= least(open, close)),
    -- A day of grace: the settlement of an option that expired on a Friday is quoted on the Saturday, UTC.
    constraint option_quotes_not_after_expiry check (quote_ts < ((expiry + 2)::timestamp at time zone 'UTC'))
);
create index option_quotes_batch_idx on raw_market.option_quotes using brin (batch_id);
comment on constraint option_quotes_revision_counts_up on raw_market.option_quotes is 'The revision is negative.';
comment on constraint option_quotes_volatility_not_negative on raw_market.option_quotes is 'The implied volatility is negative.';
comment on constraint option_quotes_gamma_not_negative on raw_market.option_quotes is 'Gamma is negative: the price of a call or put is never concave in the price of its underlying.';
comment on constraint option_quotes_range_holds_prices on raw_market.option_quotes is 'Open, close or low is above the high, or open or close below the low.';
comment on constraint option_quotes_not_after_expiry on raw_market.option_quotes is 'The option had expired before the time of the quote.';
comment on table raw_market.option_quotes is 'Option chains: prices and Greeks of one contract at one time. Greeks are the source''s, never recomputed; those that contradict their strike are found by the rule impossible_greeks. Append-only: a restated quote is the next revision.';
comment on column raw_market.option_quotes.instrument_id is 'Underlying: instrument of ref.instruments, found by symbol, calendar and day while landing; a statement trigger asks for it.';
comment on column raw_market.option_quotes.expiry is 'Last day on which the option can be exercised, exchange-local.';
comment on column raw_market.option_quotes.strike is 'Price of one unit of the underlying at exercise, as it was at quote_ts: a split changes it.';
comment on column raw_market.option_quotes.option_right is 'call or put.';
comment on column raw_market.option_quotes.quote_ts is 'Time of the quote, UTC; of a chain at the end of a session: 00:00 UTC of the session date.';
comment on column raw_market.option_quotes.source is 'Who sent it.';
comment on column raw_market.option_quotes.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_market.option_quotes.symbol is 'Ticker of the underlying as the source sent it.';
comment on column raw_market.option_quotes.contract_symbol is 'The source''s own name of the contract (OCC symbol); NULL: not sent.';
comment on column raw_market.option_quotes.bid is 'Best bid for the option on one unit; NULL: none, or not sent.';
comment on column raw_market.option_quotes.ask is 'Best ask for the option on one unit; NULL: none, or not sent.';
comment on column raw_market.option_quotes.last is 'Last trade; NULL: none, or not sent.';
comment on column raw_market.option_quotes.open is 'First price of the session; NULL: not sent.';
comment on column raw_market.option_quotes.high is 'Highest price of the session; NULL: not sent.';
comment on column raw_market.option_quotes.low is 'Lowest price of the session; NULL: not sent.';
comment on column raw_market.option_quotes.close is 'Last price of the session, as the source makes it; NULL: not sent.';
comment on column raw_market.option_quotes.volume is 'Contracts traded; NULL: not sent.';
comment on column raw_market.option_quotes.open_interest is 'Contracts open; NULL: not sent.';
comment on column raw_market.option_quotes.implied_volatility is 'Per year, 0.25 for 25 %. NULL: not sent; 0: the source found none.';
comment on column raw_market.option_quotes.delta is 'Change of the price per unit change of the underlying, -1 to 1.';
comment on column raw_market.option_quotes.gamma is 'Change of delta per unit change of the underlying, 0 or more.';
comment on column raw_market.option_quotes.vega is 'Change of the price per percentage point of volatility, as the source scales it.';
comment on column raw_market.option_quotes.theta is 'Change of the price per day, as the source scales it.';
comment on column raw_market.option_quotes.rho is 'Change of the price per percentage point of the interest rate, as the source scales it.';
comment on column raw_market.option_quotes.underlying_price is 'Price of the underlying that goes with the quote; NULL: not sent.';
comment on column raw_market.option_quotes.is_withdrawn is 'True in the revision that takes the quote back.';
comment on column raw_market.option_quotes.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_market.option_quotes.known_at is 'When we knew it: the start of the landing transaction.';

------------------------------------------------------------------------------- triggers

-- Arguments: the time column, then the prices. Good rows cost one aggregate by instrument (ticks: 0.1 s of a COPY of
-- 500,000 rows in 3.7 s, where a join of each row took 0.4); only a bad statement is read again, to name a row.
create function raw_market.refuse_impossible_prices() returns trigger
language plpgsql set search_path = pg_catalog as $$
declare
    bad record;
    lowest constant text := (select 'least(' || string_agg(quote_ident(name), ', ') || ')' from unnest(tg_argv[1:]) as name);
    -- Prices that were allowed when they landed must not stand in the way of their withdrawal.
    judged constant text := case when tg_relid = 'raw_market.quotes'::regclass then 'not n.is_withdrawn' else 'true' end;
    is_bad boolean;
begin
    execute format(
        'select exists (
            select from (
                select n.instrument_id, min(%1$s) filter (where %2$s) as price from landed as n group by n.instrument_id
            ) as n
            left join ref.instruments as i using (instrument_id)
            where i.instrument_id is null or (n.price <= 0 and not i.allow_negative_price)
        )',
        lowest, judged
    ) into is_bad;
    if not is_bad then
        return null;
    end if;
    execute format(
        'select n.instrument_id, n.symbol, n.%1$I as at, %2$s as price, i.instrument_id is null as is_unknown
        from landed as n left join ref.instruments as i using (instrument_id)
        where i.instrument_id is null or (%2$s <= 0 and not i.allow_negative_price and %3$s)
        limit 1',
        tg_argv[0], lowest, judged
    ) into bad;
    if bad.is_unknown then
        raise exception '%: no instrument %, %', tg_table_name, bad.instrument_id, bad.symbol
            using errcode = 'foreign_key_violation',
            hint = 'Land through `warehouse land`, which finds the instrument of a symbol, or name one of ref.instruments.';
    elsif bad.at is not null then
        raise exception 'non-positive price % in %, %', bad.price, bad.symbol, bad.at
            using errcode = 'check_violation',
            hint = 'If it is real: update ref.instruments set allow_negative_price = true. Where nobody bids or asks, the price is NULL.';
    end if;
    return null;
end $$;
comment on function raw_market.refuse_impossible_prices() is 'Statement trigger (transition table `landed`): every instrument is known, and prices are above zero where it allows no others. Arguments: time column, price columns.';

create trigger ticks_possible after insert on raw_market.ticks
referencing new table as landed
for each statement execute function raw_market.refuse_impossible_prices('tick_ts', 'price');
create trigger quotes_possible after insert on raw_market.quotes
referencing new table as landed
for each statement execute function raw_market.refuse_impossible_prices('quote_ts', 'bid', 'ask', 'bid_low', 'ask_low');
create trigger option_quotes_possible after insert on raw_market.option_quotes
referencing new table as landed
for each statement execute function raw_market.refuse_impossible_prices('quote_ts', 'strike');

create trigger ticks_append_only before update or delete or truncate on raw_market.ticks
for each statement execute function ops.refuse_mutation('A tick stays as the venue sent it; land restated bars.');
create trigger quotes_append_only before update or delete or truncate on raw_market.quotes
for each statement execute function ops.refuse_mutation('Land the corrected quotes again: they become the next revision.');
create trigger option_quotes_append_only before update or delete or truncate on raw_market.option_quotes
for each statement execute function ops.refuse_mutation('Land the corrected quotes again: they become the next revision.');

create trigger ticks_log_changes after insert on raw_market.ticks
referencing new table as changed
for each statement execute function ops.log_landed('instrument_id', 'tick_ts');
create trigger quotes_log_changes after insert on raw_market.quotes
referencing new table as changed
for each statement execute function ops.log_landed('instrument_id', 'quote_ts');
create trigger option_quotes_log_changes after insert on raw_market.option_quotes
referencing new table as changed
for each statement execute function ops.log_landed('instrument_id', 'quote_ts');
