-- The prop-trading application: payments with their webhooks, risk alerts.

------------------------------------------------------------------------------- payments

create table raw_prop.payments (
    id uuid constraint payments_pkey primary key default gen_random_uuid(),
    user_id uuid not null,
    challenge_id uuid,
    provider types.label not null,
    provider_payment_id types.label not null,
    purpose text not null default 'CHALLENGE_FEE'
    constraint payments_purpose_known check (purpose in ('CHALLENGE_FEE', 'PAYOUT', 'OTHER')),
    status text not null default 'PENDING' constraint payments_status_known check (
        status in (
            'PENDING', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED'
        )
    ),
    amount types.amount not null constraint payments_amount_positive check (amount > 0),
    currency types.currency not null,
    refunded_amount types.non_negative not null default 0,
    completed_at timestamptz,
    metadata jsonb,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint payments_provider_key unique (provider, provider_payment_id),
    constraint payments_user_known foreign key (user_id, tenant_id) references raw_prop.user_accounts (id, tenant_id),
    constraint payments_challenge_known foreign key (challenge_id, tenant_id) references raw_prop.challenges (id, tenant_id),
    constraint payments_refund_within_amount check (refunded_amount <= amount)
);
create index payments_user_idx on raw_prop.payments (user_id, created_at desc);
create index payments_challenge_idx on raw_prop.payments (challenge_id) where challenge_id is not null;
create index payments_open_idx on raw_prop.payments (tenant_id, status, created_at) where status in ('PENDING', 'PROCESSING', 'DISPUTED');
comment on table raw_prop.payments is 'A payment at a provider: its current state. State.';
comment on column raw_prop.payments.id is 'Random UUID.';
comment on column raw_prop.payments.user_id is 'Who pays or is paid.';
comment on column raw_prop.payments.challenge_id is 'Challenge it is for; NULL: none, or not yet created.';
comment on column raw_prop.payments.provider is 'Payment provider: stripe, paypal ….';
comment on column raw_prop.payments.provider_payment_id is 'The provider''s id of the payment.';
comment on column raw_prop.payments.purpose is 'CHALLENGE_FEE (user pays), PAYOUT (user is paid) or OTHER.';
comment on column raw_prop.payments.status is 'Where it is in its life: PENDING, PROCESSING, SUCCEEDED, FAILED, CANCELLED, PARTIALLY_REFUNDED, REFUNDED, DISPUTED.';
comment on column raw_prop.payments.amount is 'Amount in currency, positive: the direction is the purpose''s.';
comment on column raw_prop.payments.currency is 'Currency of both amounts.';
comment on column raw_prop.payments.refunded_amount is 'How much of the amount went back so far.';
comment on column raw_prop.payments.completed_at is 'When the money arrived; NULL: not yet, or not told.';
comment on column raw_prop.payments.metadata is 'Whatever else the application keeps, encrypted by it; erased when the user is forgotten. NULL: nothing.';
comment on column raw_prop.payments.created_at is 'When the payment was begun.';
comment on column raw_prop.payments.updated_at is 'When this row was last changed.';
comment on column raw_prop.payments.tenant_id is 'Tenant of the user.';
comment on column raw_prop.payments.source is 'Application or feed the row came from.';
comment on column raw_prop.payments.batch_id is 'Landing that brought or last changed the row; NULL: an application wrote it itself.';
comment on column raw_prop.payments.known_at is 'When the warehouse first knew it.';
comment on constraint payments_purpose_known on raw_prop.payments is 'The purpose is not CHALLENGE_FEE, PAYOUT or OTHER.';
comment on constraint payments_status_known on raw_prop.payments is 'No such status of a payment.';
comment on constraint payments_amount_positive on raw_prop.payments is 'The amount is not above zero.';
comment on constraint payments_provider_key on raw_prop.payments is 'Another payment has this id at this provider.';
comment on constraint payments_user_known on raw_prop.payments is 'No such user in this tenant.';
comment on constraint payments_challenge_known on raw_prop.payments is 'No such challenge in this tenant.';
comment on constraint payments_refund_within_amount on raw_prop.payments is 'More is refunded than was paid.';
create trigger payments_stay before delete or truncate on raw_prop.payments
for each statement execute function ops.refuse_mutation('A payment stays: update its status.');
create trigger payments_keep before update on raw_prop.payments
for each row execute function raw_prop.keep_columns(
    'id', 'user_id', 'provider', 'provider_payment_id', 'purpose', 'amount', 'currency', 'created_at', 'tenant_id'
);
create trigger payments_status before insert or update on raw_prop.payments
for each row execute function raw_prop.check_status(
    'PENDING', 'PENDING>PROCESSING', 'PENDING>SUCCEEDED', 'PENDING>FAILED', 'PENDING>CANCELLED',
    'PROCESSING>SUCCEEDED', 'PROCESSING>FAILED', 'PROCESSING>CANCELLED',
    'SUCCEEDED>PARTIALLY_REFUNDED', 'SUCCEEDED>REFUNDED', 'SUCCEEDED>DISPUTED',
    'PARTIALLY_REFUNDED>REFUNDED', 'PARTIALLY_REFUNDED>DISPUTED', 'DISPUTED>SUCCEEDED', 'DISPUTED>REFUNDED'
);
create trigger payments_touch before update on raw_prop.payments
for each row execute function ops.touch_updated_at();
create trigger payments_log_changes after insert on raw_prop.payments
referencing new table as changed for each statement execute function ops.log_landed('user_id', 'updated_at');
create trigger payments_log_updates after update on raw_prop.payments
referencing new table as changed for each statement execute function ops.log_landed('user_id', 'updated_at');

create table raw_prop.payment_events (
    provider types.label not null,
    provider_event_id types.label not null,
    provider_payment_id types.label not null,
    event_type types.label not null,
    status text constraint payment_events_status_known check (
        status in (
            'PENDING', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED'
        )
    ),
    amount types.non_negative,
    currency types.currency,
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    payload types.impersonal_json not null default '{}',
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint payment_events_pkey primary key (provider, provider_event_id),
    constraint payment_events_amount_has_currency check ((amount is null) = (currency is null))
);
create index payment_events_payment_idx on raw_prop.payment_events (provider, provider_payment_id, occurred_at);
comment on table raw_prop.payment_events is 'Webhooks of payment providers, as received: each once, in any order, and maybe before the payment itself. Ledger.';
comment on column raw_prop.payment_events.provider is 'Payment provider.';
comment on column raw_prop.payment_events.provider_event_id is 'The provider''s id of the event: a webhook that is sent again is known by it.';
comment on column raw_prop.payment_events.provider_payment_id is 'Payment it is about. No foreign key: webhooks overtake; raw_prop.payment_event_orphans has those without a payment.';
comment on column raw_prop.payment_events.event_type is 'Type as the provider calls it: payment_intent.succeeded ….';
comment on column raw_prop.payment_events.status is 'Status of the payment after the event; NULL: unchanged.';
comment on column raw_prop.payment_events.amount is 'Amount the event moved; NULL: none.';
comment on column raw_prop.payment_events.currency is 'Currency of the amount; NULL: no amount.';
comment on column raw_prop.payment_events.occurred_at is 'When it happened at the provider: the order of the events is this, not that of arrival.';
comment on column raw_prop.payment_events.received_at is 'When it arrived.';
comment on column raw_prop.payment_events.payload is 'The webhook without personal data.';
comment on column raw_prop.payment_events.tenant_id is 'Tenant of the payment.';
comment on column raw_prop.payment_events.source is 'Application or feed the row came from.';
comment on column raw_prop.payment_events.batch_id is 'Landing that brought the row; NULL: an application wrote it itself.';
comment on column raw_prop.payment_events.known_at is 'When the warehouse first knew it.';
comment on constraint payment_events_status_known on raw_prop.payment_events is 'No such status of a payment.';
comment on constraint payment_events_pkey on raw_prop.payment_events is 'The provider sent this event with other values.';
comment on constraint payment_events_amount_has_currency on raw_prop.payment_events is 'An amount without its currency, or a currency without an amount.';
create trigger payment_events_append_only before update or delete or truncate on raw_prop.payment_events
for each statement execute function ops.refuse_mutation('What a provider sent stays as it was; the next event says what is right.');
create trigger payment_events_log_changes after insert on raw_prop.payment_events
referencing new table as changed for each statement execute function ops.log_landed('provider', 'occurred_at');

create view raw_prop.payment_event_orphans with (security_invoker = true) as
select
    e.provider,
    e.provider_payment_id,
    min(e.occurred_at) as first_occurred_at,
    count(*) as events
from raw_prop.payment_events as e
where not exists (
    select from raw_prop.payments as p
    where p.provider = e.provider and p.provider_payment_id = e.provider_payment_id
)
group by e.provider, e.provider_payment_id;
comment on view raw_prop.payment_event_orphans is 'Payments that providers tell of and nobody knows.';

------------------------------------------------------------------------------- alerts

create table raw_prop.risk_alerts (
    id uuid constraint risk_alerts_pkey primary key default gen_random_uuid(),
    challenge_id uuid,
    user_id uuid,
    alert_type types.label not null,
    severity text not null constraint risk_alerts_severity_known check (severity in ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
    status text not null default 'OPEN'
    constraint risk_alerts_status_known check (status in ('OPEN', 'ACKNOWLEDGED', 'RESOLVED')),
    message types.impersonal_text,
    observed types.amount,
    threshold types.amount,
    triggered_at timestamptz not null default now(),
    acknowledged_at timestamptz,
    resolved_at timestamptz,
    updated_at timestamptz not null default now(),
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint risk_alerts_challenge_known foreign key (challenge_id, tenant_id) references raw_prop.challenges (id, tenant_id),
    constraint risk_alerts_user_known foreign key (user_id, tenant_id) references raw_prop.user_accounts (id, tenant_id),
    constraint risk_alerts_about_somebody check (challenge_id is not null or user_id is not null),
    constraint risk_alerts_resolved_at_when_resolved check ((status = 'RESOLVED') = (resolved_at is not null)),
    constraint risk_alerts_acknowledged_at_when_acknowledged check (
        case status when 'OPEN' then acknowledged_at is null when 'ACKNOWLEDGED' then acknowledged_at is not null else true end
    ),
    constraint risk_alerts_times_in_order check (acknowledged_at >= triggered_at and resolved_at >= coalesce(acknowledged_at, triggered_at))
);
create index risk_alerts_challenge_idx on raw_prop.risk_alerts (challenge_id, triggered_at desc);
create index risk_alerts_user_idx on raw_prop.risk_alerts (user_id, triggered_at desc) where user_id is not null;
create index risk_alerts_open_idx on raw_prop.risk_alerts (tenant_id, severity, triggered_at) where resolved_at is null;
comment on table raw_prop.risk_alerts is 'Alerts about challenges and users: OPEN, ACKNOWLEDGED, RESOLVED. State. (Alerts of trading accounts: raw_risk.)';
comment on column raw_prop.risk_alerts.id is 'Random UUID.';
comment on column raw_prop.risk_alerts.challenge_id is 'Challenge it is about; NULL: the user as such.';
comment on column raw_prop.risk_alerts.user_id is 'User it is about; NULL: the challenge''s.';
comment on column raw_prop.risk_alerts.alert_type is 'What was seen: DAILY_DRAWDOWN_NEAR, COPY_TRADING ….';
comment on column raw_prop.risk_alerts.severity is 'LOW, MEDIUM, HIGH or CRITICAL.';
comment on column raw_prop.risk_alerts.status is 'OPEN, ACKNOWLEDGED (somebody looks at it) or RESOLVED.';
comment on column raw_prop.risk_alerts.message is 'The alert in words; NULL: none.';
comment on column raw_prop.risk_alerts.observed is 'Value that was seen; NULL: none.';
comment on column raw_prop.risk_alerts.threshold is 'Value it is held against; NULL: none.';
comment on column raw_prop.risk_alerts.triggered_at is 'When it was raised.';
comment on column raw_prop.risk_alerts.acknowledged_at is 'When somebody took it; NULL: nobody yet.';
comment on column raw_prop.risk_alerts.resolved_at is 'When it was resolved; NULL until then.';
comment on column raw_prop.risk_alerts.updated_at is 'When this row was last changed.';
comment on column raw_prop.risk_alerts.tenant_id is 'Tenant of the challenge or user.';
comment on column raw_prop.risk_alerts.source is 'Application or feed the row came from.';
comment on column raw_prop.risk_alerts.batch_id is 'Landing that brought or last changed the row; NULL: an application wrote it itself.';
comment on column raw_prop.risk_alerts.known_at is 'When the warehouse first knew it.';
comment on constraint risk_alerts_severity_known on raw_prop.risk_alerts is 'The severity is not LOW, MEDIUM, HIGH or CRITICAL.';
comment on constraint risk_alerts_status_known on raw_prop.risk_alerts is 'The status of an alert is not OPEN, ACKNOWLEDGED or RESOLVED.';
comment on constraint risk_alerts_challenge_known on raw_prop.risk_alerts is 'No such challenge in this tenant.';
comment on constraint risk_alerts_user_known on raw_prop.risk_alerts is 'No such user in this tenant.';
comment on constraint risk_alerts_about_somebody on raw_prop.risk_alerts is 'The alert is about no challenge and no user.';
comment on constraint risk_alerts_resolved_at_when_resolved on raw_prop.risk_alerts is 'resolved_at is for RESOLVED, and required there.';
comment on constraint risk_alerts_acknowledged_at_when_acknowledged on raw_prop.risk_alerts is 'acknowledged_at does not fit the status.';
comment on constraint risk_alerts_times_in_order on raw_prop.risk_alerts is 'The alert is acknowledged or resolved before it was raised.';
create trigger risk_alerts_stay before delete or truncate on raw_prop.risk_alerts
for each statement execute function ops.refuse_mutation('An alert stays: resolve it.');
create trigger risk_alerts_keep before update on raw_prop.risk_alerts
for each row execute function raw_prop.keep_columns('id', 'challenge_id', 'alert_type', 'triggered_at', 'tenant_id');
create trigger risk_alerts_status before insert or update on raw_prop.risk_alerts
for each row execute function raw_prop.check_status('OPEN', 'OPEN>ACKNOWLEDGED', 'OPEN>RESOLVED', 'ACKNOWLEDGED>RESOLVED');
create trigger risk_alerts_touch before update on raw_prop.risk_alerts
for each row execute function ops.touch_updated_at();
create trigger risk_alerts_log_changes after insert on raw_prop.risk_alerts
referencing new table as changed for each statement execute function ops.log_landed('challenge_id', 'updated_at');
create trigger risk_alerts_log_updates after update on raw_prop.risk_alerts
referencing new table as changed for each statement execute function ops.log_landed('challenge_id', 'updated_at');
