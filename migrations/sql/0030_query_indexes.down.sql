comment on index ops.change_log_relation_idx is null;

drop index raw_prop.users_pii_email_key;
alter table raw_prop.users_pii drop column email_key;
create unique index users_pii_email_key on raw_prop.users_pii (tenant_id, lower(email));
comment on index raw_prop.users_pii_email_key is 'Another user has this e-mail address.';

create index challenge_events_data_idx on raw_prop.challenge_events using gin (event_data jsonb_path_ops);

drop index raw_trading.orders_correlation_idx;
drop index raw_signals.signals_correlation_idx;
drop index raw_signals.fusion_inputs_known_idx;
drop index raw_signals.fused_signals_agent_ts_idx;
