-- What applications logged, and how the lines of one decision are found.

-- name: levels_of_a_day
-- why: log lines by level in a day, the monitoring query of the ML design (docs/seeds/ml_trading.sql)
-- asked by: reader, 1 a minute
-- budget: 100 ms, analytics
-- sample: select max("timestamp") as until from raw_logs.system_logs
select
    level,
    count(*) as log_lines
from raw_logs.system_logs
where "timestamp" >= :'until'::timestamptz - interval '24 hours'
group by level
order by level;

-- name: trouble_of_a_day
-- why: errors of a day, newest first
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select max("timestamp") as until from raw_logs.system_logs where level in ('ERROR', 'CRITICAL')
select
    "timestamp",
    level,
    logger_name,
    message,
    correlation_id
from raw_logs.system_logs
where
    level in ('ERROR', 'CRITICAL')
    and "timestamp" >= :'until'::timestamptz - interval '24 hours'
order by "timestamp" desc
limit 200;

-- name: logs_of_a_correlation
-- why: all lines of one decision, whatever log they are in
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select correlation_id from raw_logs.trading_events
-- sample: where correlation_id is not null group by correlation_id
select
    "timestamp",
    'system' as log_name,
    message as told
from raw_logs.system_logs
where correlation_id = :'correlation_id'
union all
select
    "timestamp",
    'trading' as log_name,
    event_type as told
from raw_logs.trading_events
where correlation_id = :'correlation_id'
union all
select
    "timestamp",
    'performance' as log_name,
    operation_name as told
from raw_logs.performance_logs
where correlation_id = :'correlation_id'
union all
select
    "timestamp",
    'error' as log_name,
    error_message as told
from raw_logs.error_logs
where correlation_id = :'correlation_id'
union all
select
    "timestamp",
    'user_action' as log_name,
    action_type as told
from raw_logs.user_action_logs
where correlation_id = :'correlation_id'
union all
select
    "timestamp",
    'agent' as log_name,
    metric_name as told
from raw_logs.agent_metrics
where correlation_id = :'correlation_id'
order by "timestamp", log_name;

-- name: path_of_a_decision
-- why: from prediction to fill, by the correlation that all of them carry
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select correlation_id from raw_trading.orders
-- sample: where correlation_id is not null group by correlation_id
select
    "timestamp" as happened_at,
    'prediction' as what,
    prediction_id as record_key
from raw_ml.predictions
where correlation_id = :'correlation_id'
union all
select
    signal_ts as happened_at,
    'signal' as what,
    signal_id as record_key
from raw_signals.signals
where correlation_id = :'correlation_id'
union all
select
    created_at as happened_at,
    'order' as what,
    order_id as record_key
from raw_trading.orders
where correlation_id = :'correlation_id'
union all
select
    fills."timestamp" as happened_at,
    'fill' as what,
    fills.fill_id as record_key
from raw_trading.orders as orders
inner join raw_trading.fills as fills on orders.order_id = fills.order_id
where orders.correlation_id = :'correlation_id'
order by happened_at, record_key;

-- name: events_of_an_order
-- why: what the application logged about an order
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select order_id from raw_logs.trading_events where order_id is not null group by order_id
select
    "timestamp",
    event_type,
    quantity,
    price,
    metadata
from raw_logs.trading_events
where order_id = :'order_id'
order by "timestamp", id;

-- name: actions_of_a_user
-- why: what a user did, when support or compliance asks
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select tenant_id, user_id, max("timestamp") as until from raw_logs.user_action_logs
-- sample: where user_id is not null group by tenant_id, user_id
select
    "timestamp",
    action_type,
    request_path,
    response_status
from raw_logs.user_action_logs
where
    tenant_id = :'tenant_id'
    and user_id = :'user_id'
    and "timestamp" > :'until'::timestamptz - interval '30 days'
order by "timestamp" desc;

-- name: metric_of_an_agent
-- why: latency, errors and throughput of an agent
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select agent_id, metric_name, max("timestamp") as until from raw_logs.agent_metrics
-- sample: group by agent_id, metric_name
select
    "timestamp",
    metric_value,
    unit
from raw_logs.agent_metrics
where
    agent_id = :'agent_id'
    and metric_name = :'metric_name'
    and "timestamp" > :'until'::timestamptz - interval '7 days'
order by "timestamp";

-- name: slow_operations
-- why: what took longest in a day
-- asked by: reader, 1 a minute
-- budget: 100 ms, analytics
-- sample: select max("timestamp") as until from raw_logs.performance_logs
select
    operation_name,
    count(*) as operations,
    percentile_cont(0.95) within group (order by duration_ms::double precision) as p95_ms
from raw_logs.performance_logs
where "timestamp" >= :'until'::timestamptz - interval '24 hours'
group by operation_name
order by p95_ms desc;

-- name: errors_of_a_day
-- why: which errors happened how often in a day
-- asked by: reader, 1 a minute
-- budget: 100 ms, analytics
-- sample: select max("timestamp") as until from raw_logs.error_logs
select
    error_type,
    component,
    count(*) as errors
from raw_logs.error_logs
where "timestamp" >= :'until'::timestamptz - interval '24 hours'
group by error_type, component
order by errors desc, error_type asc, component asc;
