-- Forgetting a user: personal data goes, wherever it is; ledgers stay, with a key that nobody can resolve any more.

create table ops.erasure_log (
    erasure_id bigint generated always as identity constraint erasure_log_pkey primary key,
    user_id uuid not null,
    reason types.impersonal_text not null constraint erasure_log_reason_not_empty check (reason ~ '\S'),
    removed jsonb not null,
    remaining jsonb not null,
    erased_by text not null default session_user,
    erased_at timestamptz not null default clock_timestamp()
);
create index erasure_log_user_idx on ops.erasure_log (user_id);
comment on table ops.erasure_log is 'Who was forgotten, when, by whom and why: proof without a word about the person. Ledger.';
comment on column ops.erasure_log.erasure_id is 'Number of the erasure.';
comment on column ops.erasure_log.user_id is 'Key of the user, a pseudonym from now on: nothing here leads from it to a person.';
comment on column ops.erasure_log.reason is 'Why: the request and its reference, never a name or an e-mail address.';
comment on column ops.erasure_log.removed is 'Number of rows changed or removed, by relation and column.';
comment on column ops.erasure_log.remaining is 'Rows in which the person''s data is still found, by relation and column: of ledgers, which cannot change. Empty when all is gone.';
comment on column ops.erasure_log.erased_by is 'Login that did it.';
comment on column ops.erasure_log.erased_at is 'When.';
comment on constraint erasure_log_reason_not_empty on ops.erasure_log is 'The erasure has no reason.';
create trigger erasure_log_append_only before update or delete or truncate on ops.erasure_log
for each statement execute function ops.refuse_mutation('An erasure stays on record.');

create table ops.personal_columns (
    relation text not null,
    column_name text not null,
    user_column text not null,
    constraint personal_columns_pkey primary key (relation, column_name)
);
comment on table ops.personal_columns is 'Columns beside raw_prop.users_pii that tell something of a user: emptied when the user is forgotten, and in no image of the audit.';
comment on column ops.personal_columns.relation is 'Schema and table.';
comment on column ops.personal_columns.column_name is 'Column that is set to NULL.';
comment on column ops.personal_columns.user_column is 'Column with the key of the user.';
insert into ops.personal_columns (relation, column_name, user_column)
values
('raw_prop.payments', 'metadata', 'user_id'),
('raw_logs.user_action_logs', 'ip_address', 'user_id'),
('raw_logs.user_action_logs', 'user_agent', 'user_id'),
('raw_logs.user_action_logs', 'session_id', 'user_id'),
('raw_logs.user_action_logs', 'request_path', 'user_id'),
('raw_logs.user_action_logs', 'metadata', 'user_id');

-- What an application sends again of somebody who is forgotten does not come back this way either.
create function raw_prop.drop_forgotten_metadata() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if exists (select from raw_prop.user_accounts where id = new.user_id and forgotten_at is not null) then
        new.metadata := null;
    end if;
    return new;
end $$;
comment on function raw_prop.drop_forgotten_metadata() is 'Row trigger of payments: nothing personal is kept of a forgotten user.';
create trigger payments_drop_metadata before insert or update on raw_prop.payments
for each row when (new.metadata is not null) execute function raw_prop.drop_forgotten_metadata();

-- What the audit keeps it keeps for good: columns that may say something personal are in no image of it. File names and
-- reasons of the quarantine may quote a value.
select audit.watch('raw_prop.payments', '{metadata}');
select audit.watch('ops.quarantine', '{payload,original_payload,file,reason}', false);

------------------------------------------------------------------------------- finding

-- Whole values only: 10.0.0.1 is not in 10.0.0.12. In JSON, quotes and backslashes are escaped.
create function ops.personal_pattern(personal text[]) returns text
language sql stable set search_path = pg_catalog as $$
    select
        '(?<![[:alnum:]_.+-])('
        || string_agg(distinct regexp_replace(spelled, '([^[:alnum:]])', '\\\1', 'g'), '|')
        || ')(?![[:alnum:]_])'
    from unnest(personal) as value
    cross join lateral (
        values (value), (substr(to_json(value)::text, 2, length(to_json(value)::text) - 2))
    ) as v (spelled)
    where length(btrim(value)) >= 4
$$;
comment on function ops.personal_pattern(text[]) is 'Regular expression that finds any of the values; shorter than four characters finds everybody, and is left out.';

create function ops.text_columns() returns table (relation regclass, column_name name)
language sql stable set search_path = pg_catalog as $$
    select c.oid::regclass, a.attname
    from pg_class as c
    inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    inner join pg_type as t on t.oid = a.atttypid
    where c.relkind in ('r', 'm', 'p') and not c.relispartition
        and c.relnamespace::regnamespace::text !~ '^(pg_|information_schema|"?pg_temp)'
        and a.attgenerated = ''
        and coalesce(nullif(t.typbasetype, 0), t.oid)::regtype::text in (
            'text', 'character varying', 'json', 'jsonb', 'inet', 'cidr', 'text[]', 'character varying[]', 'name'
        )
        -- Market data is by instrument and knows no users.
        and not exists (
            select from pg_attribute as i where i.attrelid = c.oid and i.attname = 'instrument_id' and not i.attisdropped
        )
$$;
comment on function ops.text_columns() is 'Columns that could hold personal data: text, JSON and addresses of every table that is not by instrument.';

create function ops.find_personal(personal text[]) returns table (relation text, column_name text, rows bigint)
language plpgsql stable set search_path = pg_catalog as $$
declare
    pattern constant text := ops.personal_pattern(personal);
    place record;
    found_rows bigint;
begin
    if pattern is null then
        return;
    end if;
    for place in
        select t.relation, array_agg(t.column_name order by t.column_name) as names
        from ops.text_columns() as t group by t.relation order by t.relation::text
    loop
        -- Once through the table for all its columns; which one it is matters only where something is found.
        execute format(
            'select count(*) from %s as t where concat_ws(chr(10), %s) ~* $1', place.relation,
            (select string_agg(format('t.%I::text', name), ', ') from unnest(place.names) as name)
        ) into found_rows using pattern;
        continue when found_rows = 0;
        for column_name in select unnest(place.names) loop
            execute format('select count(*) from %s as t where t.%I::text ~* $1', place.relation, column_name)
            into rows using pattern;
            if rows > 0 then
                relation := place.relation::text;
                return next;
            end if;
        end loop;
    end loop;
end $$;
comment on function ops.find_personal(text[]) is 'Where in the database the values are found: rows by table and column. Reads every table that is not by instrument.';

------------------------------------------------------------------------------- forgetting

create function ops.rest_guards(relation regclass) returns text
language plpgsql set search_path = pg_catalog as $$
declare
    guard record;
    restore text := 'select';
begin
    for guard in
        select t.tgname, case t.tgenabled when 'A' then 'always' when 'R' then 'replica' else '' end as kind
        from pg_trigger as t inner join pg_proc as p on t.tgfoid = p.oid
        where t.tgrelid = rest_guards.relation and t.tgenabled <> 'D'
            and p.proname in ('refuse_mutation', 'keep_original_payload')
    loop
        execute format('alter table %s disable trigger %I', relation, guard.tgname);
        restore := restore || format('; alter table %s enable %s trigger %I', relation, guard.kind, guard.tgname);
    end loop;
    return restore;
end $$;
comment on function ops.rest_guards(regclass) is 'Lets the triggers rest that would refuse or keep what is to be erased, those of the audit never; the SQL it returns wakes them.';

create function ops.forget_user(forgotten uuid, why text) returns table (removed jsonb, remaining jsonb)
language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    person raw_prop.users_pii;
    personal text[];
    pattern text;
    place record;
    touched bigint;
    done jsonb := '{}';
    left_over jsonb;
    restore text;
begin
    -- A table with a check that is put off does not let its triggers rest.
    set constraints all immediate;
    perform from raw_prop.user_accounts where id = forgotten for update;
    if not found then
        raise exception 'no user %', forgotten using errcode = 'no_data_found';
    end if;
    select * into person from raw_prop.users_pii where user_id = forgotten;
    personal := array_remove(array[person.email, person.full_name, person.phone, host(person.last_ip)], null);
    pattern := ops.personal_pattern(personal);

    update raw_prop.user_accounts
    set forgotten_at = now(), deleted_at = coalesce(deleted_at, now()), version = version + 1
    where id = forgotten and forgotten_at is null;
    delete from raw_prop.users_pii where user_id = forgotten;
    get diagnostics touched = row_count;
    if touched > 0 then
        done := done || jsonb_build_object('raw_prop.users_pii', touched);
    end if;

    -- What other tables tell of the user, by key. A ledger gives up these columns and nothing else.
    for place in
        select p.relation::regclass as relation, array_agg(p.column_name) as names, min(p.user_column) as user_column
        from ops.personal_columns as p where to_regclass(p.relation) is not null group by p.relation
    loop
        restore := ops.rest_guards(place.relation);
        execute format(
            'update %s set %s where %I::text = $1 and coalesce(%s) is not null', place.relation,
            (select string_agg(format('%I = null', name), ', ') from unnest(place.names) as name),
            place.user_column,
            (select string_agg(format('%I::text', name), ', ') from unnest(place.names) as name)
        ) using forgotten::text;
        get diagnostics touched = row_count;
        execute restore;
        if touched > 0 then
            done := done || jsonb_build_object(place.relation::text, touched);
        end if;
    end loop;

    -- What waits in quarantine of the user, by key.
    update ops.quarantine
    set payload = payload - array['email', 'password_hash', 'full_name', 'phone', 'country', 'last_ip', 'metadata']
    where dataset like 'raw\_prop.%'
        and forgotten::text in (payload ->> 'id', payload ->> 'user_id')
        and payload ?| array['email', 'password_hash', 'full_name', 'phone', 'country', 'last_ip', 'metadata'];
    get diagnostics touched = row_count;
    -- The payload before that is kept as the original one; it has to go as well.
    update ops.quarantine set original_payload = null
    where original_payload is not null and dataset like 'raw\_prop.%'
        and forgotten::text in (payload ->> 'id', payload ->> 'user_id');
    if touched > 0 then
        done := done || jsonb_build_object('ops.quarantine', touched);
    end if;

    -- And wherever our own records and the logs say it in words.
    if pattern is not null then
        for place in
            select t.relation, t.column_name, a.atttypid::regtype::text as type
            from ops.text_columns() as t
            inner join pg_class as c on c.oid = t.relation
            inner join pg_attribute as a on a.attrelid = t.relation and a.attname = t.column_name
            where c.relkind = 'r' and c.relnamespace::regnamespace::text in ('ops', 'raw_logs')
                and t.relation <> 'ops.erasure_log'::regclass
                and a.atttypid::regtype::text not in ('inet', 'cidr')
            order by 1, 2
        loop
            execute format('select count(*) from %s as t where t.%I::text ~* $1', place.relation, place.column_name)
            into touched using pattern;
            continue when touched = 0;
            restore := ops.rest_guards(place.relation);
            execute format(
                'update %1$s as t set %2$I = regexp_replace(t.%2$I::text, $1, ''[erased]'', ''gi'')::%3$s
                where t.%2$I::text ~* $1', place.relation, place.column_name, place.type
            ) using pattern;
            execute restore;
            done := done || jsonb_build_object(format('%s.%s', place.relation, place.column_name), touched);
        end loop;
    end if;

    select coalesce(jsonb_object_agg(format('%s.%s', f.relation, f.column_name), f.rows), '{}') into left_over
    from ops.find_personal(personal) as f;
    if done <> '{}' then
        insert into ops.erasure_log (user_id, reason, removed, remaining) values (forgotten, why, done, left_over);
    end if;
    return query select done, left_over;
end $$;
comment on function ops.forget_user(uuid, text) is 'Erases the personal data of a user (`warehouse forget`): what was removed, and where some of it is left. A second time finds nothing more.';

select ops.apply_roles();
