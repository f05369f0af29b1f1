-- How long what is kept, as data: K-09, where the longest legal number wins. NULL: never.

create table ops.retention_policy (
    relation text constraint retention_policy_pkey primary key,
    time_column text not null,
    hot interval,
    compress_after interval,
    archive_after interval,
    drop_after interval,
    legal_basis text,
    legal_hold boolean not null default false,
    reason types.label not null,
    constraint retention_policy_order check (
        coalesce(compress_after <= drop_after, true)
        and coalesce(archive_after <= drop_after, true)
        and coalesce(hot <= drop_after, true)
    ),
    constraint retention_policy_law_is_kept check (
        legal_basis is null or drop_after is null or drop_after >= interval '5 years'
    )
);
comment on table ops.retention_policy is 'One row per landing table: how long it is hot, when it may be compressed, archived and dropped, and why. ops.retention_due says what is due.';
comment on column ops.retention_policy.relation is 'Schema and table.';
comment on column ops.retention_policy.time_column is 'Age is counted from this column; known_at where a row has no time of its own.';
comment on column ops.retention_policy.hot is 'Kept on the fastest storage, in the table itself; NULL: always.';
comment on column ops.retention_policy.compress_after is 'Compressed from this age on; NULL: never.';
comment on column ops.retention_policy.archive_after is 'Moved to cold storage, still to be queried; NULL: never.';
comment on column ops.retention_policy.drop_after is 'May be dropped from this age on; NULL: never.';
comment on column ops.retention_policy.legal_basis is 'Rule that demands it to be kept; NULL: none.';
comment on column ops.retention_policy.legal_hold is 'True: nothing of it is dropped, whatever its age (a dispute, an investigation).';
comment on column ops.retention_policy.reason is 'Why these numbers.';
comment on constraint retention_policy_order on ops.retention_policy is 'Nothing is compressed, archived or cooled after it is dropped.';
comment on constraint retention_policy_law_is_kept on ops.retention_policy is 'What a rule demands is kept for five years at least.';

-- MiFID II: 5 years, 7 on request; SEC 17a-4: 6 years; GDPR: personal data no longer than its purpose.
with rules (relations, hot, compress_after, archive_after, drop_after, legal_basis, reason) as (
    values
    (array['raw_market.bars'], null, '7 days', null, null, null, 'C: market data is permanent; 1-minute bars compress well'),
    (array['raw_market.ticks', 'raw_market.option_quotes', 'raw_market.quotes'], '2 years', '7 days', null, '2 years', null, 'A: high-frequency data 2 years; bars made of it stay'),
    (array['raw_market.stock_info', 'raw_risk.factor_returns', 'raw_risk.factor_loadings', 'ref.instruments', 'ref.symbol_history', 'ref.corporate_actions', 'ref.exchange_sessions'], null, null, null, null, null, 'small, and every rebuild of history needs it'),
    (array['raw_signals.signals', 'raw_signals.fused_signals', 'raw_signals.fusion_inputs', 'raw_ml.predictions'], '2 years', '30 days', '2 years', '7 years', 'MiFID II art. 17 (algorithmic trading)', 'A: compressed after 30 days; why an order was sent is part of its record'),
    (array['raw_trading.orders', 'raw_trading.order_events', 'raw_trading.fills', 'raw_trading.cash_movements', 'raw_trading.portfolio_snapshots'], '2 years', '90 days', '2 years', '7 years', 'MiFID II art. 16(7), SEC 17a-4', 'A, B: 7 years; D: archived after 2, where it can still be queried'),
    (array['raw_risk.risk_limits', 'raw_risk.risk_alert_events'], '2 years', null, '2 years', '7 years', 'MiFID II art. 16(7)', 'kept as long as the trades that they limited'),
    (array['raw_trading.strategies', 'raw_trading.accounts', 'raw_signals.agents', 'raw_ml.models', 'raw_ml.model_training_runs'], null, null, null, null, 'MiFID II art. 16(7)', 'small; what is kept refers to it'),
    (array['raw_trading.positions_live'], null, null, null, null, null, 'the state of now, derived from the fills'),
    (array['raw_backtest.backtest_runs', 'raw_backtest.backtest_trades'], null, '90 days', null, null, null, 'every trial counts when a result is judged for overfitting'),
    (array['raw_alt.news_articles', 'raw_alt.news_symbols'], '1 year', '30 days', null, '1 year', null, 'A: news 1 year'),
    (array['raw_alt.social_posts', 'raw_alt.social_sentiment', 'raw_alt.alternative_data'], '2 years', '30 days', null, '2 years', null, 'as long as the ticks that it is compared with'),
    (array['raw_logs.system_logs', 'raw_logs.agent_metrics'], '90 days', '7 days', null, '90 days', null, 'A, C: system logs 90 days'),
    (array['raw_logs.performance_logs'], '30 days', '7 days', null, '30 days', null, 'C: 30 days'),
    (array['raw_logs.error_logs'], '180 days', '7 days', null, '180 days', null, 'C: 180 days'),
    (array['raw_logs.user_action_logs'], '1 year', '7 days', null, '1 year', null, 'holds addresses of people: no longer than a year'),
    (array['raw_logs.trading_events'], '90 days', '7 days', '2 years', '7 years', 'MiFID II art. 16(7)', 'names orders: kept with them, the longest number wins'),
    (array['raw_prop.challenges', 'raw_prop.trades', 'raw_prop.challenge_events', 'raw_prop.challenge_equity_ticks', 'raw_prop.payments', 'raw_prop.payment_events', 'raw_prop.risk_alerts'], '2 years', '90 days', '2 years', '7 years', 'commercial and tax law', 'D: archived after 2 years; disputes are settled from it'),
    (array['raw_prop.challenge_rules', 'raw_prop.user_accounts'], null, null, null, null, null, 'D: never deleted; what is kept refers to it'),
    (array['raw_prop.users_pii'], null, null, null, null, null, 'goes when its user asks (GDPR art. 17) by `warehouse forget`, not by age'),
    (array['audit.row_changes', 'audit.seals'], null, '90 days', null, null, 'MiFID II art. 16(7), SEC 17a-4', 'a chain is whole or it is none'),
    (array['ops.batches', 'ops.quarantine', 'ops.change_log', 'ops.dq_results', 'ops.dq_findings', 'ops.model_runs', 'ops.publication'], '2 years', null, null, '2 years', null, 'how the data came about, as long as it is hot')
)

insert into ops.retention_policy (relation, time_column, hot, compress_after, archive_after, drop_after, legal_basis, reason)
select
    relation,
    case relation
        when 'raw_market.bars' then 'bar_ts'
        when 'raw_trading.positions_live' then 'updated_at'
        when 'ref.instruments' then 'created_at'
        when 'ref.exchange_sessions' then 'open_at'
        when 'audit.row_changes' then 'at'
        when 'audit.seals' then 'sealed_at'
        when 'ops.batches' then 'started_at'
        when 'ops.quarantine' then 'quarantined_at'
        when 'ops.change_log' then 'logged_at'
        when 'ops.dq_results' then 'checked_at'
        when 'ops.dq_findings' then 'bar_ts'
        when 'ops.model_runs' then 'finished_at'
        when 'ops.publication' then 'published_at'
        -- The column that the change capture of the table reports as the time of the event.
        else coalesce(captured.time_column, 'known_at')
    end,
    hot::interval, compress_after::interval, archive_after::interval, drop_after::interval, legal_basis, reason
from rules
cross join lateral unnest(relations) as relation
left join lateral (
    select split_part(encode(tgargs, 'escape'), '\000', 2) as time_column
    from pg_trigger
    where
        tgrelid = to_regclass(relation)
        and tgfoid = 'ops.log_landed()'::regprocedure
        and tgargs <> ''
    order by tgname
    limit 1
) as captured on true
where to_regclass(relation) is not null;

create function ops.retention_due(as_of timestamptz default now())
returns table (relation text, action text, before timestamptz, oldest timestamptz, is_held boolean, reason text)
language plpgsql stable set search_path = pg_catalog as $$
declare
    policy ops.retention_policy;
    first timestamptz;
begin
    for policy in select * from ops.retention_policy as p where to_regclass(p.relation) is not null order by p.relation loop
        execute format('select min(%I)::timestamptz from %s where %1$I > ''-infinity''', policy.time_column, to_regclass(policy.relation))
        into first;
        return query
        select policy.relation, due.action, as_of - due.age, first, policy.legal_hold and due.action = 'drop', policy.reason::text
        from (values
            ('compress', policy.compress_after), ('archive', policy.archive_after), ('drop', policy.drop_after)
        ) as due (action, age)
        where first < as_of - due.age;
    end loop;
end $$;
comment on function ops.retention_due(timestamptz) is 'What the policy asks for by now: rows of which table, older than when.';

create view ops.due_retention with (security_invoker = true) as
select relation, action, before, oldest, is_held, reason from ops.retention_due();
comment on view ops.due_retention is 'What the retention policy asks for now. is_held: due, and kept all the same.';
comment on column ops.due_retention.before is 'Rows from before this time are due.';
comment on column ops.due_retention.oldest is 'Time of the oldest row.';

create function ops.check_drop(relation regclass, before timestamptz) returns void
language plpgsql set search_path = pg_catalog as $$
declare
    policy ops.retention_policy;
    name constant text := audit.qualified_name(relation);
begin
    select * into policy from ops.retention_policy as p where p.relation = name;
    if policy.legal_hold then
        raise exception '% is under legal hold: nothing of it is dropped', name
            using errcode = 'restrict_violation',
            hint = 'Whoever ordered the hold lifts it: update ops.retention_policy set legal_hold = false.';
    elsif policy.relation is null or policy.drop_after is null then
        raise exception 'no policy lets % be dropped', name
            using errcode = 'restrict_violation', hint = 'See ops.retention_policy.';
    elsif before > now() - policy.drop_after then
        raise exception '% is kept for %: rows from % on stay', name, policy.drop_after, now() - policy.drop_after
            using errcode = 'restrict_violation';
    end if;
end $$;
comment on function ops.check_drop(regclass, timestamptz) is 'Refuses a drop of rows from before a time that the policy does not allow. Whatever drops rows calls it first.';

-- ops.expire_bars() is an order of the owner and may go against the policy, but not against a hold.
create function ops.keep_held_bars() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if (select p.legal_hold from ops.retention_policy as p where p.relation = 'raw_market.bars') then
        perform ops.check_drop('raw_market.bars', new.kept_from);
    end if;
    return new;
end $$;
comment on function ops.keep_held_bars() is 'Row trigger of ops.expired_bars: what is under legal hold is not dropped, not even by its owner.';
create trigger expired_bars_keep_held before insert on ops.expired_bars
for each row execute function ops.keep_held_bars();

select audit.watch('ops.retention_policy');
select ops.apply_roles();
