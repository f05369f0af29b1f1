-- Payments with their webhooks, and risk alerts.

create table payments (
    id text not null default (lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
        || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
    )) primary key
    constraint payments_id_is_uuid check (
        id like '________-____-____-____-____________' and replace(id, '-', '') not glob '*[^0-9a-fA-F]*'
    ),
    user_id text not null,
    challenge_id text,
    provider text not null constraint payments_provider_not_empty check (trim(provider) <> ''),
    provider_payment_id text not null
    constraint payments_provider_payment_id_not_empty check (trim(provider_payment_id) <> ''),
    purpose text not null default 'CHALLENGE_FEE'
    constraint payments_purpose_known check (purpose in ('CHALLENGE_FEE', 'PAYOUT', 'OTHER')),
    status text not null default 'PENDING'
    constraint payments_status_known check (
        status in (
            'PENDING', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'PARTIALLY_REFUNDED', 'REFUNDED',
            'DISPUTED'
        )
    ),
    amount numeric not null
    constraint payments_amount_in_range check (
        typeof(amount) in ('integer', 'real') and abs(amount) < 1e14 and amount > 0
    ),
    currency text not null
    constraint payments_currency_is_code check (
        currency glob '[A-Z][A-Z0-9][A-Z0-9]*' and currency not glob '*[^A-Z0-9]*' and length(currency) <= 10
    ),
    refunded_amount numeric not null default 0
    constraint payments_refunded_amount_in_range check (
        typeof(refunded_amount) in ('integer', 'real') and abs(refunded_amount) < 1e14 and refunded_amount >= 0
    ),
    completed_at text
    constraint payments_completed_at_is_time check (
        completed_at is null or completed_at like '____-__-__%' and julianday(completed_at) is not null
    ),
    metadata text constraint payments_metadata_is_json check (metadata is null or json_valid(metadata)),
    created_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint payments_created_at_is_time check (
        created_at like '____-__-__%' and julianday(created_at) is not null
    ),
    updated_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint payments_updated_at_is_time check (
        updated_at like '____-__-__%' and julianday(updated_at) is not null
    ),
    tenant_id text not null default 'house' constraint payments_tenant_id_not_empty check (trim(tenant_id) <> ''),
    constraint payments_provider_key unique (provider, provider_payment_id),
    constraint payments_user_known foreign key (user_id, tenant_id) references users (id, tenant_id),
    constraint payments_challenge_known foreign key (challenge_id, tenant_id) references challenges (id, tenant_id),
    constraint payments_refund_within_amount check (refunded_amount <= amount)
);
create index payments_user_idx on payments (user_id, created_at desc);
create index payments_challenge_idx on payments (challenge_id) where challenge_id is not null;
create index payments_open_idx on payments (tenant_id, status, created_at)
where status in ('PENDING', 'PROCESSING', 'DISPUTED');
create trigger payments_no_replace before insert on payments
when exists (select 1 from payments where id = new.id)
    or exists (
        select 1 from payments where provider = new.provider and provider_payment_id = new.provider_payment_id
    )
begin insert into write_guard (what) values ('payments'); end;
create trigger payments_stay before delete on payments
begin select raise(abort, 'payments: delete refused. Update its status.'); end;
create trigger payments_keep before update on payments
when new.id is not old.id
    or new.user_id is not old.user_id
    or new.provider is not old.provider
    or new.provider_payment_id is not old.provider_payment_id
    or new.purpose is not old.purpose
    or new.amount is not old.amount
    or new.currency is not old.currency
    or new.created_at is not old.created_at
    or new.tenant_id is not old.tenant_id
begin select raise(abort, 'payments: what the record is about cannot change'); end;
create trigger payments_begins before insert on payments when new.status <> 'PENDING'
begin select raise(abort, 'payments: begins as PENDING'); end;
create trigger payments_status before update on payments
when new.status <> old.status
    and old.status || '>' || new.status not in (
        'PENDING>PROCESSING', 'PENDING>SUCCEEDED', 'PENDING>FAILED', 'PENDING>CANCELLED',
        'PROCESSING>SUCCEEDED', 'PROCESSING>FAILED', 'PROCESSING>CANCELLED', 'SUCCEEDED>PARTIALLY_REFUNDED',
        'SUCCEEDED>REFUNDED', 'SUCCEEDED>DISPUTED', 'PARTIALLY_REFUNDED>REFUNDED', 'PARTIALLY_REFUNDED>DISPUTED',
        'DISPUTED>SUCCEEDED', 'DISPUTED>REFUNDED'
    )
begin select raise(abort, 'payments: the status cannot change that way'); end;
create trigger payments_touch after update of
    id, user_id, challenge_id, provider, provider_payment_id, purpose, status, amount, currency, refunded_amount,
    completed_at, metadata
on payments
begin update payments set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id; end;

create table payment_events (
    provider text not null constraint payment_events_provider_not_empty check (trim(provider) <> ''),
    provider_event_id text not null
    constraint payment_events_provider_event_id_not_empty check (trim(provider_event_id) <> ''),
    provider_payment_id text not null
    constraint payment_events_provider_payment_id_not_empty check (trim(provider_payment_id) <> ''),
    event_type text not null constraint payment_events_event_type_not_empty check (trim(event_type) <> ''),
    status text
    constraint payment_events_status_known check (
        status in (
            'PENDING', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'PARTIALLY_REFUNDED', 'REFUNDED',
            'DISPUTED'
        )
    ),
    amount numeric
    constraint payment_events_amount_in_range check (
        typeof(amount) in ('integer', 'real', 'null') and abs(amount) < 1e14 and amount >= 0
    ),
    currency text
    constraint payment_events_currency_is_code check (
        currency glob '[A-Z][A-Z0-9][A-Z0-9]*' and currency not glob '*[^A-Z0-9]*' and length(currency) <= 10
    ),
    occurred_at text not null
    constraint payment_events_occurred_at_is_time check (
        occurred_at like '____-__-__%' and julianday(occurred_at) is not null
    ),
    received_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint payment_events_received_at_is_time check (
        received_at like '____-__-__%' and julianday(received_at) is not null
    ),
    payload text not null default '{}'
    constraint payment_events_payload_is_object check (json_valid(payload) and json_type(payload) = 'object')
    constraint payment_events_payload_not_personal check (
        payload not glob '*[A-Za-z0-9._%+-]@[A-Za-z0-9-]*.[A-Za-z][A-Za-z]*'
        and json(payload) not like '%"email":%' escape '~'
        and json(payload) not like '%"e~_mail":%' escape '~'
        and json(payload) not like '%"phone":%' escape '~'
        and json(payload) not like '%"full~_name":%' escape '~'
        and json(payload) not like '%"fullname":%' escape '~'
        and json(payload) not like '%"first~_name":%' escape '~'
        and json(payload) not like '%"firstname":%' escape '~'
        and json(payload) not like '%"last~_name":%' escape '~'
        and json(payload) not like '%"lastname":%' escape '~'
        and json(payload) not like '%"ip":%' escape '~'
        and json(payload) not like '%"ip~_address":%' escape '~'
        and json(payload) not like '%"ipaddress":%' escape '~'
        and json(payload) not like '%"date~_of~_birth":%' escape '~'
    ),
    tenant_id text not null default 'house'
    constraint payment_events_tenant_id_not_empty check (trim(tenant_id) <> ''),
    constraint payment_events_pkey primary key (provider, provider_event_id),
    constraint payment_events_amount_has_currency check ((amount is null) = (currency is null))
);
create index payment_events_payment_idx on payment_events (provider, provider_payment_id, occurred_at);
create trigger payment_events_no_replace before insert on payment_events
when exists (
        select 1 from payment_events where provider = new.provider and provider_event_id = new.provider_event_id
    )
begin insert into write_guard (what) values ('payment_events'); end;
create trigger payment_events_no_update before update on payment_events
begin select raise(abort, 'payment_events is append-only: update refused. The next event says what is right.'); end;
create trigger payment_events_no_delete before delete on payment_events
begin select raise(abort, 'payment_events is append-only: delete refused. The next event says what is right.'); end;
create view payment_event_orphans as
select
    e.provider,
    e.provider_payment_id,
    min(e.occurred_at) as first_occurred_at,
    count(*) as events
from payment_events as e
where not exists (
    select 1 from payments as p
    where p.provider = e.provider and p.provider_payment_id = e.provider_payment_id
)
group by e.provider, e.provider_payment_id;

------------------------------------------------------------------------------- alerts

create table risk_alerts (
    id text not null default (lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
        || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
    )) primary key
    constraint risk_alerts_id_is_uuid check (
        id like '________-____-____-____-____________' and replace(id, '-', '') not glob '*[^0-9a-fA-F]*'
    ),
    challenge_id text,
    user_id text,
    alert_type text not null constraint risk_alerts_alert_type_not_empty check (trim(alert_type) <> ''),
    severity text not null
    constraint risk_alerts_severity_known check (severity in ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
    status text not null default 'OPEN'
    constraint risk_alerts_status_known check (status in ('OPEN', 'ACKNOWLEDGED', 'RESOLVED')),
    message text
    constraint risk_alerts_message_not_personal check (
        message not glob '*[A-Za-z0-9._%+-]@[A-Za-z0-9-]*.[A-Za-z][A-Za-z]*'
    ),
    observed numeric
    constraint risk_alerts_observed_is_number check (
        typeof(observed) in ('integer', 'real', 'null') and abs(observed) < 1e14
    ),
    threshold numeric
    constraint risk_alerts_threshold_is_number check (
        typeof(threshold) in ('integer', 'real', 'null') and abs(threshold) < 1e14
    ),
    triggered_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint risk_alerts_triggered_at_is_time check (
        triggered_at like '____-__-__%' and julianday(triggered_at) is not null
    ),
    acknowledged_at text
    constraint risk_alerts_acknowledged_at_is_time check (
        acknowledged_at is null or acknowledged_at like '____-__-__%' and julianday(acknowledged_at) is not null
    ),
    resolved_at text
    constraint risk_alerts_resolved_at_is_time check (
        resolved_at is null or resolved_at like '____-__-__%' and julianday(resolved_at) is not null
    ),
    updated_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint risk_alerts_updated_at_is_time check (
        updated_at like '____-__-__%' and julianday(updated_at) is not null
    ),
    tenant_id text not null default 'house' constraint risk_alerts_tenant_id_not_empty check (trim(tenant_id) <> ''),
    constraint risk_alerts_challenge_known foreign key (challenge_id, tenant_id)
    references challenges (id, tenant_id),
    constraint risk_alerts_user_known foreign key (user_id, tenant_id) references users (id, tenant_id),
    constraint risk_alerts_about_somebody check (challenge_id is not null or user_id is not null),
    constraint risk_alerts_resolved_at_when_resolved check ((status = 'RESOLVED') = (resolved_at is not null)),
    constraint risk_alerts_acknowledged_at_when_acknowledged check (
        case status
            when 'OPEN' then acknowledged_at is null
            when 'ACKNOWLEDGED' then acknowledged_at is not null
            else 1
        end
    ),
    constraint risk_alerts_times_in_order check (
        (acknowledged_at is null or julianday(acknowledged_at) >= julianday(triggered_at))
        and julianday(resolved_at) >= julianday(coalesce(acknowledged_at, triggered_at))
    )
);
create index risk_alerts_challenge_idx on risk_alerts (challenge_id, triggered_at desc);
create index risk_alerts_user_idx on risk_alerts (user_id, triggered_at desc) where user_id is not null;
create index risk_alerts_open_idx on risk_alerts (tenant_id, severity, triggered_at) where resolved_at is null;
create trigger risk_alerts_no_replace before insert on risk_alerts
when exists (select 1 from risk_alerts where id = new.id)
begin insert into write_guard (what) values ('risk_alerts'); end;
create trigger risk_alerts_stay before delete on risk_alerts
begin select raise(abort, 'risk_alerts: delete refused. Resolve it.'); end;
create trigger risk_alerts_keep before update on risk_alerts
when new.id is not old.id
    or new.challenge_id is not old.challenge_id
    or new.alert_type is not old.alert_type
    or new.triggered_at is not old.triggered_at
    or new.tenant_id is not old.tenant_id
begin select raise(abort, 'risk_alerts: what the record is about cannot change'); end;
create trigger risk_alerts_begins before insert on risk_alerts when new.status <> 'OPEN'
begin select raise(abort, 'risk_alerts: begins as OPEN'); end;
create trigger risk_alerts_status before update on risk_alerts
when new.status <> old.status
    and old.status || '>' || new.status not in (
        'OPEN>ACKNOWLEDGED', 'OPEN>RESOLVED', 'ACKNOWLEDGED>RESOLVED'
    )
begin select raise(abort, 'risk_alerts: the status cannot change that way'); end;
create trigger risk_alerts_touch after update of
    id, challenge_id, user_id, alert_type, severity, status, message, observed, threshold, triggered_at,
    acknowledged_at, resolved_at
on risk_alerts
begin update risk_alerts set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id; end;
