-- The index budget: every index serves a published query (docs/queries), or says in its comment what else it is for.

-- What an allocator decided lately; incremental builds look there for what landed, and among the inputs likewise.
create index fused_signals_agent_ts_idx on raw_signals.fused_signals (agent_id, signal_ts);
create index fusion_inputs_known_idx on raw_signals.fusion_inputs (agent_id, known_at);
comment on index raw_signals.fusion_inputs_known_idx is 'Incremental builds: inputs that landed after what was made of them, which the change log dates by their landing.';

-- From prediction to fill by correlation: predictions and logs had this index, fills are found by their order.
create index signals_correlation_idx on raw_signals.signals (correlation_id) where correlation_id is not null;
create index orders_correlation_idx on raw_trading.orders (correlation_id) where correlation_id is not null;

-- Nobody could use it: the policy of tenants comes first, and before that only leakproof operators may look at rows,
-- which = of text is and @> of jsonb is not.
drop index raw_prop.challenge_events_data_idx;

-- A login is found by e-mail. lower() is not leakproof either, so that the index on it served only the check that an
-- address is unique, while every login read all users; = on a column of its own does.
alter table raw_prop.users_pii add column email_key text not null generated always as (lower(email)) stored;
comment on column raw_prop.users_pii.email_key is 'email in small letters, by which a user is found: row-level security lets no index be used by lower(email).';
drop index raw_prop.users_pii_email_key;
create unique index users_pii_email_key on raw_prop.users_pii (tenant_id, email_key);
comment on index raw_prop.users_pii_email_key is 'Another user has this e-mail address.';

comment on index ops.change_log_relation_idx is 'Incremental builds: what has landed in a table since a snapshot.';
