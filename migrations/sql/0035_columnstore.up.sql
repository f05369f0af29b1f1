-- The columnstore of TimescaleDB Community takes what is settled: not before corrections have come, and never beside
-- row-level security. What comes later all the same is counted.

-- Exchanges bust trades until the next session, vendors restate within the week: five days, a long weekend included.
alter table ops.retention_policy add column correction_horizon interval not null default '5 days';
comment on column ops.retention_policy.correction_horizon is 'Up to this age rows come late or are corrected; what is older is settled, and may be compressed.';
update ops.retention_policy set correction_horizon = compress_after / 2 where compress_after <= correction_horizon;

alter table ops.retention_policy add constraint retention_policy_compresses_what_is_settled check (
    coalesce(correction_horizon < compress_after, true)
);
comment on constraint retention_policy_compresses_what_is_settled on ops.retention_policy is 'Nothing is compressed within correction_horizon: a correction of compressed rows costs a multiple.';

alter table ops.batches add column late bigint not null default 0;
comment on column ops.batches.late is 'Accepted rows whose chunk was compressed already: what a landing pays for them is in its seconds (docs/benchmarks.md).';

create function ops.columnstore_parts() returns table (
    relation text, part text, lo timestamptz, hi timestamptz, late_bytes bigint, before_bytes bigint, after_bytes bigint
)
language plpgsql stable set search_path = pg_catalog set timezone = 'UTC' as $$
begin
    if ops.physical_tier() = 'community' then
        return query execute format(
            'select
                chunk.hypertable_schema || ''.'' || chunk.hypertable_name, chunk.chunk_schema || ''.'' || chunk.chunk_name,
                chunk.range_start, chunk.range_end,
                -- 8: rows came since. Packing them does not give their pages back.
                case when _timescaledb_functions.chunk_status(oid) & 8 <> 0 then pg_relation_size(oid) else 0 end,
                stats.before_compression_total_bytes, stats.after_compression_total_bytes
            from timescaledb_information.chunks as chunk
            cross join lateral (select format(''%%I.%%I'', chunk.chunk_schema, chunk.chunk_name)::regclass as oid) as named
            cross join lateral (
                select * from %I.chunk_compression_stats(format(''%%I.%%I'', chunk.hypertable_schema, chunk.hypertable_name)::regclass) as each
                where (each.chunk_schema, each.chunk_name) = (chunk.chunk_schema, chunk.chunk_name)
            ) as stats
            where chunk.is_compressed and chunk.range_start is not null',
            (select extnamespace::regnamespace from pg_extension where extname = 'timescaledb')
        );
    end if;
end $$;
comment on function ops.columnstore_parts() is 'One row per compressed chunk (TimescaleDB Community): the times it holds, from lo up to hi, its bytes before and after compression, and the bytes of rows that came since and lie beside the columnstore until the job packs them.';

create function ops.compressed_times(relation regclass) returns table (time_column text, times tstzmultirange)
language sql stable security definer set search_path = pg_catalog as $$
    select stored.time_column, range_agg(tstzrange(part.lo, part.hi))
    from ops.columnstore_parts() as part
    inner join ops.stored_by_time() as stored on stored.relation = part.relation
    where part.relation = audit.qualified_name(compressed_times.relation)
    group by stored.time_column
$$;
comment on function ops.compressed_times(regclass) is 'The time column of a table and the times of its compressed chunks; no row where nothing is compressed.';

grant execute on function ops.compressed_times(regclass) to trading_app;

create function ops.has_columnstore(relation regclass) returns boolean
language sql stable security definer set search_path = pg_catalog as $$
    select exists (
        select from ops.stored_by_time() as stored
        where stored.relation = audit.qualified_name(has_columnstore.relation) and stored.columnstore is not null
    )
$$;
comment on function ops.has_columnstore(regclass) is 'Whether a table has a columnstore (TimescaleDB Community), for roles that may not read the schemas in which that is written.';

grant execute on function ops.has_columnstore(regclass) to trading_transformer;

create or replace function ops.protect_rows(relation regclass, condition text) returns void
language plpgsql set search_path = pg_catalog as $$
declare
    rule constant text := '(select ops.sees_all_tenants()) or ' || condition;
begin
    if exists (select from pg_policy where polrelid = relation and polname = 'tenant_rows') then
        return;
    end if;
    if ops.has_columnstore(relation) then
        raise exception '% has a columnstore, which TimescaleDB does not allow on a table with row-level security', relation
            using errcode = 'feature_not_supported',
            hint = 'Take `compress` out of its physical_design, then alter table … set (timescaledb.enable_columnstore = false).';
    end if;
    execute format('alter table %s enable row level security, force row level security', relation);
    execute format('create policy tenant_rows on %s using (%s) with check (%s)', relation, rule, rule);
end $$;

select ops.apply_roles();
