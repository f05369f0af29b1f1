-- Whose rows a login sees. A login that belongs to tenants sees theirs; one that belongs to none sees everything
-- as loader, transformer, auditor or owner, and nothing as anybody else.

create table ops.tenants (
    tenant_id types.label constraint tenants_pkey primary key,
    role_name text not null constraint tenants_role_key unique,
    created_at timestamptz not null default now()
);
comment on table ops.tenants is 'Tenants, and the role (of the cluster) whose members see their rows. `warehouse roles add … --tenant` adds one.';
comment on column ops.tenants.tenant_id is 'As in the column tenant_id of the tables; house is the firm itself.';
comment on column ops.tenants.role_name is 'Group role without login.';
comment on column ops.tenants.created_at is 'When it was added.';
comment on constraint tenants_role_key on ops.tenants is 'A role stands for one tenant.';

-- Who asks is the login and the role it has taken with SET ROLE: both are the server's word, neither changes inside
-- a view or a function that runs as its owner, and no setting of the session's own has a say. When both belong to
-- tenants, only what they share is seen: taking another role never widens the view.
create function ops.own_tenants() returns text[]
language sql stable security definer set search_path = pg_catalog as $$
    with identity as (
        select oid from pg_roles
        where
            rolname in (session_user, coalesce(nullif(current_setting('role'), 'none'), session_user))
            and not rolsuper
    ),

    bound as (
        select identity.oid, tenants.tenant_id
        from identity
        inner join ops.tenants on true
        inner join pg_roles as tenant on tenant.rolname = tenants.role_name
        where pg_has_role(identity.oid, tenant.oid, 'usage')
    )

    select coalesce(array_agg(tenant_id::text), '{}')
    from (
        select tenant_id from bound
        group by tenant_id
        having count(*) = (select count(distinct oid) from bound)
    ) as shared
$$;
comment on function ops.own_tenants() is 'Tenants whose rows this session may see; empty: it is bound to none, or to some that share nothing.';

create function ops.sees_all_tenants() returns boolean
language sql stable security definer set search_path = pg_catalog as $$
    select
        not exists (
            select from pg_roles as identity
            inner join ops.tenants on true
            inner join pg_roles as tenant on tenant.rolname = tenants.role_name
            where
                identity.rolname in (session_user, current.name)
                and not identity.rolsuper
                and pg_has_role(identity.oid, tenant.oid, 'usage')
        )
        and (
            pg_has_role(current.name, 'trading_app', 'usage')
            or pg_has_role(current.name, 'trading_transformer', 'usage')
            or pg_has_role(current.name, 'trading_auditor', 'usage')
        )
    from (select coalesce(nullif(current_setting('role'), 'none'), session_user)::name as name) as current
$$;
comment on function ops.sees_all_tenants() is 'Whether this session belongs to no tenant and is loader, transformer, auditor or owner.';

-- In a sub-select the functions run once for each query. Forced, because a view runs as its owner: dbt's own tables
-- would otherwise be open to whoever reads a view of dbt's.
create function ops.protect_rows(relation regclass, condition text) returns void
language plpgsql set search_path = pg_catalog as $$
declare
    rule constant text := '(select ops.sees_all_tenants()) or ' || condition;
begin
    if exists (select from pg_policy where polrelid = relation and polname = 'tenant_rows') then
        return;
    end if;
    execute format('alter table %s enable row level security, force row level security', relation);
    execute format('create policy tenant_rows on %s using (%s) with check (%s)', relation, rule, rule);
end $$;
comment on function ops.protect_rows(regclass, text) is 'Puts the policy tenant_rows on a table that has none.';

create function ops.protect_tenant_rows(relation regclass) returns void
language sql set search_path = pg_catalog as $$
    select ops.protect_rows(relation, 'tenant_id = any ((select ops.own_tenants())::text[])')
$$;
comment on function ops.protect_tenant_rows(regclass) is 'Shows the rows of a table with tenant_id to their tenants only.';

create function ops.protect_tenants() returns void
language plpgsql set search_path = pg_catalog as $$
declare
    made record;
begin
    for made in
        select
            class.oid::regclass as name,
            namespace.nspname as schema,
            exists (
                select from pg_attribute
                where attrelid = class.oid and attname = 'tenant_id' and not attisdropped
            ) as is_tenants
        from pg_class as class inner join pg_namespace as namespace on namespace.oid = class.relnamespace
        where
            class.relkind in ('r', 'p')
            and class.relowner <> 'trading_transformer'::regrole
            and (namespace.nspname like 'raw\_%' or namespace.nspname = 'ops')
    loop
        if made.is_tenants and made.name <> 'ops.tenants'::regclass then
            perform ops.protect_tenant_rows(made.name);
        elsif made.schema in ('raw_logs', 'raw_backtest') then
            -- The firm's own; they name accounts and orders of every tenant.
            perform ops.protect_rows(made.name, '''house'' = any ((select ops.own_tenants())::text[])');
        elsif made.name::text in (
            'ops.tenants', 'ops.batches', 'ops.quarantine', 'ops.change_log', 'ops.dq_results', 'ops.dq_findings', 'ops.erasure_log'
        ) then
            perform ops.protect_rows(made.name, 'false');
        end if;
    end loop;
end $$;
comment on function ops.protect_tenants() is 'Puts the policies of tenants on every table of the landing zone, by the catalogue. Called by ops.apply_roles().';

select ops.apply_roles();
