create or replace view ops.running_build as
select
    activity.pid,
    activity.application_name as program,
    coalesce(host(activity.client_addr), 'local') as client,
    activity.backend_start as since
from pg_locks as locks
inner join pg_stat_activity as activity on activity.pid = locks.pid
where
    locks.locktype = 'advisory'
    and locks.granted
    and locks.classid = 0
    and locks.objid = 7203002
    and locks.database = (select oid from pg_database where datname = current_database());
drop function ops.running_builds();
do $$
declare
    closed regprocedure;
begin
    for closed in
        select oid from pg_proc
        where prosecdef and prorettype <> 'trigger'::regtype and pronamespace in ('ops'::regnamespace, 'audit'::regnamespace)
    loop
        execute format('grant execute on function %s to public', closed);
    end loop;
end $$;
drop function ops.apply_roles();
drop function ops.grant_reading(regclass, text);
drop function ops.is_personal(regclass, text);

alter default privileges for role trading_transformer in schema marts
revoke select on tables from trading_app, trading_readonly, trading_auditor;
alter default privileges for role trading_transformer in schema ref
revoke select on tables from trading_app, trading_readonly, trading_auditor;
alter default privileges for role trading_transformer in schema staging revoke select on tables from trading_auditor;
alter default privileges for role trading_transformer in schema intermediate revoke select on tables from trading_auditor;
alter default privileges for role trading_transformer in schema build revoke select on tables from trading_auditor;

-- What dbt made stays, as the owner's; then nothing is left to drop but privileges.
reassign owned by trading_transformer to current_user;
drop owned by trading_app, trading_transformer, trading_readonly, trading_auditor;

-- A role that another database of the cluster uses stays, and so does a schema with something in it.
do $$
declare
    name text;
begin
    foreach name in array array['trading_app', 'trading_transformer', 'trading_readonly', 'trading_auditor'] loop
        begin
            execute format('drop role %I', name);
        exception when dependent_objects_still_exist or insufficient_privilege or undefined_object then null;
        end;
    end loop;
    foreach name in array array['staging', 'intermediate', 'build', 'marts'] loop
        begin
            execute format('drop schema %I', name);
        exception when dependent_objects_still_exist then
            execute format('comment on schema %I is null', name);
        end;
    end loop;
end $$;
