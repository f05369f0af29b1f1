create or replace function ops.protect_rows(relation regclass, condition text) returns void
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
drop function ops.has_columnstore(regclass);
drop function ops.compressed_times(regclass);
drop function ops.columnstore_parts();
alter table ops.batches drop column late;
alter table ops.retention_policy drop constraint retention_policy_compresses_what_is_settled;
alter table ops.retention_policy drop column correction_horizon;
