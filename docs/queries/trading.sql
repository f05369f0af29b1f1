-- Orders, executions, positions and money.

-- name: orders_of_an_account
-- why: the order book of an account, newest first
-- asked by: reader, 5 a second
-- budget: 10 ms, trade history
-- sample: select account_id, max(created_at) as until from raw_trading.orders group by account_id
select
    order_id,
    symbol,
    side,
    quantity,
    order_type,
    status,
    filled_quantity,
    average_fill_price,
    created_at
from raw_trading.orders
where
    account_id = :'account_id'
    and created_at >= :'until'::timestamptz - interval '7 days'
order by created_at desc;

-- name: orders_of_a_strategy
-- why: what a strategy wanted
-- asked by: reader, 1 a second
-- budget: 10 ms, trade history
-- sample: select strategy_id, max(created_at) as until from raw_trading.orders
-- sample: where strategy_id is not null group by strategy_id
select
    order_id,
    symbol,
    side,
    quantity,
    status,
    average_fill_price,
    created_at
from raw_trading.orders
where
    strategy_id = :'strategy_id'
    and created_at >= :'until'::timestamptz - interval '30 days'
order by created_at desc;

-- name: working_orders
-- why: what is still open at the broker, before another order is placed
-- asked by: loader, 20 a second
-- budget: 10 ms, trade history
-- sample: select account_id, symbol from raw_trading.orders group by account_id, symbol
-- sample: order by bool_or(status in ('pending', 'accepted', 'partially_filled')) desc, account_id, symbol
select
    order_id,
    side,
    remaining_quantity,
    order_type,
    price,
    stop_price,
    status
from raw_trading.orders
where
    account_id = :'account_id'
    and symbol = :'symbol'
    and status in ('pending', 'accepted', 'partially_filled')
order by created_at;

-- name: child_orders
-- why: the legs of an order: brackets, slices
-- asked by: loader, 1 a second
-- budget: 10 ms, trade history
-- sample: select coalesce(parent_order_id, order_id) as parent_order_id from raw_trading.orders
-- sample: order by orders.parent_order_id nulls last
select
    order_id,
    order_type,
    status,
    quantity,
    filled_quantity
from raw_trading.orders
where parent_order_id = :'parent_order_id'
order by created_at;

-- name: order_by_client_id
-- why: the application's own key of an order: has it been placed already
-- asked by: loader, 20 a second
-- budget: 10 ms, trade history
-- sample: select account_id, coalesce(client_order_id, order_id) as client_order_id from raw_trading.orders
select
    order_id,
    status,
    version
from raw_trading.orders
where
    account_id = :'account_id'
    and client_order_id = :'client_order_id';

-- name: life_of_an_order
-- why: how an order came to what it is
-- asked by: reader, 1 a second
-- budget: 10 ms, trade history
-- sample: select order_id from raw_trading.order_events group by order_id
select
    seq,
    event_type,
    from_status,
    to_status,
    event_at,
    details
from raw_trading.order_events
where order_id = :'order_id'
order by seq;

-- name: what_happened_to_the_orders_of_an_account
-- why: the stream of order events of an account on a day
-- asked by: reader, 1 a second
-- budget: 10 ms, trade history
-- sample: select account_id, max(event_at) as until from raw_trading.order_events group by account_id
select
    event_at,
    order_id,
    event_type,
    to_status
from raw_trading.order_events
where
    account_id = :'account_id'
    and event_at >= :'until'::timestamptz - interval '1 day'
order by event_at, order_id, seq;

-- name: trades_of_an_account
-- why: trade history with filters: executions in force, by the name that the designs give them
-- asked by: reader, 5 a second
-- budget: 10 ms, trade history
-- sample: select account_id, symbol, side, max("timestamp") as until from raw_trading.fills
-- sample: group by account_id, symbol, side
select
    trade_id,
    side,
    quantity,
    price,
    commission,
    executed_at
from raw_trading.trades
where
    account_id = :'account_id'
    and symbol = :'symbol'
    and side = :'side'
    and "timestamp" >= :'until'::timestamptz - interval '90 days'
    and quantity * price > 1000
order by "timestamp" desc, trade_id asc;

-- name: fills_of_an_order
-- why: how an order was executed
-- asked by: reader, 5 a second
-- budget: 10 ms, trade history
-- sample: select order_id from raw_trading.fills where order_id is not null group by order_id
select
    fill_id,
    quantity,
    price,
    commission,
    "timestamp",
    corrects_fill_id,
    is_cancel
from raw_trading.fills
where order_id = :'order_id'
order by "timestamp", seq;

-- name: trades_of_a_strategy
-- why: what a strategy traded, across accounts
-- asked by: reader, 1 a second
-- budget: 10 ms, trade history
-- sample: select strategy_id, max("timestamp") as until from raw_trading.fills
-- sample: where strategy_id is not null group by strategy_id
select
    account_id,
    symbol,
    side,
    sum(quantity) as quantity,
    sum(quantity * price) as notional,
    sum(commission) as commission,
    count(*) as trades
from raw_trading.trades
where
    strategy_id = :'strategy_id'
    and "timestamp" >= :'until'::timestamptz - interval '30 days'
group by account_id, symbol, side
order by account_id, symbol, side;

-- name: positions_of_an_account
-- why: what an account holds now
-- asked by: loader, 20 a second
-- budget: 10 ms, trade history
-- sample: select account_id from raw_trading.accounts
select
    symbol,
    quantity,
    average_cost,
    realised_pnl,
    commission
from raw_trading.positions
where account_id = :'account_id'
order by symbol;

-- name: cash_of_an_account
-- why: money that came and went
-- asked by: reader, 1 a minute
-- budget: 10 ms, trade history
-- sample: select account_id, max(moved_at) as until from raw_trading.cash_movements group by account_id
select
    moved_at,
    kind,
    amount,
    currency,
    note
from raw_trading.cash_movements
where
    account_id = :'account_id'
    and moved_at >= :'until'::timestamptz - interval '1 year'
order by moved_at;

-- name: equity_of_an_account
-- why: the equity curve of an account, as its source says
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select account_id, max(snapshot_ts) as until from raw_trading.portfolio_snapshots group by account_id
select
    snapshot_ts,
    equity,
    cash,
    gross_exposure,
    net_exposure,
    drawdown_frac
from raw_trading.portfolio_snapshots
where
    account_id = :'account_id'
    and strategy_id = ''
    and snapshot_ts >= :'until'::timestamptz - interval '90 days'
order by snapshot_ts, source, revision;

-- name: equity_of_a_strategy
-- why: how a strategy did, across accounts, as its sources say
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select strategy_id, max(snapshot_ts) as until from raw_trading.portfolio_snapshots
-- sample: group by strategy_id order by strategy_id desc
select
    snapshot_ts,
    account_id,
    equity,
    realised_pnl,
    unrealised_pnl,
    drawdown_frac
from raw_trading.portfolio_snapshots
where
    strategy_ref = :'strategy_id'
    and snapshot_ts >= :'until'::timestamptz - interval '90 days'
order by snapshot_ts, account_id, source, revision;
