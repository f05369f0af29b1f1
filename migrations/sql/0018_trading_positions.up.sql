-- What somebody says the state is: snapshots that landed, and positions that a trigger keeps; and the seeds' names.

create table raw_trading.portfolio_snapshots (
    account_id types.label not null,
    strategy_id text not null default '',
    snapshot_ts timestamptz not null,
    source types.label not null default 'application',
    revision integer not null default 0,
    tenant_id types.label not null default 'house',
    currency types.currency,
    equity types.amount not null,
    cash types.amount,
    gross_exposure types.non_negative,
    net_exposure types.amount,
    realised_pnl types.amount,
    unrealised_pnl types.amount,
    margin_used types.non_negative,
    value_at_risk types.non_negative,
    leverage types.non_negative,
    drawdown_frac types.fraction,
    risk_frac types.fraction,
    batch_id bigint,
    known_at timestamptz not null default now(),
    -- A reference needs NULL where the key needs ''.
    strategy_ref text generated always as (nullif(strategy_id, '')) stored
    constraint portfolio_snapshots_strategy references raw_trading.strategies on delete restrict,
    constraint portfolio_snapshots_pkey primary key (account_id, strategy_id, snapshot_ts, source, revision),
    constraint portfolio_snapshots_account foreign key (account_id, tenant_id)
    references raw_trading.accounts (account_id, tenant_id),
    constraint portfolio_snapshots_revision_not_negative check (revision >= 0),
    constraint portfolio_snapshots_net_within_gross check (abs(net_exposure) <= gross_exposure)
);
create index portfolio_snapshots_strategy_idx on raw_trading.portfolio_snapshots (strategy_ref, snapshot_ts)
where strategy_ref is not null;
comment on table raw_trading.portfolio_snapshots is 'Restatable: what a source says an account, or a strategy within it, was worth at a time. The marts derive their own from fills and cash; this is what they are compared with.';
comment on column raw_trading.portfolio_snapshots.account_id is 'Account described.';
comment on column raw_trading.portfolio_snapshots.strategy_id is 'Strategy within the account; empty: the whole account.';
comment on column raw_trading.portfolio_snapshots.snapshot_ts is 'Time that the values are of.';
comment on column raw_trading.portfolio_snapshots.revision is '0 as first sent; a restated snapshot is the next.';
comment on column raw_trading.portfolio_snapshots.currency is 'Currency of the amounts; NULL: the account''s.';
comment on column raw_trading.portfolio_snapshots.equity is 'Cash and positions at market value, in currency.';
comment on column raw_trading.portfolio_snapshots.cash is 'Cash, in currency; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.gross_exposure is 'Sum of the sizes of all positions, in currency; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.net_exposure is 'Long less short, in currency; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.realised_pnl is 'Profit of closed positions so far, in currency; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.unrealised_pnl is 'Profit of open positions at market value, in currency; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.margin_used is 'Margin bound, in currency; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.value_at_risk is 'Loss not exceeded in a day with 95 % confidence, as the source estimates it, in currency and positive; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.leverage is 'Gross exposure per unit of equity; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.drawdown_frac is 'Fall from the highest equity so far, between 0 and 1; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.risk_frac is 'Share of equity at risk, between 0 and 1, never a percentage; NULL: not said.';
comment on column raw_trading.portfolio_snapshots.strategy_ref is 'strategy_id as a reference: NULL for the whole account.';
comment on constraint portfolio_snapshots_strategy on raw_trading.portfolio_snapshots is 'The strategy is not registered in raw_trading.strategies.';
comment on constraint portfolio_snapshots_account on raw_trading.portfolio_snapshots is 'The account is not registered in raw_trading.accounts for this tenant.';
comment on constraint portfolio_snapshots_revision_not_negative on raw_trading.portfolio_snapshots is 'Revisions are numbered from 0.';
comment on constraint portfolio_snapshots_net_within_gross on raw_trading.portfolio_snapshots is 'Net exposure cannot be larger than gross exposure.';
comment on column raw_trading.portfolio_snapshots.source is 'Who says so: the application, broker or feed the row is from.';
comment on column raw_trading.portfolio_snapshots.batch_id is 'Landing that brought the row (ops.batches); NULL: an application wrote it itself.';
comment on column raw_trading.portfolio_snapshots.known_at is 'When we knew it: the start of the transaction that landed it.';
comment on column raw_trading.portfolio_snapshots.tenant_id is 'Whose it is: tenants see their own rows only.';

create table raw_trading.positions_live (
    account_id types.label not null,
    symbol types.label not null,
    tenant_id types.label not null default 'house',
    quantity types.amount not null,
    cost types.amount not null,
    average_cost numeric(24, 10) generated always as (case when quantity <> 0 then cost / quantity end) stored,
    realised_pnl types.amount not null,
    commission types.amount not null,
    fills bigint not null,
    last_fill_at timestamptz,
    last_fill_seq bigint,
    updated_at timestamptz not null default now(),
    constraint positions_live_pkey primary key (account_id, symbol),
    constraint positions_live_account foreign key (account_id, tenant_id)
    references raw_trading.accounts (account_id, tenant_id),
    constraint positions_live_flat_costs_nothing check (quantity <> 0 or cost = 0)
);
comment on table raw_trading.positions_live is 'Kept by a trigger on raw_trading.fills, not landed: the position of each account and symbol by average cost, flat ones too. A convenience for the moment; the marts derive positions from the fills and are compared with it.';
comment on column raw_trading.positions_live.account_id is 'Account that holds it.';
comment on column raw_trading.positions_live.symbol is 'Instrument, as the fills write it.';
comment on column raw_trading.positions_live.quantity is 'Units held; negative: short, 0: flat.';
comment on column raw_trading.positions_live.cost is 'What the units held were bought for, negative where they were sold short; in the currency of the fills, commissions apart. realised_pnl - cost is always the sum of all money that the fills moved.';
comment on column raw_trading.positions_live.average_cost is 'cost / quantity, per unit; NULL when flat.';
comment on column raw_trading.positions_live.realised_pnl is 'Profit of what was closed, at average cost, before commissions.';
comment on column raw_trading.positions_live.commission is 'Commissions of all fills in force, rebates deducted.';
comment on column raw_trading.positions_live.fills is 'Number of fills in force that it is made of.';
comment on column raw_trading.positions_live.last_fill_at is 'Time of the last of these fills; NULL: none is left.';
comment on column raw_trading.positions_live.last_fill_seq is 'seq of the last of these fills; NULL: none is left.';
comment on column raw_trading.positions_live.updated_at is 'When a fill last changed it.';
comment on column raw_trading.positions_live.tenant_id is 'Whose it is: tenants see their own rows only.';
comment on constraint positions_live_account on raw_trading.positions_live is 'The account is not registered in raw_trading.accounts for this tenant.';
comment on constraint positions_live_flat_costs_nothing on raw_trading.positions_live is 'A flat position has no cost.';

create view raw_trading.trades with (security_invoker = true) as
select
    f.fill_id as trade_id, f.tenant_id, f.account_id, f.order_id, f.strategy_id, f.symbol, f.side, f.quantity, f.price,
    f.commission, f.currency, f."timestamp" as executed_at, f."timestamp", f.venue, f.liquidity, f.correlation_id, f.seq
from raw_trading.fills as f
where not f.is_cancel and not exists (select from raw_trading.fills as c where c.corrects_fill_id = f.fill_id);
comment on view raw_trading.trades is 'The name that seeds A and B have for executions: the fills in force, neither cancelled nor replaced by a correction. Round trips with their profit are marts.';

create view raw_trading.positions with (security_invoker = true) as
select
    account_id, symbol, tenant_id, quantity, average_cost, cost, realised_pnl, commission, fills, last_fill_at, updated_at
from raw_trading.positions_live
where quantity <> 0;
comment on view raw_trading.positions is 'The name that seed A has for open positions: raw_trading.positions_live without the flat ones.';

------------------------------------------------------------------------------- changes, protection

create trigger strategies_log_changes after insert on raw_trading.strategies referencing new table as changed
for each statement execute function ops.log_landed('strategy_id', 'created_at');
create trigger strategies_log_updates after update on raw_trading.strategies referencing new table as changed
for each statement execute function ops.log_landed('strategy_id', 'created_at');
create trigger accounts_log_changes after insert on raw_trading.accounts referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'opened_at');
create trigger accounts_log_updates after update on raw_trading.accounts referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'opened_at');
create trigger orders_log_changes after insert on raw_trading.orders referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'created_at');
create trigger orders_log_updates after update on raw_trading.orders referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'created_at');
create trigger order_events_log_changes after insert on raw_trading.order_events referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'event_at');
create trigger fills_log_changes after insert on raw_trading.fills referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'timestamp');
create trigger cash_movements_log_changes after insert on raw_trading.cash_movements referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'moved_at');
create trigger portfolio_snapshots_log_changes after insert on raw_trading.portfolio_snapshots
referencing new table as changed for each statement execute function ops.log_landed('account_id', 'snapshot_ts');

create trigger order_events_append_only before update or delete or truncate on raw_trading.order_events
for each statement execute function ops.refuse_mutation('Append an event that says what happened next.');
create trigger fills_append_only before update or delete or truncate on raw_trading.fills
for each statement execute function ops.refuse_mutation('Append a fill with corrects_fill_id: it replaces the wrong one, or with is_cancel takes it back.');
create trigger cash_movements_append_only before update or delete or truncate on raw_trading.cash_movements
for each statement execute function ops.refuse_mutation('Append a movement of the opposite amount with reverses_movement_id.');
create trigger portfolio_snapshots_append_only before update or delete or truncate on raw_trading.portfolio_snapshots
for each statement execute function ops.refuse_mutation('Land the corrected snapshot again: it becomes the next revision.');
create trigger strategies_stay before delete or truncate on raw_trading.strategies
for each statement execute function ops.refuse_mutation('Retire it: update … set status = ''retired'', deleted_at = now().');
create trigger accounts_stay before delete or truncate on raw_trading.accounts
for each statement execute function ops.refuse_mutation('Close it: update … set closed_at = now().');
create trigger orders_stay before delete or truncate on raw_trading.orders
for each statement execute function ops.refuse_mutation('Cancel it: update … set status = ''cancelled''.');
create trigger accounts_touch before update on raw_trading.accounts
for each row execute function ops.touch_updated_at();
