-- Who changed what: before and after image of every change of a watched table, and proof that nobody has edited
-- that afterwards. Appending is cheap (set-based triggers, no chain); hashing and chaining happen when a range is
-- sealed. What is sealed is a range of change_seq in which nothing can appear any more, see audit.mark().

create schema audit;
comment on schema audit is 'Append-only row changes, sealed in hash-chained batches. Personal data never enters it.';

create table audit.row_changes (
    change_seq bigint generated always as identity constraint row_changes_pkey primary key,
    relation text not null,
    key jsonb not null,
    operation text not null,
    before jsonb,
    after jsonb,
    changed_columns text[],
    actor text not null default session_user,
    acting_as text default nullif(current_setting('role'), 'none'),
    application text default current_setting('application_name'),
    transaction_id xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(),
    constraint row_changes_operation_known check (
        operation in ('BASELINE', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
    )
);
comment on table audit.row_changes is 'One row per row changed in a watched table (audit.watched). Append-only.';
comment on column audit.row_changes.change_seq is 'Order of the changes; numbers of transactions that were rolled back are missing.';
comment on column audit.row_changes.relation is 'Schema and table, as text: it outlives a restore into another cluster.';
comment on column audit.row_changes.key is 'Primary key of the row: column names and values.';
comment on column audit.row_changes.operation is 'BASELINE: the row was there when its table began to be watched.';
comment on column audit.row_changes.before is 'The row before; NULL for an insert. Hidden columns (audit.watched) are in no image.';
comment on column audit.row_changes.after is 'The row afterwards; NULL for a delete.';
comment on column audit.row_changes.changed_columns is 'Columns an update changed, hidden ones included; NULL for the other operations and where an update changed the key itself.';
comment on column audit.row_changes.actor is 'Login that did it (session_user).';
comment on column audit.row_changes.acting_as is 'Role it had taken with SET ROLE; NULL: none.';
comment on column audit.row_changes.application is 'application_name of the session, as that session says it.';
comment on column audit.row_changes.transaction_id is 'Transaction in the cluster where it happened.';
comment on column audit.row_changes.at is 'When, by the server''s clock.';
comment on constraint row_changes_operation_known on audit.row_changes is 'The operation is one of those that the audit knows.';

create table audit.watched (
    relation text constraint watched_pkey primary key,
    hidden text[] not null,
    with_inserts boolean not null,
    trigger_name text not null,
    since timestamptz not null default now()
);
comment on table audit.watched is 'Tables whose changes are audited (audit.watch). A trigger that is missing or off is found by `warehouse audit verify`.';
comment on column audit.watched.relation is 'Schema and table.';
comment on column audit.watched.hidden is 'Columns left out of the images: personal data never enters the audit.';
comment on column audit.watched.with_inserts is 'False: only updates and deletions are audited; the insert is evidence by itself.';
comment on column audit.watched.trigger_name is 'Name of the trigger on inserts; the others are named after it.';
comment on column audit.watched.since is 'When the table began to be watched.';

------------------------------------------------------------------------------- writing

-- Arguments: the hidden columns as an array, then the columns of the key. Settings are pinned because an image is
-- hashed, and compared with the row as it is, by sessions with other settings.
create function audit.log_audit_trail() returns trigger
language plpgsql security definer
set search_path = pg_catalog set timezone = 'UTC' set extra_float_digits = 1 set intervalstyle = 'postgres' set bytea_output = 'hex'
as $$
declare
    watched constant text := tg_table_schema || '.' || tg_table_name;
    hidden constant text[] := coalesce(tg_argv[0], '{}');
    columns text[] := coalesce(tg_argv[1:], '{}');
    key text;
    image text;
begin
    if tg_level = 'ROW' and tg_nargs = 0 then
        columns := audit.key_columns(tg_relid);
    end if;
    key := (select 'jsonb_build_object(' || string_agg(format('%1$L, x.%1$I', name), ', ') || ')' from unnest(columns) as name);
    image := 'to_jsonb(x)' || case when hidden <> '{}' then format(' - %L::text[]', hidden) else '' end;

    if tg_level = 'ROW' then
        execute format(
            'insert into audit.row_changes (relation, key, operation, before, after, changed_columns)
            select $1, (select %1$s from (select ($4).*) as x), $2, $3 - $6, $5 - $6, audit.changed_columns($3, $5)',
            key
        ) using watched, tg_op, to_jsonb(old), coalesce(new, old), to_jsonb(new), hidden;
    elsif tg_op = 'INSERT' then
        execute format(
            'insert into audit.row_changes (relation, key, operation, after)
            select $1, %1$s, $2, %2$s from new_rows as x', key, image
        ) using watched, tg_op;
    elsif tg_op = 'UPDATE' then
        -- Rows of which no column changed are no change. An update of the key is shown as two rows.
        execute format(
            'with old_images as (select %1$s as key, to_jsonb(x) as image from old_rows as x),
            new_images as (select %1$s as key, to_jsonb(x) as image from new_rows as x)
            insert into audit.row_changes (relation, key, operation, before, after, changed_columns)
            select
                $1, coalesce(o.key, n.key), $2, o.image - $3, n.image - $3, audit.changed_columns(o.image, n.image)
            from old_images as o full join new_images as n on n.key = o.key
            where o.image is distinct from n.image', key
        ) using watched, tg_op, hidden;
    elsif tg_op = 'DELETE' then
        execute format(
            'insert into audit.row_changes (relation, key, operation, before)
            select $1, %1$s, $2, %2$s from old_rows as x', key, image
        ) using watched, tg_op;
    else
        execute format(
            'insert into audit.row_changes (relation, key, operation, before)
            select $1, %1$s, $2, %2$s from %3$I.%4$I as x', key, image, tg_table_schema, tg_table_name
        ) using watched, tg_op;
    end if;
    return null;
end $$;
comment on function audit.log_audit_trail() is 'Trigger of watched tables, named as seed A names it: as statement triggers with the transition tables old_rows and new_rows (audit.watch), or FOR EACH ROW without arguments.';

create function audit.changed_columns(before jsonb, after jsonb) returns text[]
language sql immutable set search_path = pg_catalog as $$
    select array_agg(old.key order by old.key)
    from jsonb_each(before) as old
    where after is not null and old.value is distinct from after -> old.key
$$;
comment on function audit.changed_columns(jsonb, jsonb) is 'Names of the columns in which two images of a row differ.';

create function audit.key_columns(relation regclass) returns text[]
language sql stable set search_path = pg_catalog as $$
    select array_agg(attribute.attname::text order by array_position(index.indkey::smallint[], attribute.attnum))
    from pg_index as index
    inner join pg_attribute as attribute
        on attribute.attrelid = index.indrelid and attribute.attnum = any(index.indkey::smallint[])
    where index.indrelid = relation and index.indisprimary
$$;
comment on function audit.key_columns(regclass) is 'Columns of a table''s primary key, in its order.';

create function audit.qualified_name(relation regclass) returns text
language sql stable set search_path = pg_catalog as $$
    select namespace.nspname || '.' || class.relname
    from pg_class as class inner join pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.oid = relation
$$;
comment on function audit.qualified_name(regclass) is 'Schema and table, whatever the search path.';

create function audit.watch(
    relation regclass, hidden text[] default '{}', with_inserts boolean default true, trigger_name text default null
)
returns void
language plpgsql
set search_path = pg_catalog set timezone = 'UTC' set extra_float_digits = 1 set intervalstyle = 'postgres' set bytea_output = 'hex'
as $$
declare
    watched_name constant text := audit.qualified_name(relation);
    base constant text := coalesce(trigger_name, (select relname || '_audit' from pg_class where oid = relation));
    columns constant text[] := audit.key_columns(relation);
    arguments constant text := (
        select string_agg(quote_literal(argument), ', ')
        from unnest(array[hidden::text] || columns) as argument
    );
    made record;
begin
    if columns is null then
        raise exception '% has no primary key: its changes cannot be told apart', watched_name
            using errcode = 'invalid_table_definition';
    end if;
    if relation::text ~ 'pii' then
        raise exception '% holds personal data, which never enters the audit', watched_name
            using errcode = 'check_violation';
    end if;
    perform audit.unwatch(relation);
    for made in
        select * from (values
            (base, 'after insert', 'referencing new table as new_rows', with_inserts),
            (base || '_update', 'after update', 'referencing old table as old_rows new table as new_rows', true),
            (base || '_delete', 'after delete', 'referencing old table as old_rows', true),
            (base || '_truncate', 'before truncate', '', true)
        ) as kind (name, event, transition, wanted)
        where wanted
    loop
        execute format(
            'create trigger %I %s on %s %s for each statement execute function audit.log_audit_trail(%s)',
            made.name, made.event, relation, made.transition, arguments
        );
        -- session_replication_role = replica switches other triggers off without a trace.
        execute format('alter table %s enable always trigger %I', relation, made.name);
    end loop;
    insert into audit.watched (relation, hidden, with_inserts, trigger_name)
    values (watched_name, watch.hidden, watch.with_inserts, base);
    if with_inserts then
        execute format(
            'insert into audit.row_changes (relation, key, operation, after)
            select %L, jsonb_build_object(%s), ''BASELINE'', to_jsonb(x) - %L::text[] from %s as x',
            watched_name,
            (select string_agg(format('%1$L, x.%1$I', name), ', ') from unnest(columns) as name),
            hidden,
            relation
        );
    end if;
end $$;
comment on function audit.watch(regclass, text[], boolean, text) is 'Audits a table from now on; rows that are there already are its baseline. hidden: columns that no image may show.';

create function audit.unwatch(relation regclass) returns void
language plpgsql set search_path = pg_catalog as $$
declare
    name text;
begin
    for name in
        select tgname from pg_trigger
        where tgrelid = unwatch.relation and tgfoid = 'audit.log_audit_trail()'::regprocedure and not tgisinternal
    loop
        execute format('drop trigger %I on %s', name, relation);
    end loop;
    delete from audit.watched where watched.relation = audit.qualified_name(unwatch.relation);
end $$;
comment on function audit.unwatch(regclass) is 'Takes audit.watch back; what was recorded stays.';

------------------------------------------------------------------------------- sealing

create table audit.marks (
    upto bigint not null,
    xid xid8 not null default pg_current_xact_id(),
    marked_at timestamptz not null default clock_timestamp()
);
comment on table audit.marks is 'Numbers up to which a seal may reach once every transaction up to xid has ended (audit.mark).';
comment on column audit.marks.upto is 'Last change_seq handed out when the mark was made.';
comment on column audit.marks.xid is 'Transaction of the mark itself, begun after upto was read.';
comment on column audit.marks.marked_at is 'When.';

create table audit.seals (
    seal_no bigint constraint seals_pkey primary key,
    from_seq bigint not null,
    to_seq bigint not null,
    row_count bigint not null,
    change_seqs bigint[] not null,
    row_hashes bytea[] not null,
    root bytea not null,
    previous_hash bytea not null,
    seal_hash bytea not null,
    sealed_at timestamptz not null,
    sealed_by text not null,
    constraint seals_range_is_a_range check (from_seq <= to_seq),
    constraint seals_leaves_are_counted check (row_count = cardinality(change_seqs) and row_count = cardinality(row_hashes))
);
comment on table audit.seals is 'Hash chain over audit.row_changes: one row per sealed range. Append-only.';
comment on column audit.seals.seal_no is 'From 1, without gaps.';
comment on column audit.seals.from_seq is 'First change_seq of the range: the one after the seal before.';
comment on column audit.seals.to_seq is 'Last change_seq of the range. Nothing can appear in it any more.';
comment on column audit.seals.row_count is 'Rows in the range; numbers that were rolled back are none.';
comment on column audit.seals.change_seqs is 'Their numbers, ascending.';
comment on column audit.seals.row_hashes is 'Their hashes (audit.row_hash) in the same order: a broken row can be named.';
comment on column audit.seals.root is 'SHA-256 over the numbers and hashes.';
comment on column audit.seals.previous_hash is 'seal_hash of the seal before; empty for the first.';
comment on column audit.seals.seal_hash is 'SHA-256 over this row''s fields, root and previous_hash among them (audit.seal_hash).';
comment on column audit.seals.sealed_at is 'When.';
comment on column audit.seals.sealed_by is 'Login that sealed.';
comment on constraint seals_range_is_a_range on audit.seals is 'The range ends where it begins or later.';
comment on constraint seals_leaves_are_counted on audit.seals is 'There is one number and one hash for each row.';

create function audit.row_hash(change audit.row_changes) returns bytea
language sql stable as $$
    -- Without change_seq, which is beside it in the seal: a row that was moved is still known by its hash.
    select sha256(convert_to(json_build_array(
        change.relation, change.key, change.operation, change.before, change.after, change.changed_columns,
        change.actor, change.acting_as, change.application, change.transaction_id::text,
        extract(epoch from change.at)
    )::text, 'UTF8'))
$$;
comment on function audit.row_hash(audit.row_changes) is 'SHA-256 of a row''s canonical text (JSON array of its fields; the time as seconds since 1970).';

create function audit.seal_root(change_seqs bigint[], row_hashes bytea[]) returns bytea
language sql immutable set search_path = pg_catalog as $$
    select sha256(coalesce(string_agg(int8send(change_seq) || row_hash, ''::bytea order by position), ''::bytea))
    from unnest(change_seqs, row_hashes) with ordinality as leaf (change_seq, row_hash, position)
$$;
comment on function audit.seal_root(bigint[], bytea[]) is 'SHA-256 over the numbers and hashes of a sealed range, in their order.';

create function audit.seal_hash(seal audit.seals) returns bytea
language sql stable set search_path = pg_catalog as $$
    select sha256(convert_to(json_build_array(
        seal.seal_no, seal.from_seq, seal.to_seq, seal.row_count, encode(seal.root, 'hex'),
        encode(seal.previous_hash, 'hex'), extract(epoch from seal.sealed_at), seal.sealed_by
    )::text, 'UTF8'))
$$;
comment on function audit.seal_hash(audit.seals) is 'Link of the chain.';

-- A change_seq is handed out before its transaction commits: a number below the highest one seen can still
-- appear. Every transaction that drew a number up to `upto` had its id before `upto` was read, hence a lower id
-- than this one, which is given afterwards. When all those have ended, no number up to `upto` can appear.
-- (The xmax of a snapshot would not do: it is the lowest id that has not ended, not the highest handed out.)
create function audit.mark() returns xid8
language plpgsql security definer set search_path = pg_catalog as $$
declare
    drawn bigint;
    made xid8;
begin
    if pg_current_xact_id_if_assigned() is not null then
        raise exception 'audit.mark() must be the first statement of its transaction that writes'
            using errcode = 'active_sql_transaction';
    end if;
    select case when is_called then last_value else 0 end into drawn from audit.row_changes_change_seq_seq;
    insert into audit.marks (upto) values (drawn) returning xid into made;
    return made;
end $$;
comment on function audit.mark() is 'Marks how far a seal may reach when the transactions of now have ended. A transaction of its own; returns its id.';

create function audit.seal(max_rows integer default 100000) returns setof audit.seals
language plpgsql security definer set search_path = pg_catalog as $$
declare
    limit_seq bigint;
    last audit.seals;
    made audit.seals;
begin
    lock table audit.seals in share row exclusive mode;
    select max(upto) into limit_seq from audit.marks where xid < pg_snapshot_xmin(pg_current_snapshot());
    select * into last from audit.seals order by seal_no desc limit 1;
    loop
        made := null;
        with batch as (
            select change.change_seq, audit.row_hash(change) as row_hash
            from audit.row_changes as change
            where change.change_seq > coalesce(last.to_seq, 0) and change.change_seq <= limit_seq
            order by change.change_seq
            limit max_rows
        )
        select
            array_agg(change_seq order by change_seq), array_agg(row_hash order by change_seq), count(*),
            case when count(*) = max_rows then max(change_seq) else limit_seq end
        into made.change_seqs, made.row_hashes, made.row_count, made.to_seq
        from batch;
        exit when made.row_count = 0;

        made.seal_no := coalesce(last.seal_no, 0) + 1;
        made.from_seq := coalesce(last.to_seq, 0) + 1;
        made.root := audit.seal_root(made.change_seqs, made.row_hashes);
        made.previous_hash := coalesce(last.seal_hash, '');
        made.sealed_at := clock_timestamp();
        made.sealed_by := session_user;
        made.seal_hash := audit.seal_hash(made);
        insert into audit.seals values (made.*);
        last := made;
        return next made;
    end loop;
    delete from audit.marks where upto <= limit_seq;
end $$;
comment on function audit.seal(integer) is 'Seals what is marked and finished, max_rows rows a seal. Returns the new seals.';

create trigger row_changes_append_only before update or delete or truncate on audit.row_changes
for each statement execute function ops.refuse_mutation('The audit is evidence: it is only added to.');
create trigger seals_append_only before update or delete or truncate on audit.seals
for each statement execute function ops.refuse_mutation('The audit is evidence: it is only added to.');
alter table audit.row_changes enable always trigger row_changes_append_only;
alter table audit.seals enable always trigger seals_append_only;

------------------------------------------------------------------------------- verifying

create type audit.finding as (
    finding text, seal_no bigint, change_seq bigint, relation text, key jsonb, detail text
);
comment on type audit.finding is 'One thing that `warehouse audit verify` reports.';

create function audit.broken_seals() returns setof audit.finding
language sql stable set search_path = pg_catalog as $$
    with chain as (
        select
            seal.*, audit.seal_hash(seal) as actual_hash, audit.seal_root(seal.change_seqs, seal.row_hashes) as actual_root,
            lag(seal.seal_no, 1, 0::bigint) over before as no_before,
            lag(seal.to_seq, 1, 0::bigint) over before as to_before,
            lag(seal.seal_hash, 1, ''::bytea) over before as hash_before
        from audit.seals as seal
        window before as (order by seal.seal_no)
    )
    select told.finding, chain.seal_no, null::bigint, 'audit.seals', null::jsonb, told.detail
    from chain
    cross join lateral (values
        (actual_hash <> seal_hash, 'seal edited', 'its fields do not give its hash'),
        (actual_root <> root, 'seal edited', 'its list of row hashes does not give its root'),
        (no_before <> seal_no - 1, 'seal missing', format('no seal between %s and %s', no_before, seal_no)),
        (
            no_before = seal_no - 1 and (previous_hash <> hash_before or from_seq <> to_before + 1),
            'chain broken', format('it does not follow from seal %s', no_before)
        )
    ) as told (is_so, finding, detail)
    where told.is_so
$$;
comment on function audit.broken_seals() is 'Seals that were edited, removed or replaced.';

create function audit.broken_rows() returns setof audit.finding
language sql stable set search_path = pg_catalog as $$
    with leaves as (
        select seal.seal_no, leaf.change_seq, leaf.row_hash
        from audit.seals as seal
        cross join lateral unnest(seal.change_seqs, seal.row_hashes) as leaf (change_seq, row_hash)
    ),

    found as (
        select change.change_seq, change.relation, change.key, audit.row_hash(change) as row_hash
        from audit.row_changes as change
        where change.change_seq <= (select max(to_seq) from audit.seals)
    ),

    broken as materialized (
        select
            leaves.seal_no, coalesce(leaves.change_seq, found.change_seq) as change_seq, found.relation, found.key,
            leaves.row_hash as sealed_hash, found.row_hash as found_hash
        from leaves full join found on found.change_seq = leaves.change_seq
        where found.row_hash is distinct from leaves.row_hash
    )

    select
        case
            when origin.change_seq is not null then 'row moved'
            when broken.found_hash is null then 'row deleted'
            when broken.sealed_hash is null then 'row inserted'
            else 'row edited'
        end,
        broken.seal_no, broken.change_seq, broken.relation, broken.key,
        case
            when origin.change_seq is not null then format('what is here was sealed as %s', origin.change_seq)
            when broken.found_hash is null then 'sealed, and no longer there'
            when broken.sealed_hash is null then 'in a sealed range, and never sealed'
            else 'not what was sealed'
        end
    from broken
    left join lateral (
        select other.change_seq from broken as other where other.sealed_hash = broken.found_hash order by 1 limit 1
    ) as origin on true
$$;
comment on function audit.broken_rows() is 'Rows of sealed ranges that were edited, deleted, inserted or moved.';

create function audit.broken_watches() returns setof audit.finding
language sql stable set search_path = pg_catalog as $$
    select 'audit off', null::bigint, null::bigint, watched.relation, null::jsonb, format('trigger %s is missing or off', name)
    from audit.watched
    cross join unnest(array['', '_update', '_delete', '_truncate']) as suffix
    cross join lateral (select watched.trigger_name || suffix as name) as expected
    where
        (watched.with_inserts or suffix <> '')
        and not exists (
            select from pg_trigger
            where
                tgrelid = to_regclass(watched.relation)
                and tgname = name
                and tgfoid = 'audit.log_audit_trail()'::regprocedure
                and tgenabled = 'A'
        )
$$;
comment on function audit.broken_watches() is 'Watched tables whose triggers were dropped or switched off.';

create function audit.is_same_row(image jsonb, found jsonb) returns boolean
language sql immutable set search_path = pg_catalog as $$
    select image = found or (
        select bool_and(old.value = found -> old.key) from jsonb_each(image) as old where found ? old.key
    )
$$;
comment on function audit.is_same_row(jsonb, jsonb) is 'Whether a row is as its image says, in the columns that the table still has.';

create function audit.drifted_rows() returns setof audit.finding
language plpgsql stable
set search_path = pg_catalog set timezone = 'UTC' set extra_float_digits = 1 set intervalstyle = 'postgres' set bytea_output = 'hex'
as $$
declare
    watch audit.watched;
begin
    for watch in select * from audit.watched where to_regclass(relation) is not null order by relation loop
        return query execute format(
            'with known as (
                select distinct on (key) change_seq, key, after
                from audit.row_changes where relation = $1 order by key, change_seq desc
            ),
            present as (
                select jsonb_build_object(%s) as key, to_jsonb(x) as image from (select %s from %s) as x
            )
            select
                case
                    when known.key is null or present.key is not null and known.after is null then ''row not audited''
                    when present.key is null then ''row lost''
                    else ''row differs''
                end,
                null::bigint, known.change_seq, $1, coalesce(known.key, present.key),
                case
                    when known.key is null or present.key is not null and known.after is null
                        then ''is there, and no change says how''
                    when present.key is null then ''is gone, and no change says how''
                    else format(
                        ''differs from its last audited image in %%s'',
                        array_to_string(audit.changed_columns(known.after, present.image), '', '')
                    )
                end
            from known full join present on present.key = known.key
            where
                case
                    when known.key is null then $2
                    when present.key is null then known.after is not null
                    else known.after is null or not audit.is_same_row(known.after, present.image)
                end',
            (
                select string_agg(format('%1$L, x.%1$I', name), ', ')
                from unnest(audit.key_columns(to_regclass(watch.relation))) as name
            ),
            -- The auditor, who may not read hidden columns, verifies too.
            (
                select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                where
                    attrelid = to_regclass(watch.relation)
                    and attnum > 0
                    and not attisdropped
                    and attname <> all (watch.hidden)
            ),
            to_regclass(watch.relation)
        ) using watch.relation, watch.with_inserts;
    end loop;
end $$;
comment on function audit.drifted_rows() is 'Rows of watched tables that are not as their last audited change left them: changed past the triggers.';

create function audit.verify() returns setof audit.finding
language sql stable set search_path = pg_catalog as $$
    select * from audit.broken_seals()
    union all select * from audit.broken_rows()
    union all select * from audit.broken_watches()
    union all select * from audit.drifted_rows()
$$;
comment on function audit.verify() is 'Everything that is wrong with the audit; empty: nothing was altered.';

------------------------------------------------------------------------------- reading

create view audit.audit_trail with (security_invoker = true) as
select
    row_changes.change_seq as id,
    row_changes.relation as table_name,
    row_changes.operation,
    row_changes.key as record_id,
    row_changes.before as old_values,
    row_changes.after as new_values,
    row_changes.changed_columns,
    row_changes.actor as changed_by,
    row_changes.at as changed_at,
    row_changes.transaction_id
from audit.row_changes;
comment on view audit.audit_trail is 'audit.row_changes by the name of seed A.';

create index row_changes_key_idx on audit.row_changes (relation, key);

-- Rows are repaired in quarantine by hand: who did is audited. What the rows hold can be personal data.
select audit.watch('ops.quarantine', hidden => '{payload,original_payload}', with_inserts => false);
select audit.watch('ref.instruments');
select audit.watch('ref.symbol_history');
select audit.watch('ref.corporate_actions');
select audit.watch('raw_ml.models');
