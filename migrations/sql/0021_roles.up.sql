-- Who may do what. Four group roles without login; `warehouse roles add` makes the logins that are members of them.
-- Roles belong to the cluster, grants to this database: the roles may be there already.

do $$
declare
    name text;
begin
    foreach name in array array['trading_app', 'trading_transformer', 'trading_readonly', 'trading_auditor'] loop
        if not exists (select from pg_roles where rolname = name) then
            begin
                execute format('create role %I nologin', name);
            exception
                when duplicate_object or unique_violation then null;  -- another database of the cluster was faster
                when insufficient_privilege then
                    raise exception 'role % is missing and this login may not create it', name
                        using errcode = 'insufficient_privilege',
                        hint = 'As an administrator: create role trading_app; create role trading_transformer; create role'
                        ' trading_readonly; create role trading_auditor; grant trading_transformer to the owner of the database.';
            end;
        end if;
    end loop;
    if not pg_has_role('trading_transformer', 'member') then
        execute format('grant trading_transformer to %I', current_user);
    end if;
end $$;

-- dbt makes these where they are missing, but as the transformer, who may make no schema.
create schema if not exists staging;
create schema if not exists intermediate;
create schema if not exists build;
create schema if not exists marts;
comment on schema staging is 'Landing tables as they are to be read: casts, names, the latest revision. Made by dbt.';
comment on schema intermediate is 'Scratch of one build. Made by dbt.';
comment on schema build is 'The marts while they are built and tested. Made by dbt.';
comment on schema marts is 'What readers rely on: complete builds only. Made by dbt.';

-- What dbt has made so far was the owner's. From now on it is the transformer's, whoever starts dbt (profiles.yml).
do $$
declare
    made record;
begin
    for made in
        select class.oid::regclass as name
        from pg_class as class
        where
            class.relkind in ('r', 'v', 'm')
            and (
                class.relnamespace in ('staging'::regnamespace, 'intermediate'::regnamespace, 'build'::regnamespace, 'marts'::regnamespace)
                or class.relnamespace = 'ref'::regnamespace and class.relname not in (
                    'instruments', 'symbol_history', 'calendars', 'exchange_sessions', 'series', 'corporate_actions', 'withdrawn_series'
                )
            )
    loop
        execute format('alter table %s owner to trading_transformer', made.name);
    end loop;
    for made in
        select oid::regprocedure as name from pg_proc
        where pronamespace = 'indicators'::regnamespace and proname in ('log_ratio', 'safe_divide')
    loop
        execute format('alter function %s owner to trading_transformer', made.name);
    end loop;
end $$;

create function ops.is_personal(relation regclass, column_name text) returns boolean
language sql stable set search_path = pg_catalog as $$
    select
        column_name in ('email', 'password_hash', 'full_name', 'phone', 'last_ip', 'ip_address', 'user_agent')
        -- Rows as they were sent, whatever is in them.
        or relation = 'ops.quarantine'::regclass and column_name in ('payload', 'original_payload')
$$;
comment on function ops.is_personal(regclass, text) is 'Columns that only the owner and the application may read. Tables named *_pii are personal as a whole.';

create function ops.grant_reading(relation regclass, reader text) returns void
language plpgsql set search_path = pg_catalog as $$
declare
    personal constant boolean := (
        select bool_or(ops.is_personal(relation, attname))
        from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped
    );
    columns constant text := (
        select string_agg(quote_ident(attname), ', ' order by attnum)
        from pg_attribute
        where attrelid = relation and attnum > 0 and not attisdropped and not ops.is_personal(relation, attname)
    );
begin
    if (select relname from pg_class where oid = relation) ~ '_pii$' then
        return;
    elsif personal then
        execute format('grant select (%s) on %s to %I', columns, relation, reader);
    else
        execute format('grant select on %s to %I', relation, reader);
    end if;
end $$;
comment on function ops.grant_reading(regclass, text) is 'Lets a role read a table, personal columns left out.';

create function ops.apply_roles() returns void
language plpgsql set search_path = pg_catalog as $$
declare
    made record;
    everybody constant text := 'trading_app, trading_transformer, trading_readonly, trading_auditor';
begin
    for made in
        select nspname as name from pg_namespace
        where nspname like 'raw\_%' or nspname in ('ref', 'ops', 'audit', 'types', 'indicators', 'staging', 'intermediate', 'build', 'marts')
    loop
        execute format('revoke all on schema %I from %s', made.name, everybody);
        if made.name in ('audit', 'staging', 'intermediate', 'build') then
            execute format('grant usage on schema %I to trading_auditor', made.name);
        else
            execute format('grant usage on schema %I to %s', made.name, everybody);
        end if;
        if made.name in ('ref', 'indicators', 'staging', 'intermediate', 'build', 'marts') then
            execute format('grant usage, create on schema %I to trading_transformer', made.name);
        end if;
    end loop;

    -- The landing zone and its surroundings; what dbt made has the default privileges below.
    for made in
        select class.oid::regclass as name, namespace.nspname as schema, class.relname as table
        from pg_class as class inner join pg_namespace as namespace on namespace.oid = class.relnamespace
        where
            (namespace.nspname like 'raw\_%' or namespace.nspname in ('ref', 'ops', 'audit'))
            and class.relkind in ('r', 'p', 'v', 'm')
            and class.relowner <> 'trading_transformer'::regrole
    loop
        execute format('revoke all on %s from %s', made.name, everybody);
        perform ops.grant_reading(made.name, 'trading_auditor');
        continue when made.schema = 'audit' or made.name::text = 'ops.tenants';
        perform ops.grant_reading(made.name, 'trading_transformer');
        execute format('grant select on %s to trading_app', made.name);
        if made.schema = 'ops' then
            if made.table in ('batches', 'quarantine') then
                execute format('grant insert, update on %s to trading_app', made.name);
            elsif made.table in ('consumers', 'built_from', 'model_runs', 'publication') then
                execute format('grant insert, update, delete on %s to trading_transformer', made.name);
            end if;
            if made.table in ('publication', 'model_runs', 'dq_results') then
                perform ops.grant_reading(made.name, 'trading_readonly');
            end if;
        else
            perform ops.grant_reading(made.name, 'trading_readonly');
            execute format('grant insert, update on %s to trading_app', made.name);
            if made.table in ('symbol_history', 'exchange_sessions') then
                execute format('grant delete on %s to trading_app', made.name);
            end if;
        end if;
    end loop;

    -- An identity column asks for no privilege; numbers that a program draws ahead of its rows do.
    for made in
        select class.oid::regclass as name
        from pg_class as class inner join pg_namespace as namespace on namespace.oid = class.relnamespace
        where
            class.relkind = 'S'
            and (namespace.nspname like 'raw\_%' or class.oid in ('ops.batches_batch_id_seq'::regclass, 'ref.instruments_instrument_id_seq'::regclass))
    loop
        execute format('grant usage on sequence %s to trading_app', made.name);
    end loop;

    -- A function that runs as its owner is a door; triggers are called by nobody.
    for made in
        select oid::regprocedure as name, pronamespace = 'audit'::regnamespace as is_audit from pg_proc
        where prosecdef and prorettype <> 'trigger'::regtype and pronamespace in ('ops'::regnamespace, 'audit'::regnamespace)
            and proname not in ('running_builds', 'own_tenants', 'sees_all_tenants')
    loop
        execute format('revoke execute on function %s from public', made.name);
        if made.is_audit then
            execute format('grant execute on function %s to trading_auditor', made.name);
        end if;
    end loop;

    if to_regprocedure('ops.protect_tenants()') is not null then
        perform ops.protect_tenants();
    end if;
end $$;
comment on function ops.apply_roles() is 'Gives every table of the landing zone its grants, by the catalogue alone. A migration that adds tables ends with `select ops.apply_roles();`.';

-- dbt drops and makes its tables again at every full refresh: only default privileges outlive that.
alter default privileges for role trading_transformer in schema marts
grant select on tables to trading_app, trading_readonly, trading_auditor;
alter default privileges for role trading_transformer in schema ref
grant select on tables to trading_app, trading_readonly, trading_auditor;
alter default privileges for role trading_transformer in schema staging grant select on tables to trading_auditor;
alter default privileges for role trading_transformer in schema intermediate grant select on tables to trading_auditor;
alter default privileges for role trading_transformer in schema build grant select on tables to trading_auditor;
grant select on all tables in schema marts to trading_app, trading_readonly, trading_auditor;
grant select on all tables in schema staging, intermediate, build to trading_auditor;

-- The server hides other logins' sessions from everybody but administrators, and dbt has to say who is building.
create function ops.running_builds() returns table (pid integer, program text, client text, since timestamptz)
language sql stable security definer set search_path = pg_catalog as $$
    select activity.pid, activity.application_name, coalesce(host(activity.client_addr), 'local'), activity.backend_start
    from pg_locks as locks
    inner join pg_stat_activity as activity on activity.pid = locks.pid
    where
        locks.locktype = 'advisory'
        and locks.granted
        and locks.classid = 0
        and locks.objid = 7203002
        and locks.database = (select oid from pg_database where datname = current_database())
$$;
comment on function ops.running_builds() is 'Who holds the lock of builds, as the owner of the database may see it.';
create or replace view ops.running_build as
select pid, program, client, since from ops.running_builds();

select ops.apply_roles();
select ops.grant_reading(class.oid::regclass, reader)
from pg_class as class, unnest(array['trading_app', 'trading_readonly', 'trading_auditor']) as reader
where class.relnamespace = 'ref'::regnamespace and class.relkind = 'r' and class.relowner = 'trading_transformer'::regrole;
