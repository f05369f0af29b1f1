-- What agents say and an allocator makes of it; which limits hold and which were broken; and the references that no
-- foreign key can keep.

create type types.direction as enum ('long', 'short', 'flat');
create type types.severity as enum ('low', 'medium', 'high', 'critical');
create type types.alert_status as enum ('open', 'acknowledged', 'resolved');
comment on type types.direction is 'Where a signal expects the price to go: up (long), down (short) or nowhere (flat).';
comment on type types.severity is 'How bad it is; in this order they can be compared.';
comment on type types.alert_status is 'State of an alert: open, acknowledged by somebody, resolved for good.';

------------------------------------------------------------------------------- signals

create table raw_signals.agents (
    agent_id types.label primary key,
    name types.label not null,
    agent_type text not null default 'signal',
    description text,
    config jsonb not null default '{}',
    status text not null default 'active',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint agents_type_known check (agent_type in ('signal', 'allocator', 'risk', 'execution', 'other')),
    constraint agents_config_is_object check (jsonb_typeof(config) = 'object'),
    constraint agents_status_known check (status in ('active', 'paused', 'retired'))
);
comment on table raw_signals.agents is 'State: one row per agent. Never deleted: its signals stay.';
comment on column raw_signals.agents.agent_id is 'Key that signals name (momentum_agent).';
comment on column raw_signals.agents.name is 'Name for people.';
comment on column raw_signals.agents.agent_type is 'signal (says where prices go), allocator (fuses signals), risk, execution or other.';
comment on column raw_signals.agents.description is 'What it does, in words; NULL: nobody said.';
comment on column raw_signals.agents.config is 'Its parameters, a JSON object.';
comment on column raw_signals.agents.status is 'active, paused or retired.';
comment on column raw_signals.agents.created_at is 'When the agent was registered.';
comment on column raw_signals.agents.updated_at is 'When the row was last changed (kept by a trigger).';
comment on constraint agents_type_known on raw_signals.agents is 'agent_type must be signal, allocator, risk, execution or other.';
comment on constraint agents_config_is_object on raw_signals.agents is 'config must be a JSON object.';
comment on constraint agents_status_known on raw_signals.agents is 'status must be active, paused or retired.';

create table raw_signals.signals (
    agent_id types.label not null constraint signals_agent references raw_signals.agents on delete restrict,
    signal_id types.label not null,
    symbol types.label not null,
    signal_ts timestamptz not null,
    horizon integer not null,
    direction types.direction not null,
    strength types.fraction not null,
    confidence types.fraction,
    explanation jsonb not null default '{}',
    model_id types.label,
    prediction_id types.label,
    strategy_id types.label,
    correlation_id types.label,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint signals_pkey primary key (agent_id, signal_id),
    constraint signals_horizon_positive check (horizon > 0),
    constraint signals_explanation_is_object check (jsonb_typeof(explanation) = 'object')
);
create index signals_agent_ts_idx on raw_signals.signals (agent_id, signal_ts);
create index signals_symbol_ts_idx on raw_signals.signals (symbol, signal_ts);
comment on table raw_signals.signals is 'Ledger: what an agent said, when it said it. Never restated, because a signal that is made better afterwards measures nothing: an agent that thinks otherwise says so in a new signal.';
comment on column raw_signals.signals.agent_id is 'Agent that said it.';
comment on column raw_signals.signals.signal_id is 'Key of the signal within its agent.';
comment on column raw_signals.signals.symbol is 'Instrument it is about, as the agent writes it.';
comment on column raw_signals.signals.signal_ts is 'When the agent said it.';
comment on column raw_signals.signals.horizon is 'For how long it is meant, in trading sessions.';
comment on column raw_signals.signals.direction is 'long, short or flat.';
comment on column raw_signals.signals.strength is 'How far, between 0 (nothing) and 1 (as far as this agent ever goes).';
comment on column raw_signals.signals.confidence is 'Probability that the agent gives to being right, between 0 and 1; NULL: it does not say.';
comment on column raw_signals.signals.explanation is 'Why, a JSON object: reasons, contributions of features.';
comment on column raw_signals.signals.model_id is 'Model behind it; NULL: none.';
comment on column raw_signals.signals.prediction_id is 'Prediction behind it; NULL: none.';
comment on column raw_signals.signals.strategy_id is 'Strategy it is meant for; NULL: any.';
comment on column raw_signals.signals.correlation_id is 'Joins everything that belongs to one decision; NULL: none.';
comment on constraint signals_pkey on raw_signals.signals is 'The agent already has another signal with this id: signals are not restated.';
comment on constraint signals_agent on raw_signals.signals is 'The agent is not registered in raw_signals.agents.';
comment on constraint signals_horizon_positive on raw_signals.signals is 'horizon must be at least one session.';
comment on constraint signals_explanation_is_object on raw_signals.signals is 'explanation must be a JSON object.';

create table raw_signals.fused_signals (
    fused_id types.label primary key,
    agent_id types.label not null constraint fused_signals_agent references raw_signals.agents on delete restrict,
    symbol types.label not null,
    signal_ts timestamptz not null,
    horizon integer not null,
    direction types.direction not null,
    strength types.fraction not null,
    confidence types.fraction,
    method text,
    explanation jsonb not null default '{}',
    strategy_id types.label,
    correlation_id types.label,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint fused_signals_horizon_positive check (horizon > 0),
    constraint fused_signals_explanation_is_object check (jsonb_typeof(explanation) = 'object')
);
create index fused_signals_symbol_ts_idx on raw_signals.fused_signals (symbol, signal_ts);
comment on table raw_signals.fused_signals is 'Ledger: what an allocator made of several signals; raw_signals.fusion_inputs has of which and with what weight.';
comment on column raw_signals.fused_signals.fused_id is 'Key of the fused signal.';
comment on column raw_signals.fused_signals.agent_id is 'Allocator that fused it, an agent of type allocator.';
comment on column raw_signals.fused_signals.symbol is 'Instrument it is about, as the allocator writes it.';
comment on column raw_signals.fused_signals.signal_ts is 'When it was fused.';
comment on column raw_signals.fused_signals.horizon is 'For how long it is meant, in trading sessions.';
comment on column raw_signals.fused_signals.direction is 'long, short or flat.';
comment on column raw_signals.fused_signals.strength is 'How far, between 0 and 1.';
comment on column raw_signals.fused_signals.confidence is 'Probability given to being right, between 0 and 1; NULL: not said.';
comment on column raw_signals.fused_signals.method is 'How it was fused (equal weights, by past accuracy …); NULL: not said.';
comment on column raw_signals.fused_signals.explanation is 'Why, a JSON object.';
comment on column raw_signals.fused_signals.strategy_id is 'Strategy it is meant for; NULL: any.';
comment on column raw_signals.fused_signals.correlation_id is 'Joins everything that belongs to one decision; NULL: none.';
comment on constraint fused_signals_agent on raw_signals.fused_signals is 'The allocator is not registered in raw_signals.agents.';
comment on constraint fused_signals_horizon_positive on raw_signals.fused_signals is 'horizon must be at least one session.';
comment on constraint fused_signals_explanation_is_object on raw_signals.fused_signals is 'explanation must be a JSON object.';

create table raw_signals.fusion_inputs (
    fused_id types.label not null
    constraint fusion_inputs_fused references raw_signals.fused_signals on delete restrict,
    agent_id types.label not null,
    signal_id types.label not null,
    weight types.finite not null,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint fusion_inputs_pkey primary key (fused_id, agent_id, signal_id)
);
create index fusion_inputs_signal_idx on raw_signals.fusion_inputs (agent_id, signal_id);
comment on table raw_signals.fusion_inputs is 'Ledger: which signals went into a fused signal. A signal may land after what was made of it, so ops.orphans() looks for it, not a foreign key.';
comment on column raw_signals.fusion_inputs.fused_id is 'Fused signal.';
comment on column raw_signals.fusion_inputs.agent_id is 'Agent of the signal that went in.';
comment on column raw_signals.fusion_inputs.signal_id is 'Signal that went in.';
comment on column raw_signals.fusion_inputs.weight is 'Its weight as the allocator used it; negative: it counted against. Weights need not sum to 1.';
comment on constraint fusion_inputs_pkey on raw_signals.fusion_inputs is 'The signal already went into this fused signal.';
comment on constraint fusion_inputs_fused on raw_signals.fusion_inputs is 'The fused signal is not known.';

------------------------------------------------------------------------------- risk

create table raw_risk.risk_limits (
    limit_id types.label not null,
    version integer not null default 1,
    valid_from timestamptz not null,
    tenant_id types.label not null default 'house',
    name types.label not null,
    metric types.label not null,
    unit text not null,
    breached_when text not null default 'above',
    threshold types.amount not null,
    warn_at types.amount,
    severity types.severity not null default 'high',
    account_id types.label,
    strategy_id types.label constraint risk_limits_strategy references raw_trading.strategies on delete restrict,
    symbol types.label,
    is_active boolean not null default true,
    reason text,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint risk_limits_pkey primary key (limit_id, version),
    constraint risk_limits_account foreign key (account_id, tenant_id) references raw_trading.accounts (account_id, tenant_id),
    constraint risk_limits_version_positive check (version > 0),
    constraint risk_limits_unit_known check (unit in ('currency', 'fraction', 'units', 'ratio', 'count')),
    constraint risk_limits_breached_when_known check (breached_when in ('above', 'below')),
    constraint risk_limits_fraction_between_0_and_1 check (
        unit <> 'fraction' or (threshold between 0 and 1 and (warn_at is null or warn_at between 0 and 1))
    ),
    constraint risk_limits_warning_before_breach check (
        (breached_when = 'above' and warn_at <= threshold) or (breached_when = 'below' and warn_at >= threshold)
    )
);
comment on table raw_risk.risk_limits is 'Ledger: versions of each limit. The one in force at a time is the version with the last valid_from until then.';
comment on column raw_risk.risk_limits.limit_id is 'Key of the limit.';
comment on column raw_risk.risk_limits.version is 'Number of the version, from 1 without gaps.';
comment on column raw_risk.risk_limits.valid_from is 'From when this version holds, until the next one does; later than that of the version before.';
comment on column raw_risk.risk_limits.name is 'Name for people.';
comment on column raw_risk.risk_limits.metric is 'What is limited (drawdown, daily_loss, gross_exposure, leverage, position_size, value_at_risk …).';
comment on column raw_risk.risk_limits.unit is 'Unit of threshold: currency (the account''s), fraction between 0 and 1, units of the instrument, ratio or count.';
comment on column raw_risk.risk_limits.breached_when is 'above: breached by a value over the threshold; below: under it.';
comment on column raw_risk.risk_limits.threshold is 'The limit, in unit.';
comment on column raw_risk.risk_limits.warn_at is 'Value from which somebody is warned, in unit; NULL: no warning.';
comment on column raw_risk.risk_limits.severity is 'Severity of an alert when it is breached.';
comment on column raw_risk.risk_limits.account_id is 'Account it holds for; NULL: every account of the tenant.';
comment on column raw_risk.risk_limits.strategy_id is 'Strategy it holds for; NULL: every one.';
comment on column raw_risk.risk_limits.symbol is 'Instrument it holds for; NULL: every one.';
comment on column raw_risk.risk_limits.is_active is 'False: from valid_from on, the limit is lifted.';
comment on column raw_risk.risk_limits.reason is 'Why it was set or changed; NULL: not said.';
comment on constraint risk_limits_pkey on raw_risk.risk_limits is 'The limit already has a version with this number.';
comment on constraint risk_limits_account on raw_risk.risk_limits is 'The account is not registered in raw_trading.accounts for this tenant.';
comment on constraint risk_limits_strategy on raw_risk.risk_limits is 'The strategy is not registered in raw_trading.strategies.';
comment on constraint risk_limits_version_positive on raw_risk.risk_limits is 'Versions are numbered from 1.';
comment on constraint risk_limits_unit_known on raw_risk.risk_limits is 'unit must be currency, fraction, units, ratio or count.';
comment on constraint risk_limits_breached_when_known on raw_risk.risk_limits is 'breached_when must be above or below.';
comment on constraint risk_limits_fraction_between_0_and_1 on raw_risk.risk_limits is 'A limit in fractions lies between 0 and 1; a percentage is never stored.';
comment on constraint risk_limits_warning_before_breach on raw_risk.risk_limits is 'The warning must come before the breach.';

create table raw_risk.risk_alert_events (
    alert_id types.label not null,
    seq integer not null,
    tenant_id types.label not null default 'house',
    status types.alert_status not null,
    severity types.severity not null,
    event_at timestamptz not null,
    limit_id types.label,
    limit_version integer,
    metric types.label,
    observed types.amount,
    threshold types.amount,
    account_id types.label,
    challenge_id types.label,
    user_id types.label,
    strategy_id types.label,
    symbol types.label,
    message text,
    actor types.label,
    correlation_id types.label,
    details jsonb not null default '{}',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint risk_alert_events_pkey primary key (alert_id, seq),
    constraint risk_alert_events_limit foreign key (limit_id, limit_version)
    references raw_risk.risk_limits (limit_id, version),
    constraint risk_alert_events_account foreign key (account_id, tenant_id)
    references raw_trading.accounts (account_id, tenant_id),
    constraint risk_alert_events_seq_positive check (seq > 0),
    constraint risk_alert_events_limit_with_version check ((limit_id is null) = (limit_version is null)),
    constraint risk_alert_events_acknowledged_by check (status <> 'acknowledged' or actor is not null),
    constraint risk_alert_events_details_is_object check (jsonb_typeof(details) = 'object')
);
create index risk_alert_events_account_idx on raw_risk.risk_alert_events (account_id, event_at);
comment on table raw_risk.risk_alert_events is 'Ledger: the life of each alert, in strict order (1, 2, 3 …): open, acknowledged, resolved.';
comment on column raw_risk.risk_alert_events.alert_id is 'Key of the alert.';
comment on column raw_risk.risk_alert_events.seq is 'Number of the event within its alert, from 1 without gaps; left out, it is the next one.';
comment on column raw_risk.risk_alert_events.status is 'Status after the event: open in the first one, then acknowledged, then resolved; or resolved at once.';
comment on column raw_risk.risk_alert_events.severity is 'How bad it is.';
comment on column raw_risk.risk_alert_events.event_at is 'When it happened.';
comment on column raw_risk.risk_alert_events.limit_id is 'Limit that was broken; NULL: none is behind it.';
comment on column raw_risk.risk_alert_events.limit_version is 'Version of the limit that was in force; NULL: none is behind it.';
comment on column raw_risk.risk_alert_events.metric is 'What was measured; NULL: nothing.';
comment on column raw_risk.risk_alert_events.observed is 'Value that was measured, in the unit of the limit; NULL: none.';
comment on column raw_risk.risk_alert_events.threshold is 'Value that it was held against; NULL: none.';
comment on column raw_risk.risk_alert_events.account_id is 'Account concerned; NULL: none.';
comment on column raw_risk.risk_alert_events.challenge_id is 'Challenge concerned; NULL: none.';
comment on column raw_risk.risk_alert_events.user_id is 'User concerned, by key, never by name; NULL: none.';
comment on column raw_risk.risk_alert_events.strategy_id is 'Strategy concerned; NULL: none.';
comment on column raw_risk.risk_alert_events.symbol is 'Instrument concerned; NULL: none.';
comment on column raw_risk.risk_alert_events.message is 'What it is, in words; NULL: not said.';
comment on column raw_risk.risk_alert_events.actor is 'Who acknowledged or resolved it: a person or a program; NULL: nobody said.';
comment on column raw_risk.risk_alert_events.correlation_id is 'Joins everything that belongs to one decision; NULL: none.';
comment on column raw_risk.risk_alert_events.details is 'What else there is to say, a JSON object.';
comment on constraint risk_alert_events_pkey on raw_risk.risk_alert_events is 'The alert already has an event with this number.';
comment on constraint risk_alert_events_limit on raw_risk.risk_alert_events is 'This version of the limit is not known.';
comment on constraint risk_alert_events_account on raw_risk.risk_alert_events is 'The account is not registered in raw_trading.accounts for this tenant.';
comment on constraint risk_alert_events_seq_positive on raw_risk.risk_alert_events is 'Events are numbered from 1.';
comment on constraint risk_alert_events_limit_with_version on raw_risk.risk_alert_events is 'limit_id and limit_version come together.';
comment on constraint risk_alert_events_acknowledged_by on raw_risk.risk_alert_events is 'An alert is acknowledged by somebody: actor is missing.';
comment on constraint risk_alert_events_details_is_object on raw_risk.risk_alert_events is 'details must be a JSON object.';

create view raw_risk.risk_alerts with (security_invoker = true) as
select distinct on (e.alert_id)
    e.alert_id, e.tenant_id, e.status, e.severity, o.severity as first_severity, o.limit_id, o.limit_version, o.metric,
    o.observed, o.threshold, o.account_id, o.challenge_id, o.user_id, o.strategy_id, o.symbol, o.message,
    o.event_at as opened_at, a.event_at as acknowledged_at, a.actor as acknowledged_by,
    case when e.status = 'resolved' then e.event_at end as resolved_at,
    case when e.status = 'resolved' then e.actor end as resolved_by, o.correlation_id, e.seq
from raw_risk.risk_alert_events as e
inner join raw_risk.risk_alert_events as o on o.alert_id = e.alert_id and o.seq = 1
left join raw_risk.risk_alert_events as a on a.alert_id = e.alert_id and a.status = 'acknowledged'
order by e.alert_id asc, e.seq desc;
comment on view raw_risk.risk_alerts is 'Every alert as it is now: what its first event says, and the status and severity of its last.';

------------------------------------------------------------------------------- what all of them have

do $$
declare
    landed regclass;
begin
    foreach landed in array array[
        'raw_signals.agents', 'raw_signals.signals', 'raw_signals.fused_signals', 'raw_signals.fusion_inputs',
        'raw_risk.risk_limits', 'raw_risk.risk_alert_events'
    ]::regclass[] loop
        execute format('comment on column %s.source is %L', landed, 'Who says so: the application, engine or feed the row is from.');
        execute format('comment on column %s.batch_id is %L', landed, 'Landing that brought the row (ops.batches); NULL: an application wrote it itself.');
        execute format('comment on column %s.known_at is %L', landed, 'When we knew it: the start of the transaction that landed it.');
    end loop;
end $$;
comment on column raw_risk.risk_limits.tenant_id is 'Whose it is: tenants see their own rows only.';
comment on column raw_risk.risk_alert_events.tenant_id is 'Whose it is: tenants see their own rows only.';
