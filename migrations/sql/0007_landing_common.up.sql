-- What every domain of the landing zone shares: schemas, types, and the functions behind its triggers.

create schema types;
create schema raw_trading;
create schema raw_signals;
create schema raw_ml;
create schema raw_risk;
create schema raw_alt;
create schema raw_logs;
create schema raw_backtest;
create schema raw_prop;

comment on schema types is 'Domains and enums of the landing zone: what a price, a quantity or a fraction may be is said once.';
comment on schema raw_trading is 'Landing tables of trading: strategies, accounts, orders, fills, cash, portfolio snapshots.';
comment on schema raw_signals is 'Landing tables of agents: signals with their explanations, and what an allocator fused from them.';
comment on schema raw_ml is 'Landing tables of machine learning: models, training runs, predictions.';
comment on schema raw_risk is 'Landing tables of risk: limits, alerts, factor returns and loadings.';
comment on schema raw_alt is 'Landing tables of alternative data: news, social media, and other data sets.';
comment on schema raw_logs is 'Landing tables of logs; correlation_id joins them end to end.';
comment on schema raw_backtest is 'Landing tables of backtests: runs and their trades.';
comment on schema raw_prop is 'Landing tables of the prop-trading application: users, challenges, their ledgers, payments.';

------------------------------------------------------------------------------- types

-- A numeric with a precision refuses infinity by itself and overflow with it; NaN it takes, and NaN > 0 is true.
create domain types.amount as numeric(24, 10) constraint amount_is_number check (value <> 'NaN');
create domain types.quantity as numeric(24, 10) constraint quantity_is_positive check (value > 0 and value <> 'NaN');
create domain types.non_negative as numeric(24, 10) constraint not_negative check (value >= 0 and value <> 'NaN');
create domain types.fraction as double precision constraint fraction_is_between_0_and_1 check (value >= 0 and value <= 1);
create domain types.signed_fraction as double precision
constraint signed_fraction_is_between_minus_1_and_1 check (value >= -1 and value <= 1);
create domain types.finite as double precision
constraint is_finite check (value > '-Infinity' and value < 'Infinity');
create domain types.label as text constraint label_is_not_empty check (value ~ '\S');

comment on domain types.amount is 'Money or a price, of either sign; never NaN.';
comment on domain types.quantity is 'Units of an instrument, always positive: the direction is the side''s.';
comment on domain types.non_negative is 'Money or units that cannot be negative; never NaN.';
comment on domain types.fraction is 'Between 0 and 1. A percentage is never stored.';
comment on domain types.signed_fraction is 'Between -1 and 1.';
comment on domain types.finite is 'A double that is a number: no NaN, no infinity.';
comment on domain types.label is 'Text that says something: not empty, not only spaces.';

create type types.side as enum ('buy', 'sell');
comment on type types.side is 'Direction of an order, a fill or a tick''s aggressor; quantities are unsigned.';

------------------------------------------------------------------------------- change log

alter table ops.change_log add column entity text;
comment on column ops.change_log.entity is 'Account, agent, model, challenge … whose rows a statement on a table without bars touched; NULL: every one.';

-- Arguments: the column that names the entity (instrument_id goes to the column of that name; empty: none), and
-- the column with the time of the event.
create function ops.log_landed() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    is_instrument constant boolean := tg_argv[0] = 'instrument_id';
    key constant text := case when tg_argv[0] <> '' then format('%I', tg_argv[0]) else 'null::text' end;
begin
    execute format(
        'insert into ops.change_log (relation, operation, %1$s, lo, hi, rows)
        select $1, $2, entity, min(at), max(at), count(*)
        from (select %2$s as entity, %3$I::timestamptz as at from changed) as c
        group by entity',
        case when is_instrument then 'instrument_id' else 'entity' end,
        case when is_instrument then key else key || '::text' end,
        tg_argv[1]
    ) using tg_relid, left(tg_op, 1)::"char";
    return null;
end $$;
comment on function ops.log_landed() is 'Statement trigger of landing tables (transition table `changed`): one row of ops.change_log per entity, with the first and last event time.';

------------------------------------------------------------------------------- ledgers, versions, times of change

create function ops.refuse_mutation() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation',
        hint = coalesce(tg_argv[0], 'Append a row that corrects the first one.');
end $$;
comment on function ops.refuse_mutation() is 'Statement trigger of ledgers: refuses UPDATE, DELETE and TRUNCATE. Argument: what to do instead.';

create function ops.touch_updated_at() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    new.updated_at := now();
    return new;
end $$;
comment on function ops.touch_updated_at() is 'Row trigger before UPDATE: updated_at is when the row was last changed, whatever the statement says.';

create function ops.check_version() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if new.version is distinct from old.version + 1 then
        raise exception '%.%: an update must raise version from % to %, not to %',
            tg_table_schema, tg_table_name, old.version, old.version + 1, new.version
            using errcode = 'serialization_failure',
            hint = 'Update … set version = version + 1 where … and version = the version you read; when no row is updated, read again.';
    end if;
    return new;
end $$;
comment on function ops.check_version() is 'Row trigger before UPDATE: optimistic locking, an update that does not raise version by one is refused.';
