-- The prop-trading application: users, challenges, trades, payments.

-- name: user_by_email
-- why: a login
-- asked by: loader, 10 a second
-- budget: 10 ms, users
-- sample: select tenant_id, email from raw_prop.users_pii
select
    traders.id,
    traders.role,
    traders.status,
    persons.password_hash
from raw_prop.users_pii as persons
inner join raw_prop.user_accounts as traders on persons.user_id = traders.id
where
    persons.tenant_id = :'tenant_id'
    and persons.email_key = lower(:'email')
    and traders.deleted_at is null;

-- name: users_of_a_role
-- why: who administers a tenant
-- asked by: loader, 1 a minute
-- budget: 10 ms, users
-- sample: select tenant_id, role from raw_prop.user_accounts group by tenant_id, role
select
    id,
    status,
    created_at
from raw_prop.user_accounts
where
    tenant_id = :'tenant_id'
    and role = :'role'
    and deleted_at is null
order by created_at desc
limit 100;

-- name: challenges_of_a_user
-- why: what a trader sees first
-- asked by: loader, 20 a second
-- budget: 20 ms, metrics
-- sample: select user_id from raw_prop.challenges group by user_id
select
    challenges.id,
    challenges.challenge_type,
    challenges.status,
    challenges.current_equity,
    challenges.total_pnl,
    challenges.total_trades,
    traders.status as user_status
from raw_prop.challenges as challenges
inner join raw_prop.user_accounts as traders on challenges.user_id = traders.id
where challenges.user_id = :'user_id'
order by challenges.created_at desc;

-- name: open_challenges
-- why: who trades now: what the rules are checked for
-- asked by: loader, 1 a second
-- budget: 20 ms, metrics
-- sample: select tenant_id from raw_prop.challenges group by tenant_id
select
    id,
    user_id,
    current_equity,
    daily_start_equity
from raw_prop.challenges
where
    tenant_id = :'tenant_id'
    and status = 'ACTIVE'
    and ended_at is null;

-- name: funded_traders
-- why: who passed lately
-- asked by: loader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select tenant_id, max(funded_at) as until from raw_prop.challenges
-- sample: where funded_at is not null group by tenant_id
select
    id,
    user_id,
    funded_at,
    total_pnl
from raw_prop.challenges
where
    tenant_id = :'tenant_id'
    and funded_at > :'until'::timestamptz - interval '30 days'
order by funded_at desc;

-- name: trades_of_a_challenge
-- why: how a trader traded lately
-- asked by: loader, 20 a second
-- budget: 10 ms, trade history
-- sample: select challenge_id, max(executed_at) as until from raw_prop.trades group by challenge_id
select
    trade_id,
    symbol,
    side,
    quantity,
    price,
    realized_pnl,
    executed_at
from raw_prop.trades
where
    challenge_id = :'challenge_id'
    and executed_at > :'until'::timestamptz - interval '1 day'
order by executed_at desc, sequence_number asc;

-- name: win_rate_of_a_challenge
-- why: the win rate, the statement of the prop design (docs/seeds/prop_trading.sql)
-- asked by: loader, 1 a second
-- budget: 100 ms, analytics
-- sample: select challenge_id from raw_prop.trades group by challenge_id
select
    count(*) as total_trades,
    count(*) filter (where realized_pnl > 0) as winning_trades,
    avg((realized_pnl > 0)::integer) as win_rate
from raw_prop.trades
where challenge_id = :'challenge_id';

-- name: corrections_of_a_trade
-- why: whether a trade was corrected
-- asked by: loader, 1 a second
-- budget: 10 ms, trade history
-- sample: select challenge_id, coalesce(corrects_trade_id, trade_id) as trade_id from raw_prop.trades
-- sample: order by corrects_trade_id nulls last
select
    trade_id,
    quantity,
    price,
    realized_pnl,
    executed_at
from raw_prop.trades
where
    challenge_id = :'challenge_id'
    and corrects_trade_id = :'trade_id'
order by sequence_number;

-- name: history_of_a_challenge
-- why: all that happened, in order: a dispute
-- asked by: loader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select challenge_id from raw_prop.challenge_events group by challenge_id
select
    sequence_number,
    event_type,
    event_data,
    occurred_at
from raw_prop.challenge_events
where challenge_id = :'challenge_id'
order by sequence_number;

-- name: events_of_a_kind
-- why: when a challenge had this kind of event
-- asked by: loader, 1 a second
-- budget: 10 ms, trade history
-- sample: select challenge_id, event_type from raw_prop.challenge_events group by challenge_id, event_type
select
    sequence_number,
    event_data,
    occurred_at
from raw_prop.challenge_events
where
    challenge_id = :'challenge_id'
    and event_type = :'event_type'
order by occurred_at desc, sequence_number asc
limit 20;

-- name: equity_of_a_challenge
-- why: the equity curve of a challenge on a day
-- asked by: loader, 5 a second
-- budget: 20 ms, metrics
-- sample: select challenge_id, max(tick_ts) as until from raw_prop.challenge_equity_ticks group by challenge_id
select
    tick_ts,
    equity,
    balance
from raw_prop.challenge_equity_ticks
where
    challenge_id = :'challenge_id'
    and tick_ts > :'until'::timestamptz - interval '1 day'
order by tick_ts;

-- name: payments_of_a_user
-- why: what a user paid and was paid
-- asked by: loader, 1 a second
-- budget: 10 ms, users
-- sample: select user_id from raw_prop.payments group by user_id
select
    id,
    purpose,
    status,
    amount,
    currency,
    created_at
from raw_prop.payments
where user_id = :'user_id'
order by created_at desc;

-- name: payments_of_a_challenge
-- why: whether a challenge is paid for
-- asked by: loader, 1 a second
-- budget: 10 ms, users
-- sample: select challenge_id from raw_prop.payments where challenge_id is not null group by challenge_id
select
    id,
    purpose,
    status,
    amount,
    refunded_amount
from raw_prop.payments
where challenge_id = :'challenge_id'
order by created_at desc;

-- name: open_payments
-- why: what is not settled, oldest first
-- asked by: loader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select tenant_id from raw_prop.payments group by tenant_id
select
    id,
    provider,
    status,
    amount,
    created_at
from raw_prop.payments
where
    tenant_id = :'tenant_id'
    and status in ('PENDING', 'PROCESSING', 'DISPUTED')
order by created_at
limit 100;

-- name: webhooks_of_a_payment
-- why: what the provider said about a payment
-- asked by: loader, 1 a second
-- budget: 10 ms, users
-- sample: select provider, provider_payment_id from raw_prop.payment_events group by provider, provider_payment_id
select
    provider_event_id,
    event_type,
    status,
    amount,
    occurred_at
from raw_prop.payment_events
where
    provider = :'provider'
    and provider_payment_id = :'provider_payment_id'
order by occurred_at;

-- name: alerts_of_a_challenge
-- why: what was noticed about a challenge
-- asked by: loader, 1 a second
-- budget: 10 ms, trade history
-- sample: select challenge_id from raw_prop.risk_alerts where challenge_id is not null group by challenge_id
select
    id,
    alert_type,
    severity,
    status,
    triggered_at
from raw_prop.risk_alerts
where challenge_id = :'challenge_id'
order by triggered_at desc;

-- name: alerts_of_a_user
-- why: what was noticed about a user
-- asked by: loader, 1 a minute
-- budget: 10 ms, users
-- sample: select id as user_id from raw_prop.user_accounts
select
    id,
    alert_type,
    severity,
    status,
    triggered_at
from raw_prop.risk_alerts
where user_id = :'user_id'
order by triggered_at desc;

-- name: open_alerts
-- why: what nobody has dealt with, of one severity
-- asked by: loader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select tenant_id, severity from raw_prop.risk_alerts group by tenant_id, severity
select
    id,
    challenge_id,
    alert_type,
    triggered_at
from raw_prop.risk_alerts
where
    tenant_id = :'tenant_id'
    and severity = :'severity'
    and resolved_at is null
order by triggered_at
limit 100;
