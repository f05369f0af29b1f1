-- The landing zone of market data, its reference data, and the operations around it.
-- Times are timestamptz in UTC; intervals are half-open; bars are labelled by their start.

create schema raw_market;
create schema ref;
create schema if not exists ops;  -- the migration runner keeps its own table there

comment on schema raw_market is 'Landing tables of market data: append-only, with source, batch_id, known_at and revision.';
comment on schema ref is 'Reference data: instruments, symbol history, exchange sessions, corporate actions.';
comment on schema ops is 'Batches, quarantine, change log, watermarks, data-quality results. Survives every full refresh.';

------------------------------------------------------------------------------- reference

create table ref.instruments (
    instrument_id integer generated always as identity primary key,
    symbol text not null check (symbol <> ''),
    calendar text not null,
    currency text,
    asset_class text not null default 'equity',
    allow_negative_price boolean not null default false,
    first_source text not null,
    created_at timestamptz not null default now()
);
comment on table ref.instruments is 'One row per instrument. An unknown symbol becomes an instrument when a source first sends it.';
comment on column ref.instruments.symbol is 'Ticker at first sight; ref.symbol_history has every ticker and when it was valid.';
comment on column ref.instruments.calendar is 'Canonical name in exchange_calendars (aliases resolved), or 24/7.';
comment on column ref.instruments.allow_negative_price is 'True where zero and negative prices are real (oil in April 2020, spreads, rates).';

create table ref.symbol_history (
    symbol text not null check (symbol <> ''),
    calendar text not null,
    valid_from date not null default '-infinity',
    valid_to date not null default 'infinity',
    instrument_id integer not null references ref.instruments,
    source text not null,
    known_at timestamptz not null default now(),
    primary key (symbol, calendar, valid_from),
    check (valid_from < valid_to)
);
create index symbol_history_instrument_idx on ref.symbol_history (instrument_id);
comment on table ref.symbol_history is 'Which instrument a ticker meant, by session date, half-open [valid_from, valid_to). Tickers are reused: FB was another company before 2012.';

create table ref.calendars (
    calendar text primary key,
    timezone text not null,
    calendar_version text not null
);
comment on table ref.calendars is 'Exchange calendars in use: canonical name in exchange_calendars (or 24/7), IANA zone, version of the package.';

create table ref.exchange_sessions (
    calendar text not null,
    session_date date not null,
    open_at timestamptz not null,
    close_at timestamptz not null,
    break_start_at timestamptz,
    break_end_at timestamptz,
    is_half_day boolean not null,
    calendar_version text not null,
    primary key (calendar, session_date),
    check (open_at < close_at),
    check ((break_start_at is null) = (break_end_at is null))
);
comment on table ref.exchange_sessions is 'Trading sessions from the Python package exchange_calendars, whose version is carried because it corrects history.';
comment on column ref.exchange_sessions.is_half_day is 'True for an early close or a late open.';

create table ref.series (
    instrument_id integer not null references ref.instruments,
    timeframe text not null,
    source text not null,
    adjusted text not null,
    first_known_at timestamptz not null default now(),
    primary key (instrument_id, timeframe, source, adjusted)
);
comment on table ref.series is 'Which sources sent bars of an instrument and timeframe, and what they are adjusted for. Kept by a trigger on raw_market.bars, so that choosing a source never scans the bars.';

create table ref.corporate_actions (
    instrument_id integer not null references ref.instruments,
    action_type text not null check (action_type in ('split', 'cash_dividend')),
    ex_date date not null,
    source text not null,
    revision integer not null default 0 check (revision >= 0),
    split_ratio numeric(24, 10) check (split_ratio > 0 and split_ratio <> 'NaN'),
    cash_amount numeric(24, 10) check (cash_amount >= 0 and cash_amount <> 'NaN'),
    currency text,
    batch_id bigint not null,
    known_at timestamptz not null default now(),
    primary key (instrument_id, action_type, ex_date, source, revision),
    check ((action_type = 'split') = (split_ratio is not null)),
    check ((action_type = 'cash_dividend') = (cash_amount is not null))
);
comment on table ref.corporate_actions is 'Splits and cash dividends as known; a corrected action is the next revision.';
comment on column ref.corporate_actions.split_ratio is 'New shares per old share: 2 for a 2:1 split, 0.1 for a 1:10 reverse split.';
comment on column ref.corporate_actions.cash_amount is 'Gross dividend per share held before the ex-date, in currency.';

------------------------------------------------------------------------------- landing

create table raw_market.bars (
    -- No reference of its own: ref.series, which a trigger keeps, has one for every instrument
    -- here, and a check per row would double the time of a landing.
    instrument_id integer not null,
    timeframe text not null check (timeframe ~ '^[1-9][0-9]*(m|h|d)$'),
    bar_ts timestamptz not null,
    source text not null,
    revision integer not null default 0 check (revision >= 0),
    symbol text not null,
    session_date date not null,
    open numeric(24, 10) not null,
    high numeric(24, 10) not null,
    low numeric(24, 10) not null,
    close numeric(24, 10) not null,
    volume numeric(24, 10),
    adjusted text not null,
    batch_id bigint not null,
    known_at timestamptz not null default now(),
    primary key (instrument_id, timeframe, bar_ts, source, revision),
    -- One constraint each costs a pass over the row; together they are one expression. NaN is above
    -- every number: where it is among the others, greatest() is NaN and a high that is a number fails.
    -- The tolerance is only computed for rows that need it.
    constraint bars_ohlcv_sane check (
        high <> 'NaN'
        and (
            high >= greatest(open, close, low)
            or high >= greatest(open, close, low) - 1e-9 * abs(high)
        )
        and (
            low <= least(open, close, high)
            or low <= least(open, close, high) + 1e-9 * abs(low)
        )
        and (volume is null or (volume >= 0 and volume <> 'NaN'))
    ),
    constraint bars_adjusted_known check (adjusted in ('none', 'splits', 'splits_and_dividends'))
);
create index bars_batch_idx on raw_market.bars using brin (batch_id);
comment on table raw_market.bars is 'One row per instrument, timeframe, bar start, source and revision. Append-only: a restated bar is the next revision.';
comment on column raw_market.bars.bar_ts is 'Start of the bar, UTC. Bars of a day or longer: 00:00 UTC of the session date.';
comment on column raw_market.bars.symbol is 'Ticker as the source sent it.';
comment on column raw_market.bars.session_date is 'Exchange-local session the bar belongs to.';
comment on column raw_market.bars.volume is 'Units traded; NULL when the source has none (quotes).';
comment on column raw_market.bars.adjusted is 'What the source has already adjusted the prices for: none, splits, splits_and_dividends.';
comment on column raw_market.bars.known_at is 'When we knew it: the start of the landing transaction.';

create table raw_market.stock_info (
    symbol text not null check (symbol <> ''),
    source text not null,
    revision integer not null default 0 check (revision >= 0),
    instrument_id integer references ref.instruments,
    company_name text,
    sector text,
    industry text,
    market_cap numeric(24, 2) check (market_cap >= 0 and market_cap <> 'NaN'),
    country text,
    currency text,
    exchange text,
    batch_id bigint not null,
    known_at timestamptz not null default now(),
    primary key (symbol, source, revision)
);
comment on table raw_market.stock_info is 'Company, sector, industry and listing of a symbol, as each source states them; changes are revisions.';

create function raw_market.refuse_mutation() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, tg_op
        using hint = 'Land the corrected rows again: they become the next revision.';
end $$;

create trigger bars_append_only before update or delete or truncate on raw_market.bars
for each statement execute function raw_market.refuse_mutation();
create trigger stock_info_append_only before update or delete or truncate on raw_market.stock_info
for each statement execute function raw_market.refuse_mutation();

create function raw_market.refuse_non_positive_prices() returns trigger
language plpgsql set search_path = pg_catalog as $$
declare
    bad record;
begin
    select n.symbol, n.timeframe, n.bar_ts, n.low into bad
    from landed as n
    where n.low <= 0
        and not (
            select i.allow_negative_price from ref.instruments as i
            where i.instrument_id = n.instrument_id
        )
    limit 1;
    if found then
        raise exception 'non-positive price % in %, %, %', bad.low, bad.symbol, bad.timeframe, bad.bar_ts
            using errcode = 'check_violation',
            hint = 'If it is real: update ref.instruments set allow_negative_price = true.';
    end if;
    return null;
end $$;

create trigger bars_positive after insert on raw_market.bars
referencing new table as landed
for each statement execute function raw_market.refuse_non_positive_prices();

------------------------------------------------------------------------------- batches

create table ops.batches (
    batch_id bigint generated always as identity primary key,
    dataset text not null,
    source text not null,
    timeframe text,
    file text not null,
    file_bytes bigint,
    profile jsonb not null default '{}',
    started_at timestamptz not null default now(),
    seconds double precision,
    landed bigint not null,
    accepted bigint not null,
    known bigint not null,
    quarantined bigint not null,
    constraint batches_conserve_rows check (landed = accepted + known + quarantined)
);
comment on table ops.batches is 'One row per file or frame landed. Conservation is a constraint: landed = accepted + known + quarantined.';
comment on column ops.batches.known is 'Rows that the landing table already had with the same values, exact repeats within the batch included.';

create table ops.quarantine (
    quarantine_id bigint generated always as identity primary key,
    batch_id bigint not null references ops.batches deferrable initially deferred,
    dataset text not null,
    source text not null,
    file text not null,
    line bigint not null,
    rule text not null,
    rules text[] not null,
    reason text not null,
    payload jsonb not null,
    original_payload jsonb,
    symbol text,
    timeframe text,
    bar_ts timestamptz,
    quarantined_at timestamptz not null default now(),
    replayed_at timestamptz,
    replayed_batch_id bigint references ops.batches
);
create index quarantine_batch_idx on ops.quarantine (batch_id);
create index quarantine_open_idx on ops.quarantine (dataset, source) where replayed_at is null;
comment on table ops.quarantine is 'Every rejected row, whole. Repair the payload (update ops.quarantine set payload = …) and run `warehouse land --replay`.';
comment on column ops.quarantine.line is 'Line in the file (the header is line 1), or position in a frame from 1.';
comment on column ops.quarantine.rule is 'First broken rule in the order of the catalogue; rules has all of them.';
comment on column ops.quarantine.payload is 'The row as it was sent, by the column names of the source.';
comment on column ops.quarantine.original_payload is 'The payload before its first repair; NULL while unrepaired.';
comment on column ops.quarantine.bar_ts is 'Start of the bar where the time could be read, else NULL.';

create function ops.keep_original_payload() returns trigger language plpgsql as $$
begin
    if new.payload is distinct from old.payload and old.original_payload is null then
        new.original_payload := old.payload;
    end if;
    return new;
end $$;
create trigger quarantine_keep_original before update of payload on ops.quarantine
for each row execute function ops.keep_original_payload();

------------------------------------------------------------------------------- data quality

create table ops.dq_results (
    result_id bigint generated always as identity primary key,
    run_id uuid not null,
    checked_at timestamptz not null default now(),
    scope text not null check (scope in ('batch', 'table')),
    batch_id bigint references ops.batches,
    rule text not null,
    tier text not null check (tier in ('structural', 'logical', 'analytical')),
    severity text not null check (severity in ('error', 'warning')),
    evaluated bigint not null,
    found bigint not null,
    quarantined bigint not null default 0,
    success boolean not null,
    sample jsonb not null default '[]',
    check ((scope = 'batch') = (batch_id is not null))
);
create index dq_results_run_idx on ops.dq_results (run_id);
comment on table ops.dq_results is 'One row per run of the gate, scope and rule.';
comment on column ops.dq_results.found is 'Rows that break the rule among all that arrived (batch) or among what is landed (table).';
comment on column ops.dq_results.quarantined is 'How many of them are in quarantine and therefore harm nobody.';
comment on column ops.dq_results.success is 'False when rows that break the rule are in the landing table.';
comment on column ops.dq_results.sample is 'Up to 200 of the rows.';

create table ops.dq_findings (
    run_id uuid not null,
    scope text not null,
    batch_id bigint,
    rule text not null,
    source text not null,
    symbol text not null,
    instrument_id integer,
    timeframe text not null,
    bar_ts timestamptz not null,
    until_ts timestamptz,
    count bigint not null default 1,
    detail jsonb not null default '{}'
);
create index dq_findings_run_idx on ops.dq_findings (run_id, rule);
comment on table ops.dq_findings is 'Every row that the gate found, by rule; a gap is one row with its end (until_ts, exclusive) and the count of missing bars.';

------------------------------------------------------------------------------- incremental builds

create table ops.change_log (
    log_id bigint generated always as identity primary key,
    relation regclass not null,
    _xid xid8 not null default pg_current_xact_id(),
    operation "char" not null,
    instrument_id integer,
    timeframe text,
    lo timestamptz not null,
    hi timestamptz not null,
    rows bigint,
    logged_at timestamptz not null default clock_timestamp()
);
create index change_log_relation_idx on ops.change_log (relation, _xid);
comment on table ops.change_log is 'What each statement touched: per instrument and timeframe, the first and last bar start. NULL instrument or timeframe: every one.';
comment on column ops.change_log._xid is 'Transaction that wrote the rows; compared with the snapshot of a build, so that a late commit is never missed.';

create table ops.consumers (
    model text not null,
    relation regclass not null,
    seen pg_snapshot not null,
    system_identifier bigint not null,
    code_version text not null,
    run_id text,
    consumed_at timestamptz not null default clock_timestamp(),
    primary key (model, relation)
);
comment on table ops.consumers is 'Watermark of each incremental model: the snapshot its last build read, moved in the transaction that wrote the model.';

create function ops.system_identifier() returns bigint
language sql stable as 'select system_identifier from pg_control_system()';
comment on function ops.system_identifier() is 'Identity of this cluster: a watermark taken in another one (a restore) says nothing here.';

create function ops.log_bar_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    -- One pass over the rows, which may be millions.
    with series as materialized (
        select
            instrument_id, timeframe, source, adjusted,
            min(bar_ts) as lo, max(bar_ts) as hi, count(*) as rows
        from changed
        group by instrument_id, timeframe, source, adjusted
    ),

    logged as (
        insert into ops.change_log (relation, operation, instrument_id, timeframe, lo, hi, rows)
        select tg_relid, left(tg_op, 1)::"char", instrument_id, timeframe, min(lo), max(hi), sum(rows)
        from series
        group by instrument_id, timeframe
    ),

    -- A source or basis seen for the first time can change which source is chosen for the whole series.
    fresh as (
        insert into ref.series (instrument_id, timeframe, source, adjusted)
        select instrument_id, timeframe, source, adjusted from series
        on conflict do nothing
        returning instrument_id, timeframe
    )

    insert into ops.change_log (relation, operation, instrument_id, timeframe, lo, hi)
    select distinct tg_relid, 'S'::"char", instrument_id, timeframe, '-infinity'::timestamptz, 'infinity'::timestamptz
    from fresh;
    return null;
end $$;
create trigger bars_log_changes after insert on raw_market.bars
referencing new table as changed
for each statement execute function ops.log_bar_changes();

create function ops.log_instrument_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into ops.change_log (relation, operation, instrument_id, lo, hi, rows)
    select tg_relid, left(tg_op, 1)::"char", instrument_id, '-infinity', 'infinity', count(*)
    from changed
    group by instrument_id;
    return null;
end $$;
create trigger corporate_actions_log_inserts after insert on ref.corporate_actions
referencing new table as changed
for each statement execute function ops.log_instrument_changes();
create trigger corporate_actions_append_only before update or delete or truncate on ref.corporate_actions
for each statement execute function raw_market.refuse_mutation();

create table ops.model_runs (
    run_id text not null,
    model text not null,
    status text not null,
    seconds double precision not null,
    rows bigint,
    finished_at timestamptz not null default clock_timestamp(),
    primary key (run_id, model)
);
comment on table ops.model_runs is 'What each dbt invocation built or tested, and how long it took (written by on-run-end).';
