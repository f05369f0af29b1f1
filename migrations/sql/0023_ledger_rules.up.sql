-- Rules of the other ledgers: strict numbers and legal states of order events, alerts and limits, reversals of cash,
-- backtests; and the references that no foreign key keeps.
--
-- A chain (events of an order, of an alert, versions of a limit) is checked whole after each statement, so that rows
-- of one statement may come in any order, and only its end can grow: what is there is never changed.

------------------------------------------------------------------------------- events of orders

alter table raw_trading.order_events add constraint order_events_type_fits_status check (
    case
        when event_type = 'placed' then from_status is null
        when event_type in ('amended', 'cancel_requested', 'note') then to_status = from_status
        when event_type = 'fill_corrected' then to_status in ('accepted', 'partially_filled', 'filled', 'cancelled', 'expired')
        else event_type = to_status::text
    end
);
comment on constraint order_events_type_fits_status on raw_trading.order_events is 'The event cannot lead to that status: a placed order is new, an amendment changes no status, and the others are named after theirs.';

create function raw_trading.number_order_event() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.account_id is null then
        select o.account_id into new.account_id from raw_trading.orders as o where o.order_id = new.order_id;
    end if;
    if new.seq is null then
        perform from raw_trading.orders as o where o.order_id = new.order_id for no key update;
        select coalesce(max(e.seq), 0) + 1 into new.seq
        from raw_trading.order_events as e where e.order_id = new.order_id;
        if new.from_status is null and new.seq > 1 then
            select e.to_status into new.from_status
            from raw_trading.order_events as e where e.order_id = new.order_id and e.seq = new.seq - 1;
        end if;
    end if;
    return new;
end $$;
comment on function raw_trading.number_order_event() is 'Row trigger: an event without a number is the next one of its order, whose row is locked until the transaction ends.';

create function raw_trading.check_order_events() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    wrong record;
begin
    select e.* into wrong
    from (
        select
            v.order_id, v.seq, v.event_type, v.from_status, v.to_status, v.account_id, o.account_id as ordered_by,
            row_number() over by_seq as expected_seq, lag(v.to_status) over by_seq as last_status
        from raw_trading.order_events as v
        inner join raw_trading.orders as o on o.order_id = v.order_id
        where v.order_id in (select l.order_id from landed as l)
        window by_seq as (partition by v.order_id order by v.seq)
    ) as e
    where e.seq <> e.expected_seq or e.from_status is distinct from e.last_status or e.account_id <> e.ordered_by
        or case
            when e.from_status = e.to_status then
                e.event_type not in ('amended', 'cancel_requested', 'note', 'partially_filled', 'fill_corrected')
            else not raw_trading.order_may_become(e.from_status, e.to_status, e.event_type = 'fill_corrected')
        end
    order by e.order_id, e.seq
    limit 1;
    if not found then
        return null;
    elsif wrong.seq <> wrong.expected_seq then
        raise exception 'order %: event % without event %', wrong.order_id, wrong.seq, wrong.expected_seq
            using errcode = 'check_violation', hint = 'Land the missing event first, or in the same statement.';
    elsif wrong.account_id <> wrong.ordered_by then
        raise exception 'order %: event % names account %, the order is of %',
            wrong.order_id, wrong.seq, wrong.account_id, wrong.ordered_by using errcode = 'check_violation';
    elsif wrong.from_status is distinct from wrong.last_status then
        raise exception 'order %: event % says it was %, but it was %',
            wrong.order_id, wrong.seq, wrong.from_status, wrong.last_status using errcode = 'check_violation';
    end if;
    raise exception 'order %: % cannot become % (event %, %)', wrong.order_id,
        coalesce(wrong.from_status::text, 'a new order'), wrong.to_status, wrong.seq, wrong.event_type
        using errcode = 'check_violation', hint = 'docs/trading.md has the states of an order.';
end $$;
comment on function raw_trading.check_order_events() is 'Statement trigger: numbers without gaps, each event goes on from the status of the one before, legal changes only.';

create trigger order_events_number before insert on raw_trading.order_events
for each row execute function raw_trading.number_order_event();
create trigger order_events_check after insert on raw_trading.order_events referencing new table as landed
for each statement execute function raw_trading.check_order_events();

------------------------------------------------------------------------------- cash

create function raw_trading.check_reversals() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    wrong record;
begin
    select l.movement_id, l.reverses_movement_id into wrong
    from landed as l
    inner join raw_trading.cash_movements as m on m.movement_id = l.reverses_movement_id
    where (l.account_id, l.kind, l.currency, l.amount) is distinct from (m.account_id, m.kind, m.currency, -m.amount)
    limit 1;
    if found then
        raise exception 'movement %: is not the opposite of %', wrong.movement_id, wrong.reverses_movement_id
            using errcode = 'check_violation', hint = 'A reversal has the account, kind and currency of what it takes back, and the opposite amount.';
    end if;
    return null;
end $$;
comment on function raw_trading.check_reversals() is 'Statement trigger: a reversal is the exact opposite of what it reverses.';

create trigger cash_movements_check after insert on raw_trading.cash_movements referencing new table as landed
for each statement execute function raw_trading.check_reversals();

------------------------------------------------------------------------------- limits

create function raw_risk.check_limit_versions() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    wrong record;
begin
    select v.* into wrong
    from (
        select
            r.limit_id, r.version, r.valid_from, row_number() over by_version as expected,
            r.valid_from <= lag(r.valid_from) over by_version as is_early,
            (r.tenant_id, r.metric, r.unit, r.breached_when) is distinct from (
                first_value(r.tenant_id) over by_version, first_value(r.metric) over by_version,
                first_value(r.unit) over by_version, first_value(r.breached_when) over by_version
            ) as is_other
        from raw_risk.risk_limits as r
        where r.limit_id in (select l.limit_id from landed as l)
        window by_version as (partition by r.limit_id order by r.version)
    ) as v
    where v.version <> v.expected or v.is_early or v.is_other
    order by v.limit_id, v.version
    limit 1;
    if not found then
        return null;
    elsif wrong.version <> wrong.expected then
        raise exception 'limit %: version % without version %', wrong.limit_id, wrong.version, wrong.expected
            using errcode = 'check_violation', hint = 'Land the missing version first, or in the same statement.';
    elsif wrong.is_early then
        raise exception 'limit %: version % is not valid from later than the one before', wrong.limit_id, wrong.version
            using errcode = 'check_violation', hint = 'What held in the past is not changed: a new version holds from now on.';
    end if;
    raise exception 'limit %: version % measures something else', wrong.limit_id, wrong.version
        using errcode = 'check_violation', hint = 'Tenant, metric, unit and breached_when stay; another measure is another limit.';
end $$;
comment on function raw_risk.check_limit_versions() is 'Statement trigger: versions without gaps, each valid from later than the last, of one and the same measure.';

create trigger risk_limits_check after insert on raw_risk.risk_limits referencing new table as landed
for each statement execute function raw_risk.check_limit_versions();

------------------------------------------------------------------------------- alerts

create function raw_risk.alert_may_become(from_status types.alert_status, to_status types.alert_status)
returns boolean
language sql immutable set search_path = pg_catalog as $$
    select case
        when from_status is null then to_status = 'open'
        else from_status < to_status
    end
$$;
comment on function raw_risk.alert_may_become(types.alert_status, types.alert_status) is 'True when an alert in the first status (NULL: a new one) may come to the second: forward only.';

create function raw_risk.number_alert_event() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    -- An alert has no row of its own that could be locked.
    perform pg_advisory_xact_lock('raw_risk.risk_alert_events'::regclass::oid::integer, hashtext(new.alert_id));
    select coalesce(max(e.seq), 0) + 1 into new.seq
    from raw_risk.risk_alert_events as e where e.alert_id = new.alert_id;
    return new;
end $$;
comment on function raw_risk.number_alert_event() is 'Row trigger: an event without a number is the next one of its alert, which is locked until the transaction ends.';

create function raw_risk.check_alert_events() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    wrong record;
begin
    select v.* into wrong
    from (
        select
            e.alert_id, e.seq, e.status, e.tenant_id, row_number() over by_seq as expected,
            lag(e.status) over by_seq as last_status, first_value(e.tenant_id) over by_seq as first_tenant
        from raw_risk.risk_alert_events as e
        where e.alert_id in (select l.alert_id from landed as l)
        window by_seq as (partition by e.alert_id order by e.seq)
    ) as v
    where v.seq <> v.expected or v.tenant_id <> v.first_tenant
        or not raw_risk.alert_may_become(v.last_status, v.status)
    order by v.alert_id, v.seq
    limit 1;
    if not found then
        return null;
    elsif wrong.seq <> wrong.expected then
        raise exception 'alert %: event % without event %', wrong.alert_id, wrong.seq, wrong.expected
            using errcode = 'check_violation', hint = 'Land the missing event first, or in the same statement.';
    elsif wrong.tenant_id <> wrong.first_tenant then
        raise exception 'alert %: belongs to another tenant', wrong.alert_id using errcode = 'check_violation';
    end if;
    raise exception 'alert %: % cannot become %', wrong.alert_id,
        coalesce(wrong.last_status::text, 'a new alert'), wrong.status
        using errcode = 'check_violation', hint = 'An alert is open, then acknowledged, then resolved, or resolved at once; after that, another one is opened.';
end $$;
comment on function raw_risk.check_alert_events() is 'Statement trigger: numbers without gaps, legal changes of status only, one tenant.';

create trigger risk_alert_events_number before insert on raw_risk.risk_alert_events
for each row when (new.seq is null) execute function raw_risk.number_alert_event();
create trigger risk_alert_events_check after insert on raw_risk.risk_alert_events referencing new table as landed
for each statement execute function raw_risk.check_alert_events();

------------------------------------------------------------------------------- backtests

create function raw_backtest.run_may_become(from_status types.backtest_status, to_status types.backtest_status)
returns boolean
language sql immutable set search_path = pg_catalog as $$
    select case from_status
        when 'queued' then to_status in ('running', 'failed', 'cancelled')
        when 'running' then to_status in ('completed', 'failed', 'cancelled')
        else false
    end
$$;
comment on function raw_backtest.run_may_become(types.backtest_status, types.backtest_status) is 'True when a run in the first status may come to the second. One that ended stays: trying again is another run.';

create function raw_backtest.check_run() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if new.status <> old.status and not raw_backtest.run_may_become(old.status, new.status) then
        raise exception 'run %: % cannot become %', old.run_id, old.status, new.status
            using errcode = 'check_violation', hint = 'Trying again is another run: insert one.';
    end if;
    if old.finished_at is not null and (
        new.run_id, new.strategy, new.config, new.range_start, new.range_end, new.timeframe, new.initial_capital,
        new.currency, new.n_trials, new.parent_search_id, new.metrics, new.finished_at
    ) is distinct from (
        old.run_id, old.strategy, old.config, old.range_start, old.range_end, old.timeframe, old.initial_capital,
        old.currency, old.n_trials, old.parent_search_id, old.metrics, old.finished_at
    ) then
        raise exception 'run % has ended (%): what was tested and what came out stay', old.run_id, old.status
            using errcode = 'restrict_violation', hint = 'Run it again under another run_id.';
    end if;
    new.updated_at := now();
    return new;
end $$;
comment on function raw_backtest.check_run() is 'Row trigger: legal changes of status only; a run that ended is not made better afterwards.';

create trigger backtest_runs_check before update on raw_backtest.backtest_runs
for each row execute function raw_backtest.check_run();

create function raw_backtest.check_trades() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    wrong record;
begin
    select l.run_id, l.trade_no, l.symbol, l.price, l."timestamp", r.range_start, r.range_end into wrong
    from landed as l
    inner join raw_backtest.backtest_runs as r on r.run_id = l.run_id
    where l."timestamp" < r.range_start or l."timestamp" > r.range_end
        or (l.price <= 0 and not raw_trading.price_may_be_negative(l.symbol))
    limit 1;
    if not found then
        return null;
    elsif wrong."timestamp" < wrong.range_start or wrong."timestamp" > wrong.range_end then
        raise exception 'run %, trade %: % is outside of the range tested, % to %', wrong.run_id, wrong.trade_no,
            wrong."timestamp", wrong.range_start, wrong.range_end using errcode = 'check_violation';
    end if;
    perform raw_trading.check_price(format('run %s, trade %s', wrong.run_id, wrong.trade_no), wrong.symbol, wrong.price);
    return null;
end $$;
comment on function raw_backtest.check_trades() is 'Statement trigger: executions lie in the range of their run, at positive prices.';

create trigger backtest_trades_check after insert on raw_backtest.backtest_trades referencing new table as landed
for each statement execute function raw_backtest.check_trades();

------------------------------------------------------------------------------- references without a foreign key

create view ops.open_references with (security_invoker = true) as
select
    r.relation::regclass as relation, r.columns, r.refers_to, r.named, r.why
from (
    values
    ('raw_signals.fusion_inputs', '{agent_id, signal_id}'::text [], 'raw_signals.signals', 'select agent_id, signal_id from raw_signals.signals', 'a signal may land after what was made of it'),
    ('raw_signals.signals', '{prediction_id}', 'raw_ml.predictions', 'select prediction_id from raw_ml.predictions', 'by another road'),
    ('raw_signals.signals', '{model_id}', 'raw_ml.models', 'select model_id from raw_ml.models', 'by another road'),
    ('raw_signals.signals', '{strategy_id}', 'raw_trading.strategies', 'select strategy_id from raw_trading.strategies', 'by another road'),
    ('raw_signals.fused_signals', '{strategy_id}', 'raw_trading.strategies', 'select strategy_id from raw_trading.strategies', 'by another road'),
    ('raw_trading.orders', '{model_id}', 'raw_ml.models', 'select model_id from raw_ml.models', 'by another road'),
    ('raw_trading.orders', '{signal_id}', 'raw_signals.signals, raw_signals.fused_signals', 'select signal_id from raw_signals.signals union all select fused_id from raw_signals.fused_signals', 'one of two tables'),
    ('raw_trading.portfolio_snapshots', '{strategy_id}', 'raw_trading.strategies', 'select strategy_id from raw_trading.strategies union all select $$$$', 'empty: the whole account'),
    ('raw_risk.risk_alert_events', '{strategy_id}', 'raw_trading.strategies', 'select strategy_id from raw_trading.strategies', 'an alarm is never refused'),
    ('raw_risk.risk_alert_events', '{challenge_id}', 'raw_prop.challenges', 'select id::text from raw_prop.challenges', 'an alarm is never refused'),
    ('raw_risk.risk_alert_events', '{user_id}', 'raw_prop.user_accounts', 'select id::text from raw_prop.user_accounts', 'an alarm is never refused'),
    ('raw_alt.news_symbols', '{source, article_id}', 'raw_alt.news_articles', 'select source, article_id from raw_alt.news_articles', 'what is named has many revisions'),
    ('raw_logs.agent_metrics', '{agent_id}', 'raw_signals.agents', 'select agent_id from raw_signals.agents', 'a log is never refused'),
    ('raw_logs.trading_events', '{order_id}', 'raw_trading.orders', 'select order_id from raw_trading.orders', 'a log is never refused')
) as r (relation, columns, refers_to, named, why)
union all
select
    a.attrelid::regclass, array[a.attname::text], r.refers_to,
    format('select %I from %s', a.attname, r.refers_to), 'a key checked for each row would cost a load a third'
from pg_attribute as a
inner join pg_class as c on a.attrelid = c.oid
inner join (values ('batch_id', 'ops.batches'), ('instrument_id', 'ref.instruments')) as r (attname, refers_to)
    on a.attname = r.attname
where c.relnamespace::regnamespace::text like 'raw\_%' and c.relkind in ('r', 'p')
    and not exists (
        select from pg_constraint as k where k.conrelid = c.oid and k.contype = 'f' and k.conkey = array[a.attnum]
    );
comment on view ops.open_references is 'References of landing tables that no foreign key holds: ops.orphans looks for what they name in vain.';
comment on column ops.open_references.columns is 'What names.';
comment on column ops.open_references.refers_to is 'Where what is named must be.';
comment on column ops.open_references.named is 'Query of all that may be named.';
comment on column ops.open_references.why is 'Why there is no foreign key.';

create function ops.find_orphans()
returns table (relation text, columns text, refers_to text, value text, rows bigint, first_known_at timestamptz)
language plpgsql stable set search_path = pg_catalog as $$
declare
    one record;
    names text;
    marks text;
begin
    for one in select * from ops.open_references as r order by r.relation::text, r.columns loop
        select string_agg(format('x.%I', u.c), ', ' order by u.n), string_agg('c' || u.n, ', ' order by u.n)
        into names, marks
        from unnest(one.columns) with ordinality as u (c, n);
        return query execute format(
            'select %1$L, %2$L, %3$L, v.value, v.rows, v.first_known_at
            from (
                select concat_ws($s$, $s$, %4$s) as value, count(*) as rows, min(x.known_at) as first_known_at
                from %5$s as x
                where num_nulls(%4$s) = 0 and not exists (select from (%6$s) as y (%7$s) where (%7$s) = (%4$s))
                group by %4$s
            ) as v',
            one.relation::text, array_to_string(one.columns, ', '), one.refers_to, names, one.relation, one.named, marks
        );
    end loop;
end $$;
comment on function ops.find_orphans() is 'Rows of ops.orphans. Reads every landing table once for each of its open references.';

create view ops.orphans with (security_invoker = true) as
select * from ops.find_orphans();
comment on view ops.orphans is 'Rows that name something which has not landed, where no foreign key says so (ops.open_references): what is named may come later, or by another road. Empty is good; what stays is lost.';
comment on column ops.orphans.value is 'What they name.';
comment on column ops.orphans.rows is 'How many rows name it.';
comment on column ops.orphans.first_known_at is 'Since when.';

select ops.apply_roles();
