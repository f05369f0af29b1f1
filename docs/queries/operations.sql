-- Risk, audit and quarantine.

-- name: alerts_of_an_account
-- why: breaches of limits of an account, and what became of them
-- asked by: reader, 1 a second
-- budget: 10 ms, trade history
-- sample: select account_id, max(event_at) as until from raw_risk.risk_alert_events group by account_id
select
    alert_id,
    seq,
    status,
    severity,
    event_at,
    metric,
    observed,
    threshold,
    message
from raw_risk.risk_alert_events
where
    account_id = :'account_id'
    and event_at > :'until'::timestamptz - interval '30 days'
order by event_at desc, alert_id asc, seq asc;

-- name: life_of_an_alert
-- why: when an alert was seen and resolved, by whom
-- asked by: reader, 1 a minute
-- budget: 10 ms, trade history
-- sample: select alert_id from raw_risk.risk_alert_events group by alert_id
select
    seq,
    status,
    severity,
    event_at,
    actor,
    message
from raw_risk.risk_alert_events
where alert_id = :'alert_id'
order by seq;

-- name: history_of_a_row
-- why: who changed a row, and from what to what: a dispute, an investigation
-- asked by: auditor, 1 a minute
-- budget: 20 ms, metrics
-- sample: select relation, key::text as key from audit.row_changes
select
    change_seq,
    operation,
    before,
    after,
    actor,
    acting_as,
    at
from audit.row_changes
where
    relation = :'relation'
    and key = :'key'
order by change_seq;

-- name: rejected_rows
-- why: what waits in quarantine for a decision
-- asked by: loader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select dataset, source from ops.quarantine group by dataset, source
select
    rule,
    reason,
    count(*) as rejected,
    min(quarantined_at) as since
from ops.quarantine
where
    dataset = :'dataset'
    and source = :'source'
    and replayed_at is null
group by rule, reason
order by rejected desc, rule asc, reason asc;

-- name: rejected_rows_of_a_batch
-- why: what a landing left in quarantine
-- asked by: loader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select batch_id from ops.quarantine group by batch_id
select
    line,
    rule,
    reason,
    payload
from ops.quarantine
where batch_id = :'batch_id'
order by line
limit 100;

-- name: results_of_a_gate
-- why: what a run of the gate said
-- asked by: auditor, 1 a minute
-- budget: 20 ms, metrics
-- sample: select run_id from ops.dq_results group by run_id
select
    scope,
    rule,
    tier,
    found,
    quarantined,
    success
from ops.dq_results
where run_id = :'run_id'
order by scope, rule;

-- name: findings_of_a_gate
-- why: the rows that a run of the gate found by a rule
-- asked by: auditor, 1 a minute
-- budget: 20 ms, metrics
-- sample: select run_id, rule from ops.dq_findings group by run_id, rule
select
    source,
    symbol,
    timeframe,
    bar_ts,
    until_ts,
    detail
from ops.dq_findings
where
    run_id = :'run_id'
    and rule = :'rule'
order by symbol, timeframe, bar_ts
limit 100;

-- name: erasure_of_a_user
-- why: proof that somebody was forgotten, and what is left
-- asked by: auditor, 1 a day
-- budget: 10 ms, users
-- sample: select user_id from ops.erasure_log group by user_id
select
    erased_at,
    reason,
    removed,
    remaining
from ops.erasure_log
where user_id = :'user_id'
order by erased_at;
