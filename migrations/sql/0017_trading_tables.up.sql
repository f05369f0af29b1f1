-- Trading: who trades (strategies, accounts), what was asked for (orders and their events), what happened (fills,
-- cash), and what somebody says the state is (snapshots). What triggers check and keep is in the next migration.

create type types.strategy_type as enum (
    'momentum', 'mean_reversion', 'trend_following', 'statistical_arbitrage', 'arbitrage',
    'market_making', 'options', 'machine_learning', 'multi_strategy', 'other'
);
create type types.order_type as enum ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop');
create type types.order_status as enum (
    'pending', 'accepted', 'partially_filled', 'filled', 'cancelled', 'rejected', 'expired'
);
create type types.time_in_force as enum ('day', 'gtc', 'gtd', 'ioc', 'fok', 'opening', 'closing');
comment on type types.strategy_type is 'What kind of edge a strategy is after.';
comment on type types.order_type is 'How an order may be executed: market takes any price; limit and stop_limit need a price; the stops a stop_price.';
comment on type types.order_status is 'State of an order; raw_trading.order_may_become() says which may follow which.';
comment on type types.time_in_force is 'How long an order stands: day, gtc until cancelled, gtd until expires_at, ioc at once or not, fok at once and whole, opening and closing the auctions.';

------------------------------------------------------------------------------- who trades

create table raw_trading.strategies (
    strategy_id types.label primary key,
    tenant_id types.label not null default 'house',
    name types.label not null,
    strategy_type types.strategy_type not null default 'other',
    description text,
    config jsonb not null default '{}',
    status text not null default 'active',
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint strategies_config_is_object check (jsonb_typeof(config) = 'object'),
    constraint strategies_status_known check (status in ('draft', 'active', 'paused', 'retired')),
    constraint strategies_deleted_is_retired check (deleted_at is null or status = 'retired'),
    constraint strategies_version_positive check (version > 0)
);
comment on table raw_trading.strategies is 'State: one row per strategy. Never deleted, only marked (deleted_at): its orders and fills stay for years. How it performs is derived from fills by the marts, not kept here.';
comment on column raw_trading.strategies.strategy_id is 'Key that orders, fills, signals and snapshots name.';
comment on column raw_trading.strategies.name is 'Name for people.';
comment on column raw_trading.strategies.strategy_type is 'What kind of edge it is after.';
comment on column raw_trading.strategies.description is 'What it does, in words; NULL: nobody said.';
comment on column raw_trading.strategies.config is 'Its parameters, a JSON object. Former values are in the audit trail.';
comment on column raw_trading.strategies.status is 'draft, active, paused or retired.';
comment on column raw_trading.strategies.version is 'Rises by one with every update, for optimistic locking: update … where version = the one you read.';
comment on column raw_trading.strategies.created_at is 'When the strategy was registered.';
comment on column raw_trading.strategies.updated_at is 'When the row was last changed (kept by a trigger).';
comment on column raw_trading.strategies.deleted_at is 'When it was given up; NULL: it has not been.';
comment on constraint strategies_config_is_object on raw_trading.strategies is 'config must be a JSON object.';
comment on constraint strategies_status_known on raw_trading.strategies is 'status must be draft, active, paused or retired.';
comment on constraint strategies_deleted_is_retired on raw_trading.strategies is 'A strategy that is marked as deleted must have status retired.';
comment on constraint strategies_version_positive on raw_trading.strategies is 'version starts at 1.';

create table raw_trading.accounts (
    account_id types.label primary key,
    tenant_id types.label not null default 'house',
    name text,
    broker text,
    account_type text not null default 'margin',
    currency types.currency not null,
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    updated_at timestamptz not null default now(),
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint accounts_tenant_key unique (account_id, tenant_id),
    constraint accounts_type_known check (account_type in ('cash', 'margin', 'paper', 'challenge')),
    constraint accounts_close_after_opening check (closed_at >= opened_at)
);
comment on table raw_trading.accounts is 'State: one row per account that holds money and positions. A challenge of the prop-trading application is an account too (account_id = its challenge_id).';
comment on column raw_trading.accounts.account_id is 'Key of the account, as the broker or application names it.';
comment on column raw_trading.accounts.name is 'Name for people; NULL: none.';
comment on column raw_trading.accounts.broker is 'Who keeps the account; NULL: nobody outside.';
comment on column raw_trading.accounts.account_type is 'cash, margin, paper or challenge.';
comment on column raw_trading.accounts.currency is 'Currency of its cash, and of amounts that name no other.';
comment on column raw_trading.accounts.opened_at is 'When it was opened.';
comment on column raw_trading.accounts.closed_at is 'When it was closed; NULL: it is open.';
comment on column raw_trading.accounts.updated_at is 'When the row was last changed (kept by a trigger).';
comment on constraint accounts_tenant_key on raw_trading.accounts is 'What orders, fills and cash refer to, so that nobody''s row is on an account of another tenant.';
comment on constraint accounts_type_known on raw_trading.accounts is 'account_type must be cash, margin, paper or challenge.';
comment on constraint accounts_close_after_opening on raw_trading.accounts is 'An account cannot be closed before it was opened.';

------------------------------------------------------------------------------- what was asked for

create table raw_trading.orders (
    order_id types.label primary key,
    tenant_id types.label not null default 'house',
    account_id types.label not null,
    symbol types.label not null,
    side types.side not null,
    quantity types.quantity not null,
    order_type types.order_type not null default 'market',
    price types.amount,
    stop_price types.amount,
    time_in_force types.time_in_force not null default 'day',
    expires_at timestamptz,
    status types.order_status not null default 'pending',
    filled_quantity types.non_negative not null default 0,
    remaining_quantity numeric(24, 10) generated always as (quantity - filled_quantity) stored,
    average_fill_price types.amount,
    strategy text,
    strategy_id types.label constraint orders_strategy references raw_trading.strategies on delete restrict,
    model_id types.label,
    signal_id types.label,
    parent_order_id types.label constraint orders_parent references raw_trading.orders on delete restrict,
    client_order_id types.label,
    exchange_order_id types.label,
    correlation_id types.label,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint orders_account foreign key (account_id, tenant_id) references raw_trading.accounts (account_id, tenant_id),
    constraint orders_client_order_key unique (account_id, client_order_id),
    constraint orders_limit_has_price check (order_type not in ('limit', 'stop_limit') or price is not null),
    constraint orders_stop_has_stop_price check (order_type not in ('stop', 'stop_limit') or stop_price is not null),
    constraint orders_gtd_has_expiry check ((time_in_force = 'gtd') <= (expires_at is not null)),
    constraint orders_not_overfilled check (filled_quantity <= quantity),
    constraint orders_fill_price_iff_filled check ((filled_quantity > 0) = (average_fill_price is not null)),
    constraint orders_rejected_is_unfilled check (status <> 'rejected' or filled_quantity = 0),
    constraint orders_not_own_parent check (parent_order_id <> order_id),
    constraint orders_version_positive check (version > 0)
);
create index orders_account_created_idx on raw_trading.orders (account_id, created_at);
create index orders_strategy_idx on raw_trading.orders (strategy_id, created_at) where strategy_id is not null;
create index orders_parent_idx on raw_trading.orders (parent_order_id) where parent_order_id is not null;
create index orders_working_idx on raw_trading.orders (account_id, symbol)
where status in ('pending', 'accepted', 'partially_filled');
comment on table raw_trading.orders is 'State: one row per order as it is now; raw_trading.order_events tells how it came to that. Never deleted.';
comment on column raw_trading.orders.order_id is 'Key of the order in the system that placed it.';
comment on column raw_trading.orders.account_id is 'Account it trades for.';
comment on column raw_trading.orders.symbol is 'Instrument, as the system that placed it writes it.';
comment on column raw_trading.orders.side is 'buy or sell.';
comment on column raw_trading.orders.quantity is 'Units ordered, always positive.';
comment on column raw_trading.orders.order_type is 'market, limit, stop, stop_limit or trailing_stop.';
comment on column raw_trading.orders.price is 'Limit price per unit; NULL: none. Positive, except for instruments whose prices may be negative.';
comment on column raw_trading.orders.stop_price is 'Price per unit that sets the order off; NULL: none.';
comment on column raw_trading.orders.time_in_force is 'How long it stands.';
comment on column raw_trading.orders.expires_at is 'Until when a gtd order stands; NULL for the others.';
comment on column raw_trading.orders.status is 'State of the order. A fill moves it on by itself; every change must be one that raw_trading.order_may_become() allows.';
comment on column raw_trading.orders.filled_quantity is 'Units filled so far: always the sum of the fills in force, kept by a trigger on raw_trading.fills.';
comment on column raw_trading.orders.remaining_quantity is 'quantity - filled_quantity.';
comment on column raw_trading.orders.average_fill_price is 'Price of the fills in force, weighted by quantity; NULL: none yet. Kept by a trigger on raw_trading.fills.';
comment on column raw_trading.orders.strategy is 'Name of the strategy as sent; NULL: none was. strategy_id is the reference.';
comment on column raw_trading.orders.strategy_id is 'Strategy that decided it; NULL: none, or not known.';
comment on column raw_trading.orders.model_id is 'Model whose prediction led to it; NULL: none, or not known.';
comment on column raw_trading.orders.signal_id is 'Signal, or fused signal, that led to it; NULL: none, or not known.';
comment on column raw_trading.orders.parent_order_id is 'Order that this one is a leg of, or protects as a stop; NULL: it stands alone.';
comment on column raw_trading.orders.client_order_id is 'Id that the client gave, unique per account: sending an order twice places it once. NULL: none.';
comment on column raw_trading.orders.exchange_order_id is 'Id that the exchange gave; NULL: not (yet) known.';
comment on column raw_trading.orders.correlation_id is 'Joins everything that belongs to one decision, from prediction to log; NULL: none.';
comment on column raw_trading.orders.version is 'Rises by one with every update, for optimistic locking: update … where version = the one you read.';
comment on column raw_trading.orders.created_at is 'When the order was placed.';
comment on column raw_trading.orders.updated_at is 'When the row was last changed (kept by a trigger).';
comment on constraint orders_strategy on raw_trading.orders is 'The strategy is not registered in raw_trading.strategies.';
comment on constraint orders_parent on raw_trading.orders is 'The parent order is not known.';
comment on constraint orders_account on raw_trading.orders is 'The account is not registered in raw_trading.accounts for this tenant.';
comment on constraint orders_client_order_key on raw_trading.orders is 'The account already has an order with this client_order_id.';
comment on constraint orders_limit_has_price on raw_trading.orders is 'A limit order needs a price.';
comment on constraint orders_stop_has_stop_price on raw_trading.orders is 'A stop order needs a stop_price.';
comment on constraint orders_gtd_has_expiry on raw_trading.orders is 'An order good till a date needs expires_at.';
comment on constraint orders_not_overfilled on raw_trading.orders is 'More was filled than the order asks for.';
comment on constraint orders_fill_price_iff_filled on raw_trading.orders is 'An order has an average_fill_price exactly when something was filled.';
comment on constraint orders_rejected_is_unfilled on raw_trading.orders is 'A rejected order has no fills.';
comment on constraint orders_not_own_parent on raw_trading.orders is 'An order cannot be its own parent.';
comment on constraint orders_version_positive on raw_trading.orders is 'version starts at 1.';

create table raw_trading.order_events (
    order_id types.label not null constraint order_events_order references raw_trading.orders on delete restrict,
    seq integer not null,
    tenant_id types.label not null default 'house',
    account_id types.label not null,
    event_type text not null,
    from_status types.order_status,
    to_status types.order_status not null,
    event_at timestamptz not null,
    details jsonb not null default '{}',
    correlation_id types.label,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint order_events_pkey primary key (order_id, seq),
    constraint order_events_account foreign key (account_id, tenant_id) references raw_trading.accounts (account_id, tenant_id),
    constraint order_events_seq_positive check (seq > 0),
    constraint order_events_first_has_no_from check ((seq = 1) = (from_status is null)),
    constraint order_events_type_known check (event_type in (
        'placed', 'accepted', 'partially_filled', 'filled', 'fill_corrected', 'amended', 'cancel_requested',
        'cancelled', 'rejected', 'expired', 'note'
    )),
    constraint order_events_details_is_object check (jsonb_typeof(details) = 'object')
);
create index order_events_account_idx on raw_trading.order_events (account_id, event_at);
comment on table raw_trading.order_events is 'Ledger: what happened to each order, in strict order (1, 2, 3 …). The state of an order at any time is its last event until then.';
comment on column raw_trading.order_events.order_id is 'Order it happened to.';
comment on column raw_trading.order_events.seq is 'Number of the event within its order, from 1 without gaps; left out, it is the next one.';
comment on column raw_trading.order_events.account_id is 'Account of the order.';
comment on column raw_trading.order_events.event_type is 'What happened; amended, cancel_requested and note need not change the status.';
comment on column raw_trading.order_events.from_status is 'Status before; NULL in the first event only.';
comment on column raw_trading.order_events.to_status is 'Status after; equal to from_status where nothing changed.';
comment on column raw_trading.order_events.event_at is 'When it happened, by the clock of the source.';
comment on column raw_trading.order_events.details is 'What else the source said, a JSON object: reason of a rejection, amended values.';
comment on column raw_trading.order_events.correlation_id is 'Joins everything that belongs to one decision; NULL: none.';
comment on constraint order_events_pkey on raw_trading.order_events is 'The order already has an event with this number.';
comment on constraint order_events_order on raw_trading.order_events is 'The order is not known.';
comment on constraint order_events_account on raw_trading.order_events is 'The account is not registered in raw_trading.accounts for this tenant.';
comment on constraint order_events_seq_positive on raw_trading.order_events is 'Events are numbered from 1.';
comment on constraint order_events_first_has_no_from on raw_trading.order_events is 'The first event of an order, and only it, has no from_status.';
comment on constraint order_events_type_known on raw_trading.order_events is 'event_type is not one of the known ones.';
comment on constraint order_events_details_is_object on raw_trading.order_events is 'details must be a JSON object.';

------------------------------------------------------------------------------- what happened

create table raw_trading.fills (
    fill_id types.label primary key,
    tenant_id types.label not null default 'house',
    account_id types.label not null,
    seq bigint not null generated always as identity,
    order_id types.label constraint fills_order references raw_trading.orders on delete restrict,
    symbol types.label not null,
    side types.side not null,
    quantity types.quantity not null,
    price types.amount not null,
    commission types.amount not null default 0,
    currency types.currency,
    "timestamp" timestamptz not null,
    venue text,
    liquidity text,
    strategy_id types.label constraint fills_strategy references raw_trading.strategies on delete restrict,
    correlation_id types.label,
    corrects_fill_id types.label constraint fills_corrected references raw_trading.fills on delete restrict,
    is_cancel boolean not null default false,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    created_at timestamptz generated always as (known_at) stored,
    constraint fills_account foreign key (account_id, tenant_id) references raw_trading.accounts (account_id, tenant_id),
    constraint fills_account_seq_key unique (account_id, seq),
    constraint fills_corrected_once unique (corrects_fill_id),
    constraint fills_venue_is_mic check (venue ~ '^[A-Z0-9]{4}$'),
    constraint fills_liquidity_known check (liquidity in ('maker', 'taker', 'auction')),
    constraint fills_cancel_names_fill check (not is_cancel or corrects_fill_id is not null),
    constraint fills_not_own_correction check (corrects_fill_id <> fill_id)
);
create index fills_position_idx on raw_trading.fills (account_id, symbol, "timestamp", seq);
create index fills_order_idx on raw_trading.fills (order_id) where order_id is not null;
create index fills_strategy_idx on raw_trading.fills (strategy_id, "timestamp") where strategy_id is not null;
comment on table raw_trading.fills is 'Ledger: one row per execution. A wrong one is corrected by a row that names it (corrects_fill_id) and stands in its place, or takes it back (is_cancel). Raw of round-trip P&L and positions.';
comment on column raw_trading.fills.fill_id is 'Key of the execution at the venue or broker.';
comment on column raw_trading.fills.account_id is 'Account that traded; left out, the order''s.';
comment on column raw_trading.fills.seq is 'Order of arrival, rising within each account: of fills with the same time, the one that came first counts first. Has gaps, because a strict number would make writers wait for each other.';
comment on column raw_trading.fills.order_id is 'Order it fills; NULL: the source has no orders (a broker''s statement).';
comment on column raw_trading.fills.symbol is 'Instrument as the source writes it; the order''s, where there is one.';
comment on column raw_trading.fills.side is 'buy or sell; left out, the order''s.';
comment on column raw_trading.fills.quantity is 'Units, always positive; in a cancelling row those of the fill it takes back.';
comment on column raw_trading.fills.price is 'Price per unit. Positive, except for instruments whose prices may be negative.';
comment on column raw_trading.fills.commission is 'What the broker took, in currency; negative: a rebate.';
comment on column raw_trading.fills.currency is 'Currency of price and commission; NULL: the account''s.';
comment on column raw_trading.fills."timestamp" is 'When it was executed, by the clock of the venue. Late fills come with a time that has passed.';
comment on column raw_trading.fills.venue is 'Market identifier code (ISO 10383) of the place; NULL: not known.';
comment on column raw_trading.fills.liquidity is 'maker, taker or auction; NULL: not known.';
comment on column raw_trading.fills.strategy_id is 'Strategy it is booked to; left out, the order''s; NULL: none.';
comment on column raw_trading.fills.correlation_id is 'Joins everything that belongs to one decision; left out, the order''s; NULL: none.';
comment on column raw_trading.fills.corrects_fill_id is 'Fill that this row replaces or takes back, at most one row for each; NULL: a fill of its own.';
comment on column raw_trading.fills.is_cancel is 'True: the corrected fill never happened. Such a row counts for nothing itself.';
comment on column raw_trading.fills.created_at is 'known_at under the name that seed C has for it.';
comment on constraint fills_order on raw_trading.fills is 'The order is not known.';
comment on constraint fills_strategy on raw_trading.fills is 'The strategy is not registered in raw_trading.strategies.';
comment on constraint fills_corrected on raw_trading.fills is 'The fill to be corrected is not known.';
comment on constraint fills_account on raw_trading.fills is 'The account is not registered in raw_trading.accounts for this tenant.';
comment on constraint fills_account_seq_key on raw_trading.fills is 'The account already has a fill with this number.';
comment on constraint fills_corrected_once on raw_trading.fills is 'The fill was corrected already: correct the correction.';
comment on constraint fills_venue_is_mic on raw_trading.fills is 'venue must be a market identifier code (ISO 10383): four capital letters or digits.';
comment on constraint fills_liquidity_known on raw_trading.fills is 'liquidity must be maker, taker or auction.';
comment on constraint fills_cancel_names_fill on raw_trading.fills is 'A cancelling row must name the fill it takes back.';
comment on constraint fills_not_own_correction on raw_trading.fills is 'A fill cannot correct itself.';

create table raw_trading.cash_movements (
    movement_id types.label primary key,
    tenant_id types.label not null default 'house',
    account_id types.label not null,
    kind text not null,
    amount types.amount not null,
    currency types.currency not null,
    moved_at timestamptz not null,
    symbol types.label,
    reverses_movement_id types.label constraint cash_movements_reversed references raw_trading.cash_movements,
    note text,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint cash_movements_account foreign key (account_id, tenant_id) references raw_trading.accounts (account_id, tenant_id),
    constraint cash_movements_reversed_once unique (reverses_movement_id),
    constraint cash_movements_kind_known check (kind in (
        'deposit', 'withdrawal', 'fee', 'rebate', 'dividend', 'interest', 'tax', 'payout', 'transfer'
    )),
    constraint cash_movements_sign check (case
        when amount = 0 then false
        when reverses_movement_id is not null then true
        when kind in ('deposit', 'rebate') then amount > 0
        when kind in ('withdrawal', 'fee', 'payout') then amount < 0
        else true
    end)
);
create index cash_movements_account_idx on raw_trading.cash_movements (account_id, moved_at);
comment on table raw_trading.cash_movements is 'Ledger: money that came or went other than by trades; commissions are with the fills. A wrong one is reversed by a row with the opposite amount, so that the sum is always right.';
comment on column raw_trading.cash_movements.movement_id is 'Key of the movement at the broker or in the application.';
comment on column raw_trading.cash_movements.account_id is 'Account whose cash changes.';
comment on column raw_trading.cash_movements.kind is 'deposit, withdrawal, fee, rebate, dividend (negative on a short position), interest, tax, payout (a trader''s share of profit leaves) or transfer between accounts.';
comment on column raw_trading.cash_movements.amount is 'In currency; positive: comes to the account, negative: leaves it.';
comment on column raw_trading.cash_movements.currency is 'Currency of amount.';
comment on column raw_trading.cash_movements.moved_at is 'When the money moved.';
comment on column raw_trading.cash_movements.symbol is 'Instrument it is for (dividend, borrowing fee); NULL: none.';
comment on column raw_trading.cash_movements.reverses_movement_id is 'Movement that this one takes back: the same account, kind and currency, the opposite amount. NULL: a movement of its own.';
comment on column raw_trading.cash_movements.note is 'Remark of the source; NULL: none.';
comment on constraint cash_movements_account on raw_trading.cash_movements is 'The account is not registered in raw_trading.accounts for this tenant.';
comment on constraint cash_movements_reversed on raw_trading.cash_movements is 'The movement to be reversed is not known.';
comment on constraint cash_movements_reversed_once on raw_trading.cash_movements is 'The movement was reversed already.';
comment on constraint cash_movements_kind_known on raw_trading.cash_movements is 'kind is not one of the known ones.';
comment on constraint cash_movements_sign on raw_trading.cash_movements is 'The sign does not fit the kind: deposits and rebates are positive, withdrawals, fees and payouts negative, and nothing is zero.';

------------------------------------------------------------------------------- what all of them have

do $$
declare
    name text;
begin
    foreach name in array array[
        'strategies', 'accounts', 'orders', 'order_events', 'fills', 'cash_movements'
    ] loop
        execute format('comment on column raw_trading.%I.source is %L', name, 'Who says so: the application, broker or feed the row is from.');
        execute format('comment on column raw_trading.%I.batch_id is %L', name, 'Landing that brought the row (ops.batches); NULL: an application wrote it itself.');
        execute format('comment on column raw_trading.%I.known_at is %L', name, 'When we knew it: the start of the transaction that landed it.');
        execute format('comment on column raw_trading.%I.tenant_id is %L', name, 'Whose it is: tenants see their own rows only.');
    end loop;
end $$;
