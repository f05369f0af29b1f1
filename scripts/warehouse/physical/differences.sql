-- What differs between the declared physical designs, one JSON object a table, and the catalogue; one row each, in the order in which
-- it can be made true. kind: `difference` is made true by its sql, `expired` only when asked for, `finding` by nobody:
-- its sql, if any, is a proposal. locked: bytes that are written or read again under a lock.
with wishes as (
    select
        declared.relation, declared.time_column, declared.chunk_interval, declared.partitions, declared.indexes,
        declared.compress, declared.why,
        class.oid::regclass as oid, class.relkind, class.relrowsecurity as has_policies, ops.physical_tier() as tier,
        pg_total_relation_size(class.oid) as bytes
    from jsonb_to_recordset(%(wishes)s::jsonb) as declared (
        relation text, time_column text, chunk_interval text, partitions boolean, indexes jsonb, compress jsonb, why text
    )
    -- A mart that nobody has published yet is born with its design.
    inner join pg_class as class on class.oid = to_regclass(declared.relation)
),

found as (
    select
        wishes.*, stored.storage, stored.width, stored.columnstore, stored.columnstore_after,
        policy.compress_after, policy.correction_horizon, policy.drop_after, coalesce(policy.legal_hold, false) as is_held,
        case
            when wishes.tier <> 'plain' and wishes.time_column is not null then 'hypertable'
            when wishes.partitions then 'partitions'
        end as wanted_storage,
        nullif(wishes.chunk_interval, 'auto')::interval as wanted_width,
        (select extnamespace::regnamespace::text from pg_extension where extname = 'timescaledb') as extension
    from wishes
    left join ops.stored_by_time() as stored on stored.relation = wishes.relation
    left join ops.retention_policy as policy on policy.relation = wishes.relation
),

-- Partitions that were there before TimescaleDB stay: they serve as well.
unstored as (
    select
        *, coalesce(wanted_width, ops.chunk_interval(oid, time_column)) as first_width
    from found
    where wanted_storage is not null and storage is null
),

storage as (
    select
        1 as step, relation, 'difference' as kind, 'storage' as wish, 'a table' as is_now,
        format('%%s of %%s, %%s each', case wanted_storage when 'hypertable' then 'chunks' else wanted_storage end, time_column, first_width) as should_be,
        array[format(
            'select ops.%%s(%%L, %%L, %%L)',
            case wanted_storage when 'hypertable' then 'hypertable_by_time' else 'partition_by_time' end,
            relation, time_column, first_width
        )] as sql,
        coalesce(why, 'declared') as why, bytes as locked
    from unstored
),

width as (
    select
        2, relation, 'difference', 'interval', width::text, wanted_width::text,
        case storage
            when 'partitions' then array[format(
                'select ops.ensure_partitions(%%L, array[%%L]::timestamptz[], %%L)', relation,
                (select max(part.hi) from ops.time_parts() as part where part.relation = found.relation), wanted_width
            )]
            else array[format('select %%I.set_chunk_time_interval(%%L, interval %%L)', extension, relation, wanted_width)]
        end,
        coalesce(why, 'declared') || '; what is there stays as it is', 0
    from found
    where storage is not null and wanted_width <> width
),

waiting as (
    select
        3, found.relation, 'difference', 'partitions', 'none from ' || min(at) || ' to ' || max(at), 'one for each time',
        array[format('select ops.ensure_partitions(%%L)', found.relation)],
        'three widths ahead, and rows that wait in the default partition', 0
    from found
    cross join lateral ops.waiting_times(found.oid) as at
    where found.storage = 'partitions'
        -- Where there can be no more, rows wait for a longer interval.
        and (select count(part.hi) from ops.time_parts() as part where part.relation = found.relation) < 500
    group by found.relation
),

declared_indexes as (
    select
        found.relation, found.oid, found.relkind, found.storage, found.bytes, each.name, each.why,
        array(select jsonb_array_elements_text(each.columns)) as columns,
        array(select jsonb_array_elements_text(each.include)) as include,
        each."where" as condition, coalesce(each.method, 'btree') as method
    from found
    cross join lateral jsonb_to_recordset(found.indexes) as each (
        name text, columns jsonb, include jsonb, "where" text, method text, why text
    )
),

indexes as (
    select
        index.indexrelid, index.indrelid, class.relname as name, index.indisvalid as is_valid,
        regexp_replace(pg_get_indexdef(index.indexrelid), '^.*? USING ', case when index.indisunique then 'unique ' else '' end) as printed,
        exists (select from pg_constraint where conindid = index.indexrelid) as is_constraint
    from pg_index as index
    inner join pg_class as class on class.oid = index.indexrelid
    where index.indrelid in (select oid from found)
),

compared as (
    select
        declared.*, existing.printed, existing.is_valid, existing.indexrelid,
        ops.index_as_printed(declared.oid, declared.method, declared.columns, declared.include, declared.condition) as wanted,
        declared.relkind = 'r' and declared.storage is null as is_one_table,
        (select relnamespace::regnamespace::text from pg_class where pg_class.oid = declared.oid) as schema
    from declared_indexes as declared
    left join indexes as existing on existing.indrelid = declared.oid and existing.name = declared.name
),

made_as as (
    select
        *,
        'create index ' || case when is_one_table then 'concurrently ' else '' end as verb,
        format(
            ' on %%s using %%s (%%s)%%s%%s', oid, method, array_to_string(columns, ', '),
            ' include (' || nullif(array_to_string(include, ', '), '') || ')', ' where ' || condition
        ) as body
    from compared
),

index as (
    select
        4, relation, 'difference', 'index ' || name,
        case when indexrelid is null then 'missing' when not is_valid then 'invalid: its making was interrupted' else printed end, wanted,
        case
            when indexrelid is null then array[verb || quote_ident(name) || body]
            when not is_valid then array[format('drop index %%I.%%I', schema, name), verb || quote_ident(name) || body]
            -- The old one serves until the new one does.
            else array[
                verb || quote_ident(left(name, 59) || '_new') || body,
                format('drop index %%I.%%I', schema, name),
                format('alter index %%I.%%I rename to %%I', schema, left(name, 59) || '_new', name)
            ]
        end,
        why, case when is_one_table then 0 else bytes end
    from made_as
    where indexrelid is null or not is_valid or printed <> wanted
),

columnstores as (
    select
        *, compress ->> 'segment_by' as segment_by, compress ->> 'order_by' as order_by,
        concat_ws(' / ', compress ->> 'segment_by', compress ->> 'order_by') as wanted_columnstore
    from found
    where tier = 'community' and storage = 'hypertable' and compress is not null and compress_after is not null
),

columnstore as (
    select
        5, relation, 'difference', 'columnstore', concat_ws(' after ', coalesce(columnstore, 'none'), columnstore_after::text),
        wanted_columnstore || ' after ' || compress_after,
        case
            when columnstore is distinct from wanted_columnstore then array[format(
                'alter table %%s set (timescaledb.enable_columnstore, timescaledb.segmentby = %%L, timescaledb.orderby = %%L)',
                relation, segment_by, order_by
            )]
            else '{}'::text []
        end || case
            when columnstore_after is distinct from compress_after then array[
                format('call %%I.remove_columnstore_policy(%%L, if_exists => true)', extension, relation),
                format('call %%I.add_columnstore_policy(%%L, after => interval %%L)', extension, relation, compress_after)
            ]
            else '{}'
        end,
        'ops.retention_policy: compressed after ' || compress_after, 0
    from columnstores
    where (columnstore, columnstore_after) is distinct from (wanted_columnstore, compress_after) and not has_policies
),

-- Chunks and partitions that are past as a whole, and rows of the default partition.
spans as (
    select
        found.relation, found.time_column, part.part, part.bytes, part.hi, now() - found.drop_after as kept_from,
        case when part.hi is null then ops.time_span(part.part::regclass, found.time_column) end as span
    from found
    inner join ops.time_parts() as part on part.relation = found.relation
),

expired as (
    select
        6, spans.relation, 'expired', 'retention', count(*) || ' parts up to ' || max(coalesce(spans.hi, lower(spans.span))),
        'none from before ' || min(spans.kept_from),
        array[format('select ops.drop_expired(%%L)', spans.relation)], 'ops.retention_policy', 0
    from spans
    inner join found using (relation)
    where
        (spans.hi <= spans.kept_from or lower(spans.span) < spans.kept_from)
        and not found.is_held and not exists (select from ops.consumers as c where c.relation = found.oid)
    group by spans.relation
),

undeclared as (
    select
        7, found.relation, 'finding', 'index ' || indexes.name, indexes.printed, 'declared, or dropped',
        array[format('drop index %%s', indexes.indexrelid::regclass)],
        'every write pays for it; it is never dropped by itself', 0
    from found
    inner join indexes on indexes.indrelid = found.oid
    where
        not indexes.is_constraint
        and indexes.name <> split_part(found.relation, '.', 2) || '_key'
        and not exists (select from declared_indexes as d where d.relation = found.relation and d.name = indexes.name)
),

parts as (
    select
        found.relation, found.storage, found.width, found.extension, count(part.hi) as number, max(part.bytes) as largest,
        max(part.bytes / (extract(epoch from part.hi - part.lo) / 86400)) as bytes_per_day,
        extract(epoch from max(part.hi) - min(part.lo)) / 86400 as days
    from found
    inner join ops.time_parts() as part on part.relation = found.relation
    group by found.relation, found.storage, found.width, found.extension
),

judged as (
    select
        parts.*, memory.bytes as memory,
        (
            select max(candidate) from unnest(array[1, 7, 30, 90, 360]) as candidate
            where candidate * bytes_per_day <= memory.bytes
        ) as fitting
    from parts
    cross join (select setting::bigint * 8192 as bytes from pg_settings where name = 'shared_buffers') as memory
),

misfit as (
    select
        8, relation, 'finding', 'interval',
        format('%%s parts of %%s, the largest %%s', number, width, pg_size_pretty(largest)),
        case
            when number > 500 then 'at most 500 parts: an interval of ' || ceil(days / 500) || ' days or more'
            else format('parts that fit into shared_buffers (%%s): %%s days', pg_size_pretty(memory), coalesce(fitting, 1))
        end,
        '{}'::text [], 'declare another chunk_interval; every plan looks at every part, and a part that does not fit is read from disk', 0
    from judged
    where number > 500 or (largest > memory and width > interval '1 day')
),

unlocated as (
    select
        9, relation, 'finding', 'default partition', 'rows from ' || lower(span) || ' to ' || upper(span), 'empty',
        array[format('select %%I, count(*) from %%s group by 1', time_column, part)],
        'far in the future (a clock that is wrong?), held past their time, or beyond 500 partitions', 0
    from spans
    where
        span is not null
        and not exists (select from waiting where waiting.relation = spans.relation)
        and not exists (select from expired where expired.relation = spans.relation and upper(span) < spans.kept_from)
),

protected as (
    select
        10, relation, 'finding', 'columnstore', 'row-level security', 'one of the two', '{}'::text [],
        'TimescaleDB allows no columnstore on a table with policies', 0
    from columnstores
    where has_policies
),

-- A chunk is compressed by hand, or the horizon was raised since.
unsettled as (
    select
        11, found.relation, 'finding', 'columnstore of what is corrected', count(*) || ' compressed chunks up to ' || max(part.hi),
        'none from after ' || now() - found.correction_horizon,
        array_agg(format('call %%I.convert_to_rowstore(%%L)', found.extension, part.part) order by part.lo),
        'ops.retention_policy: rows are corrected up to an age of ' || found.correction_horizon, 0
    from found
    inner join ops.columnstore_parts() as part on part.relation = found.relation and part.hi > now() - found.correction_horizon
    group by found.relation, found.correction_horizon
),

late as (
    select
        12, found.relation, 'finding', 'late rows',
        format(
            '%%s beside %%s of columnstore in %%s chunks, the oldest from %%s',
            pg_size_pretty(sum(part.late_bytes)), pg_size_pretty(sum(part.after_bytes)), count(*), min(part.lo)
        ),
        'packed by the next job of the columnstore',
        array_agg(format('call %%I.convert_to_columnstore(%%L)', found.extension, part.part) order by part.lo),
        'rows that came after their chunk was compressed are read as rows; where they always do, raise correction_horizon and compress_after', 0
    from found
    inner join ops.columnstore_parts() as part on part.relation = found.relation and part.late_bytes > 0
    group by found.relation
)

select relation, kind, wish, is_now, should_be, sql, why, locked
from (
    table storage union all table width union all table waiting union all table index union all table columnstore
    union all table expired union all table undeclared union all table misfit union all table unlocated union all table protected
    union all table unsettled union all table late
) as all_of_them
order by step, relation, wish
