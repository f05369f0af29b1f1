do $$
declare
    relation regclass;
begin
    for relation in select polrelid from pg_policy where polname = 'tenant_rows' loop
        execute format('drop policy tenant_rows on %s', relation);
        execute format('alter table %s disable row level security, no force row level security', relation);
    end loop;
end $$;
drop function ops.protect_tenants();
drop function ops.protect_tenant_rows(regclass);
drop function ops.protect_rows(regclass, text);
drop function ops.sees_all_tenants();
drop function ops.own_tenants();
drop table ops.tenants;
