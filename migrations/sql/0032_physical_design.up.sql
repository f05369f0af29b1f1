-- How tables are stored by time, on TimescaleDB and without it. What is wished for is declared beside sources and models
-- (config.meta.physical_design); `warehouse physical` compares it with what these functions say, and calls them.

create schema partitions;
comment on schema partitions is 'Partitions of landing tables where there is no TimescaleDB. Nobody reads them but through their tables, whose grants and policies hold.';

create function ops.physical_tier() returns text
language sql stable set search_path = pg_catalog as $$
    select case
        when not exists (select from pg_extension where extname = 'timescaledb') then 'plain'
        when current_setting('timescaledb.license', true) = 'timescale' then 'community'
        else 'apache'
    end
$$;
comment on function ops.physical_tier() is 'What the server can do: community (TimescaleDB with columnstore), apache (TimescaleDB without it) or plain PostgreSQL. The license decides, not the version.';

create function ops.chunk_interval(origin regclass, time_column text) returns interval
language plpgsql stable set search_path = pg_catalog as $$
declare
    length integer;
begin
    execute format(
        'with span as (
            select extract(epoch from max(%1$I)::timestamptz - min(%1$I)::timestamptz) / 86400 + 1 as days
            from %2$s where isfinite(%1$I)
        ),
        measured as (
            select
                days,
                pg_table_size(%2$L) / days as bytes_per_day,
                (select setting::bigint * 8192 from pg_settings where name = ''shared_buffers'') as memory
            from span
        ),
        judged as (
            select
                candidates.length,
                measured.days / candidates.length <= 500 as are_few,
                measured.bytes_per_day * candidates.length <= measured.memory as is_small
            from measured cross join (values (1), (7), (30), (90), (360)) as candidates (length)
        )
        select coalesce(max(length) filter (where are_few and is_small), min(length) filter (where are_few), 90)
        from judged',
        time_column, origin
    ) into length;
    return make_interval(days => length);
end $$;
comment on function ops.chunk_interval(regclass, text) is 'Rule for chunks and partitions of a table that is about to be filled: the longest of 360, 90, 30, 7 and 1 days of which one fits into shared_buffers (a quarter of memory) by the bytes per day at hand, but never so short that there are more than 500. 90 days where nothing can be measured.';

create function ops.time_parts() returns table (relation text, part text, lo timestamptz, hi timestamptz, bytes bigint)
language plpgsql stable set search_path = pg_catalog set timezone = 'UTC' set datestyle = 'ISO' as $$
begin
    return query
    with bounds as (
        select
            audit.qualified_name(inherits.inhparent) as relation,
            class.oid,
            regexp_match(pg_get_expr(class.relpartbound, class.oid), 'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)') as bound
        from pg_partitioned_table as parent
        inner join pg_inherits as inherits on inherits.inhparent = parent.partrelid
        inner join pg_class as class on class.oid = inherits.inhrelid
        where class.relnamespace = 'partitions'::regnamespace
    )
    select
        bounds.relation, audit.qualified_name(bounds.oid), bound[1]::timestamptz, bound[2]::timestamptz,
        pg_total_relation_size(bounds.oid)
    from bounds;
    if ops.physical_tier() <> 'plain' then
        return query execute
        'select
            hypertable_schema || ''.'' || hypertable_name, chunk_schema || ''.'' || chunk_name, range_start, range_end,
            pg_total_relation_size(format(''%I.%I'', chunk_schema, chunk_name)::regclass)
        from timescaledb_information.chunks where range_start is not null';
    end if;
end $$;
comment on function ops.time_parts() is 'One row per chunk of a hypertable and per partition of a landing table, with the times it holds: from lo up to hi, which is not in it. NULL: the default partition, for rows of any other time.';

create function ops.time_span(relation regclass, time_column text) returns tstzrange
language plpgsql stable set search_path = pg_catalog as $$
declare
    span tstzrange;
begin
    execute format('select tstzrange(min(%1$I), max(%1$I), ''[]'') from %2$s having count(*) > 0', time_column, relation) into span;
    return span;
end $$;
comment on function ops.time_span(regclass, text) is 'Times of the first and last row of a table; NULL: it has none.';

create function ops.stored_by_time() returns table (
    relation text, storage text, time_column text, width interval, columnstore text, columnstore_after interval
)
language plpgsql stable set search_path = pg_catalog as $$
begin
    return query
    select
        audit.qualified_name(parent.partrelid), 'partitions', attribute.attname::text,
        (select p.hi - p.lo from ops.time_parts() as p where p.relation = audit.qualified_name(parent.partrelid) and p.hi is not null order by p.hi desc limit 1),
        null::text, null::interval
    from pg_partitioned_table as parent
    inner join pg_attribute as attribute on attribute.attrelid = parent.partrelid and attribute.attnum = parent.partattrs[0]
    where parent.partdefid in (select oid from pg_class where relnamespace = 'partitions'::regnamespace);
    if ops.physical_tier() <> 'plain' then
        return query execute
        'select
            d.hypertable_schema || ''.'' || d.hypertable_name, ''hypertable'', d.column_name::text, d.time_interval,
            nullif(concat_ws(
                '' / '',
                (
                    select string_agg(c.attname, '', '' order by c.segmentby_column_index)
                    from timescaledb_information.compression_settings as c
                    where c.hypertable_schema = d.hypertable_schema and c.hypertable_name = d.hypertable_name and c.segmentby_column_index is not null
                ),
                (
                    select string_agg(c.attname || case when c.orderby_asc then '''' else '' desc'' end, '', '' order by c.orderby_column_index)
                    from timescaledb_information.compression_settings as c
                    where c.hypertable_schema = d.hypertable_schema and c.hypertable_name = d.hypertable_name and c.orderby_column_index is not null
                )
            ), ''''),
            (
                select coalesce(j.config ->> ''compress_after'', j.config ->> ''columnstore_after'')::interval
                from timescaledb_information.jobs as j
                where j.hypertable_schema = d.hypertable_schema and j.hypertable_name = d.hypertable_name
                    and j.proc_name in (''policy_compression'', ''policy_columnstore'')
                limit 1
            )
        from timescaledb_information.dimensions as d
        where d.dimension_number = 1';
    end if;
end $$;
comment on function ops.stored_by_time() is 'One row per hypertable and per landing table with partitions: its time column, the width of its newest partition or of chunks to come, and on TimescaleDB Community what its columnstore is segmented and ordered by and after which age.';

------------------------------------------------------------------------------- partitions of plain PostgreSQL

create function ops.waiting_times(relation regclass) returns setof timestamptz
language plpgsql stable security definer set search_path = pg_catalog set timezone = 'UTC' as $$
declare
    name constant text := audit.qualified_name(relation);
    stored record;
    covered tstzmultirange;
    earliest timestamptz;
    wanted text;
begin
    select * into stored from ops.stored_by_time() as s where s.relation = name and s.storage = 'partitions';
    if stored.width is null then
        return;
    end if;
    select range_agg(tstzrange(p.lo, p.hi)) into covered from ops.time_parts() as p where p.relation = name and p.hi is not null;
    select now() - policy.drop_after into earliest from ops.retention_policy as policy where policy.relation = name;
    select format('select distinct date_trunc(''hour'', %I) as at from %s', stored.time_column, p.part)
    into wanted from ops.time_parts() as p where p.relation = name and p.hi is null;
    return query execute
    'select at from (
        select generate_series(now(), now() + 3 * $1, $1) as at union all ' || wanted || '
    ) as wanted
    where isfinite(at) and not $2 @> at and at >= $3 and at < now() + 4 * $1'
    using stored.width, covered, coalesce(earliest, '1900-01-01');
end $$;
comment on function ops.waiting_times(regclass) is 'Times that a partition should be made for: of now and three widths ahead, and of rows in the default partition (by the hour). Not of rows that retention would drop, nor of those four widths ahead: a clock that is wrong makes no partitions.';

-- A partition is filled and checked before it is attached: readers of other times never wait. Where the locks are not to
-- be had in two seconds, the rows stay in the default partition, and the next call tries again.
create function ops.ensure_partitions(relation regclass, times timestamptz[] default null, width interval default null)
returns integer
language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC' set lock_timeout = '2s' as $$
declare
    table_name constant text := audit.qualified_name(relation);
    stored record;
    rest text;
    newest timestamptz;
    earliest timestamptz;
    covered tstzmultirange;
    parts integer;
    step interval;
    moment timestamptz;
    bucket timestamptz;
    piece tstzrange;
    fresh text;
    made integer := 0;
begin
    select * into stored from ops.stored_by_time() as s where s.relation = table_name and s.storage = 'partitions';
    if not found then
        return 0;
    end if;
    select max(p.part) filter (where p.hi is null), max(p.hi), range_agg(tstzrange(p.lo, p.hi)) filter (where p.hi is not null), count(p.hi)
    into rest, newest, covered, parts
    from ops.time_parts() as p where p.relation = table_name;
    step := coalesce(width, stored.width);
    select now() - policy.drop_after into earliest from ops.retention_policy as policy where policy.relation = table_name;

    for moment in
        select distinct t
        from unnest(coalesce(times, array(select ops.waiting_times(relation)))) as t
        where isfinite(t) and t >= coalesce(earliest, '1900-01-01') and t < now() + 4 * greatest(step, stored.width)
        order by t
    loop
        exit when parts + made >= 500;
        continue when covered @> moment;
        -- Counted from the end of the newest, or from a Monday; cut where a neighbour of another width begins.
        bucket := date_bin(step, moment, coalesce(newest, '2000-01-03'));
        select gap * tstzrange(bucket, bucket + step) into piece
        from unnest(multirange(tstzrange(null, null)) - coalesce(covered, '{}')) as gap where gap @> moment;
        fresh := format('partitions.%I', replace(table_name, '.', '_') || to_char(lower(piece), '_YYYYMMDD"t"HH24'));
        begin
            execute format('create table %s (like %s including defaults including constraints including storage)', fresh, relation);
            execute format(
                'with waited as (delete from %1$s where %2$I >= %3$L and %2$I < %4$L returning *)
                insert into %5$s select * from waited',
                rest, stored.time_column, lower(piece), upper(piece), fresh
            );
            execute format('alter table %s attach partition %s for values from (%L) to (%L)', relation, fresh, lower(piece), upper(piece));
        exception
            when lock_not_available or deadlock_detected or check_violation or duplicate_table or unique_violation or invalid_object_definition then
                return made;
        end;
        covered := coalesce(covered, '{}') + multirange(piece);
        newest := greatest(newest, upper(piece));
        made := made + 1;
    end loop;
    return made;
end $$;
comment on function ops.ensure_partitions(regclass, timestamptz[], interval) is 'Makes the partitions that times lack (unless said, those of ops.waiting_times), as wide as the newest unless said, and moves rows there from the default partition; returns how many. At most 500: whatever has none waits in the default partition, which every query of its time finds. Nothing on a table that has no partitions.';
grant execute on function ops.ensure_partitions(regclass, timestamptz[], interval) to trading_app;

create function ops.trigger_statements(relation regclass) returns text[]
language sql stable set search_path = pg_catalog as $$
    select array(
        select pg_get_triggerdef(oid) from pg_trigger where tgrelid = relation and not tgisinternal order by tgname
    ) || array(
        select format('alter table %s enable %s trigger %I', relation, case tgenabled when 'A' then 'always' else 'replica' end, tgname)
        from pg_trigger where tgrelid = relation and not tgisinternal and tgenabled in ('A', 'R')
    )
$$;
comment on function ops.trigger_statements(regclass) is 'Statements that make the triggers of a table again.';

create function ops.partition_by_time(relation regclass, time_column text, width interval) returns bigint
language plpgsql set search_path = pg_catalog set timezone = 'UTC' as $$
declare
    old constant oid := relation;
    name constant text := relation;
    rest constant text := format('partitions.%I', replace(audit.qualified_name(relation), '.', '_') || '_default');
    columns constant text := (
        select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
        where attrelid = relation and attnum > 0 and not attisdropped and attgenerated = ''
    );
    owner constant regrole := (select relowner from pg_class where oid = relation);
    remade text[];
    statement text;
    times timestamptz[];
    counter record;
    moved bigint;
begin
    execute format('lock table %s in access exclusive mode', relation);
    -- What LIKE leaves behind, in the words of the catalogue. Names are free again when the old table is out of the schema.
    remade := array(
        select format('alter table %s add constraint %I %s', name, conname, pg_get_constraintdef(oid))
        from pg_constraint where conrelid = old and contype in ('p', 'u', 'f') order by contype desc, conname
    ) || array(
        select format('comment on constraint %I on %s is %L', conname, name, obj_description(oid, 'pg_constraint'))
        from pg_constraint where conrelid = old and contype in ('p', 'u', 'f') and obj_description(oid, 'pg_constraint') is not null
    ) || array(
        select pg_get_indexdef(indexrelid) from pg_index
        where indrelid = old and not exists (select from pg_constraint where conindid = indexrelid and conrelid = old)
    ) || array(
        select format('comment on table %s is %L', name, obj_description(old, 'pg_class'))
    ) || array(
        select format(
            'create or replace view %s %s as %s', class.oid::regclass,
            'with (' || array_to_string(class.reloptions, ', ') || ')', pg_get_viewdef(class.oid)
        )
        from pg_class as class
        where class.relkind = 'v' and class.oid in (
            select rule.ev_class from pg_depend as depends
            inner join pg_rewrite as rule on depends.classid = 'pg_rewrite'::regclass and depends.objid = rule.oid
            where depends.refclassid = 'pg_class'::regclass and depends.refobjid = old
        )
    ) || ops.trigger_statements(relation);
    execute format('select array_agg(distinct date_trunc(''hour'', %I)) from %s', time_column, relation) into times;

    -- Every row moves, whoever owns the table: policies are for readers, and the new table gets its own.
    execute format('alter table %s disable row level security', relation);
    execute format('alter table %s set schema partitions', relation);
    execute format(
        'create table %s (
            like %s including defaults including identity including constraints including generated including storage
            including comments including statistics
        ) partition by range (%I)',
        name, relation, time_column
    );
    execute format('create table %s partition of %s default', rest, name);
    execute format('alter table %s owner to %s', name, owner);
    execute format('alter table %s owner to %s', rest, owner);
    perform ops.ensure_partitions(name::regclass, coalesce(times, '{}') || now(), width);
    perform ops.ensure_partitions(name::regclass);
    execute format('insert into %1$s (%2$s) overriding system value select %2$s from %3$s', name, columns, relation);
    get diagnostics moved = row_count;
    for counter in
        select attname from pg_attribute where attrelid = old and attidentity <> '' and not attisdropped
    loop
        execute format(
            'select setval(pg_get_serial_sequence(%L, %L), last_value, is_called) from %s',
            name, counter.attname, pg_get_serial_sequence(relation::text, counter.attname)
        );
    end loop;
    foreach statement in array remade loop
        execute statement;
    end loop;
    -- What is kept by the number of a table.
    update ops.change_log as log set relation = name::regclass where log.relation = old;
    update ops.consumers as consumer set relation = name::regclass where consumer.relation = old;
    execute format('drop table %s', relation);
    perform ops.apply_roles();
    return moved;
end $$;
comment on function ops.partition_by_time(regclass, text, interval) is 'Makes a landing table one with partitions by range of a time column, with all that it has: rows, key, indexes, triggers, views on it, comments, grants and policies; returns the rows moved. It is locked meanwhile, and written anew.';

------------------------------------------------------------------------------- hypertables of TimescaleDB

-- TimescaleDB empties the table under the rows that it has copied to chunks: ledgers would refuse that, and their changes
-- be logged again. It cannot switch triggers off and on (2.19), so they are made again.
create function ops.hypertable_by_time(relation regclass, time_column text, width interval) returns void
language plpgsql set search_path = pg_catalog set timezone = 'UTC' as $$
declare
    extension constant regnamespace := (select extnamespace from pg_extension where extname = 'timescaledb');
    triggers constant text[] := ops.trigger_statements(relation);
    statement text;
begin
    execute format('lock table %s in access exclusive mode', relation);
    for statement in
        select format('drop trigger %I on %s', tgname, relation) from pg_trigger where tgrelid = relation and not tgisinternal
    loop
        execute statement;
    end loop;
    execute format(
        'select %1$s.create_hypertable(%2$L, %1$s.by_range(%3$L, interval %4$L), create_default_indexes => false, migrate_data => true)',
        extension, relation, time_column, width
    );
    foreach statement in array triggers loop
        execute statement;
    end loop;
end $$;
comment on function ops.hypertable_by_time(regclass, text, interval) is 'Makes a table a hypertable of TimescaleDB, with its rows and without the default index on time: keys begin with what is asked for. It is locked meanwhile, and written anew where it has rows.';

------------------------------------------------------------------------------- retention

create function ops.drop_expired(relation regclass) returns setof text
language plpgsql set search_path = pg_catalog set timezone = 'UTC' set lock_timeout = '2s' as $$
declare
    table_name constant text := audit.qualified_name(relation);
    before constant timestamptz := (select now() - p.drop_after from ops.retention_policy as p where p.relation = table_name);
    stored record;
    rest text;
    each record;
begin
    perform ops.check_drop(relation, before);
    if exists (select from ops.consumers as c where c.relation = drop_expired.relation) then
        raise exception '% is read by incremental models, which would keep what a full refresh could not make again', table_name
            using errcode = 'restrict_violation';
    end if;
    select * into stored from ops.stored_by_time() as s where s.relation = table_name;
    for each in select * from ops.time_parts() as p where p.relation = table_name and p.hi <= before order by p.hi loop
        if stored.storage = 'partitions' then
            execute format('drop table %s', to_regclass(each.part));
        end if;
        return next each.part;
    end loop;
    if stored.storage = 'partitions' then
        select p.part into rest from ops.time_parts() as p where p.relation = table_name and p.hi is null;
        execute format('delete from %s where %I < %L', rest, stored.time_column, before);
    elsif stored.storage = 'hypertable' then
        execute format(
            'select count(*) from %I.drop_chunks(%L::regclass, older_than => %L::timestamptz)',
            (select extnamespace::regnamespace from pg_extension where extname = 'timescaledb'), relation, before
        );
    end if;
    insert into ops.change_log (relation, operation, lo, hi) values (relation, 'D', '-infinity', before);
end $$;
comment on function ops.drop_expired(regclass) is 'Drops the partitions or chunks that are whole past what ops.retention_policy keeps, and returns their names; a hold, or no policy, refuses (ops.check_drop). Not of tables that incremental models read.';

------------------------------------------------------------------------------- indexes

create function ops.index_as_printed(relation regclass, method text, columns text[], include text[], condition text)
returns text
language plpgsql as $$
declare
    printed text;
begin
    execute format('create temp table index_probe (like %s)', relation);
    execute format(
        'create index index_probed on pg_temp.index_probe using %I (%s) %s %s', method, array_to_string(columns, ', '),
        'include (' || nullif(array_to_string(include, ', '), '') || ')', 'where ' || condition
    );
    printed := regexp_replace(pg_get_indexdef('pg_temp.index_probed'::regclass), '^.*? USING ', '');
    drop table pg_temp.index_probe;
    return printed;
end $$;
comment on function ops.index_as_printed(regclass, text, text[], text[], text) is 'An index as the server would print it after USING: two ways to write one index are equal. Asks an empty temporary table.';

select ops.apply_roles();
