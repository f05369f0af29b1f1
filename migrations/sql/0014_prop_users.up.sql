-- The prop-trading application: users with their personal data apart, and the rules of challenges.

create domain types.impersonal_text as text constraint text_holds_no_personal_data check (
    value !~* '[[:alnum:]._%+-]+@[[:alnum:]-]+\.[[:alpha:]]{2,}'
);
create domain types.impersonal_json as jsonb
constraint json_is_object check (jsonb_typeof(value) = 'object')
constraint json_holds_no_personal_data check (
    value::text !~* '[[:alnum:]._%+-]+@[[:alnum:]-]+\.[[:alpha:]]{2,}'
    and value::text !~* '"(e_?mail|phone|full_?name|first_?name|last_?name|ip|ip_?address|date_?of_?birth)":'
);
comment on domain types.impersonal_text is 'Text of a ledger: no e-mail address. What a ledger holds can never be taken out again.';
comment on domain types.impersonal_json is 'JSON object of a ledger: no e-mail address, no key that names personal data.';
comment on constraint text_holds_no_personal_data on domain types.impersonal_text is 'A ledger holds no e-mail address: name the user by id.';
comment on constraint json_is_object on domain types.impersonal_json is 'The JSON is no object.';
comment on constraint json_holds_no_personal_data on domain types.impersonal_json is 'A ledger holds no personal data (e-mail, name, phone, IP address): leave these keys out.';

create domain types.currency as text constraint currency_is_code check (value ~ '^[A-Z][A-Z0-9]{2,9}$');
comment on domain types.currency is 'ISO 4217 (USD), or the code of a crypto currency (USDT).';
comment on constraint currency_is_code on domain types.currency is 'The currency is no code such as USD or USDT.';

------------------------------------------------------------------------------- functions of the triggers

-- Arguments: the state an application begins with, then every step as FROM>TO. A row that the loader brings (it has
-- a batch) is as far as its application took it: it may begin anywhere and take several steps at once.
create function raw_prop.check_status() returns trigger
language plpgsql set search_path = pg_catalog as $$
declare
    is_landed constant boolean := new.batch_id is not null
        and (tg_op = 'INSERT' or new.batch_id is distinct from old.batch_id);
    is_allowed boolean;
begin
    if tg_op = 'INSERT' then
        if not is_landed and new.status <> tg_argv[0] then
            raise exception '%.% %: begins as %, not as %',
                tg_table_schema, tg_table_name, new.id, tg_argv[0], new.status
                using errcode = 'check_violation', hint = 'Insert it as ' || tg_argv[0] || ', then update its status.';
        end if;
        return new;
    end if;
    if new.status = old.status then
        return new;
    end if;
    with recursive steps as (
        select split_part(step, '>', 1) as from_status, split_part(step, '>', 2) as to_status
        from unnest(tg_argv[1:]) as step
    ),

    reachable as (
        select to_status as status from steps where from_status = old.status
        union
        select s.to_status from reachable as r
        inner join steps as s on r.status = s.from_status
        where is_landed
    )

    select exists (select from reachable where status = new.status) into is_allowed;
    if not is_allowed then
        raise exception '%.% %: % cannot become %', tg_table_schema, tg_table_name, old.id, old.status, new.status
            using errcode = 'check_violation', hint = coalesce(
                'From ' || old.status || ' it can only become '
                || (select string_agg(split_part(s, '>', 2), ' or ') from unnest(tg_argv[1:]) as s where split_part(s, '>', 1) = old.status) || '.',
                old.status || ' is final.'
            );
    end if;
    return new;
end $$;
comment on function raw_prop.check_status() is 'Row trigger of state tables: the state machine. Arguments: first state, then steps as FROM>TO.';

create function raw_prop.keep_columns() returns trigger
language plpgsql set search_path = pg_catalog as $$
declare
    changed constant text := (
        select string_agg(c, ', ') from unnest(tg_argv) as c
        where to_jsonb(new) -> c is distinct from to_jsonb(old) -> c
    );
begin
    if changed is not null then
        raise exception '%.% %: % cannot change', tg_table_schema, tg_table_name, to_jsonb(old) ->> 'id', changed
            using errcode = 'restrict_violation', hint = 'These columns are what the record is about: write another record.';
    end if;
    return new;
end $$;
comment on function raw_prop.keep_columns() is 'Row trigger before UPDATE: the columns in its arguments never change.';

create function raw_prop.check_landed_version() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if new.version < old.version then
        raise exception '%.% %: version % is older than %, which is landed',
            tg_table_schema, tg_table_name, new.id, new.version, old.version
            using errcode = 'serialization_failure', hint = 'The application was restored, or the rows come from a copy of it.';
    end if;
    return new;
end $$;
comment on function raw_prop.check_landed_version() is 'Row trigger before UPDATE of a landed row: several updates may lie between two landings, but none is undone.';

------------------------------------------------------------------------------- users

create table raw_prop.user_accounts (
    id uuid constraint user_accounts_pkey primary key default gen_random_uuid(),
    role text not null default 'USER'
    constraint user_accounts_role_known check (role in ('USER', 'ADMIN', 'SUPERADMIN')),
    status text not null default 'ACTIVE' constraint user_accounts_status_known check (status in ('ACTIVE', 'SUSPENDED')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    forgotten_at timestamptz,
    version integer not null default 1 constraint user_accounts_version_positive check (version > 0),
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint user_accounts_tenant_key unique (id, tenant_id),
    constraint user_accounts_forgotten_is_deleted check (forgotten_at is null or deleted_at is not null)
);
create index user_accounts_active_idx on raw_prop.user_accounts (tenant_id, role) where deleted_at is null;
comment on table raw_prop.user_accounts is 'A user without any personal data: the key that ledgers hold. Never deleted. State.';
comment on column raw_prop.user_accounts.id is 'Random UUID: says nothing about the user, and nothing of who came before.';
comment on column raw_prop.user_accounts.role is 'USER, ADMIN or SUPERADMIN: what the application lets the user do.';
comment on column raw_prop.user_accounts.status is 'ACTIVE or SUSPENDED.';
comment on column raw_prop.user_accounts.created_at is 'When the user registered.';
comment on column raw_prop.user_accounts.updated_at is 'When this row was last changed.';
comment on column raw_prop.user_accounts.deleted_at is 'When the user left (soft delete); NULL: is here.';
comment on column raw_prop.user_accounts.forgotten_at is 'When the personal data was erased (`warehouse forget`); it never comes back. NULL: not asked for.';
comment on column raw_prop.user_accounts.version is 'Optimistic lock: every update of an application raises it by one.';
comment on column raw_prop.user_accounts.tenant_id is 'Whose user this is; row-level security reads it.';
comment on column raw_prop.user_accounts.source is 'Application or feed the row came from.';
comment on column raw_prop.user_accounts.batch_id is 'Landing that brought or last changed the row; NULL: an application wrote it itself.';
comment on column raw_prop.user_accounts.known_at is 'When the warehouse first knew it.';
comment on constraint user_accounts_role_known on raw_prop.user_accounts is 'The role is not USER, ADMIN or SUPERADMIN.';
comment on constraint user_accounts_status_known on raw_prop.user_accounts is 'The status of a user is not ACTIVE or SUSPENDED.';
comment on constraint user_accounts_version_positive on raw_prop.user_accounts is 'The version is below 1.';
comment on constraint user_accounts_tenant_key on raw_prop.user_accounts is 'Lets references name the tenant too: nothing belongs to a user of another tenant.';
comment on constraint user_accounts_forgotten_is_deleted on raw_prop.user_accounts is 'A forgotten user has no deleted_at.';

create table raw_prop.users_pii (
    user_id uuid constraint users_pii_pkey primary key,
    email text not null constraint users_pii_email_is_address check (email ~ '^[^@\s]+@[^@\s]+$'),
    password_hash text constraint users_pii_password_is_hashed check (
        password_hash ~ '^(\$2[abxy]\$[0-9]{2}\$|\$scrypt\$|\$7\$|scrypt:).'
    ),
    full_name text,
    phone text,
    country text constraint users_pii_country_is_code check (country ~ '^[A-Z]{2}$'),
    last_ip inet,
    metadata jsonb,
    updated_at timestamptz not null default now(),
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint users_pii_belongs_to_user foreign key (user_id, tenant_id) references raw_prop.user_accounts (id, tenant_id)
);
create unique index users_pii_email_key on raw_prop.users_pii (tenant_id, lower(email));
comment on table raw_prop.users_pii is 'Personal data of users, and the only place for it: forgetting a user removes the row. State.';
comment on column raw_prop.users_pii.user_id is 'The user.';
comment on column raw_prop.users_pii.email is 'E-mail address, unique in a tenant whatever its case.';
comment on column raw_prop.users_pii.password_hash is 'bcrypt ($2b$…) or scrypt; never a password. NULL: signs in elsewhere, or pulled (hashes stay with the application).';
comment on column raw_prop.users_pii.full_name is 'Name; NULL: not told.';
comment on column raw_prop.users_pii.phone is 'Phone number; NULL: not told.';
comment on column raw_prop.users_pii.country is 'ISO 3166 country of residence, two letters; NULL: not told.';
comment on column raw_prop.users_pii.last_ip is 'Address of the last sign-in; NULL: not told.';
comment on column raw_prop.users_pii.metadata is 'Whatever else the application keeps of the user, encrypted by it; NULL: nothing.';
comment on column raw_prop.users_pii.updated_at is 'When this row was last changed.';
comment on column raw_prop.users_pii.tenant_id is 'Tenant of the user.';
comment on column raw_prop.users_pii.source is 'Application or feed the row came from.';
comment on column raw_prop.users_pii.batch_id is 'Landing that brought or last changed the row; NULL: an application wrote it itself.';
comment on column raw_prop.users_pii.known_at is 'When the warehouse first knew it.';
comment on constraint users_pii_email_is_address on raw_prop.users_pii is 'The e-mail is no address.';
comment on constraint users_pii_password_is_hashed on raw_prop.users_pii is 'The password is not hashed with bcrypt or scrypt.';
comment on constraint users_pii_country_is_code on raw_prop.users_pii is 'The country is no ISO 3166 code of two letters.';
comment on constraint users_pii_belongs_to_user on raw_prop.users_pii is 'No such user in this tenant.';
comment on index raw_prop.users_pii_email_key is 'Another user has this e-mail address.';

create function raw_prop.keep_forgotten() returns trigger
language plpgsql set search_path = pg_catalog as $$
declare
    is_forgotten boolean;
begin
    select forgotten_at is not null into is_forgotten from raw_prop.user_accounts
    where id = coalesce(new.user_id, old.user_id);
    if tg_op = 'DELETE' and is_forgotten is not true then
        raise exception 'raw_prop.users_pii %: the personal data of a user who is not forgotten', old.user_id
            using errcode = 'restrict_violation',
            hint = 'To erase it: warehouse forget USER_ID --reason …; a user who left: update users set deleted_at = now().';
    elsif tg_op <> 'DELETE' and is_forgotten then
        raise exception 'raw_prop.users_pii %: the user is forgotten', new.user_id
            using errcode = 'restrict_violation', hint = 'Erased personal data does not come back: register a new user.';
    end if;
    return coalesce(new, old);
end $$;
comment on function raw_prop.keep_forgotten() is 'Row trigger: personal data goes only when the user is forgotten, and then stays away.';

create trigger user_accounts_stay before delete or truncate on raw_prop.user_accounts
for each statement execute function ops.refuse_mutation('A user who left: update users set deleted_at = now().');
create trigger user_accounts_keep before update on raw_prop.user_accounts
for each row execute function raw_prop.keep_columns('id', 'tenant_id', 'created_at');
create trigger user_accounts_version before update on raw_prop.user_accounts
for each row when (new.batch_id is not distinct from old.batch_id) execute function ops.check_version();
create trigger user_accounts_landed_version before update on raw_prop.user_accounts
for each row when (new.batch_id is distinct from old.batch_id) execute function raw_prop.check_landed_version();
create trigger user_accounts_touch before update on raw_prop.user_accounts
for each row execute function ops.touch_updated_at();
create trigger user_accounts_log_changes after insert on raw_prop.user_accounts
referencing new table as changed for each statement execute function ops.log_landed('id', 'updated_at');
create trigger user_accounts_log_updates after update on raw_prop.user_accounts
referencing new table as changed for each statement execute function ops.log_landed('id', 'updated_at');

create trigger users_pii_keep_forgotten before insert or update or delete on raw_prop.users_pii
for each row execute function raw_prop.keep_forgotten();
create trigger users_pii_stay before truncate on raw_prop.users_pii
for each statement execute function ops.refuse_mutation('To erase one user: warehouse forget USER_ID --reason ….');
create trigger users_pii_touch before update on raw_prop.users_pii
for each row execute function ops.touch_updated_at();
create trigger users_pii_log_changes after insert on raw_prop.users_pii
referencing new table as changed for each statement execute function ops.log_landed('user_id', 'updated_at');
create trigger users_pii_log_updates after update on raw_prop.users_pii
referencing new table as changed for each statement execute function ops.log_landed('user_id', 'updated_at');

create view raw_prop.users with (security_invoker = true) as
select
    a.id,
    p.email,
    p.password_hash,
    a.role,
    a.status,
    p.full_name,
    p.phone,
    p.country,
    p.last_ip,
    p.metadata,
    a.created_at,
    a.updated_at,
    a.deleted_at,
    a.version,
    a.tenant_id
from raw_prop.user_accounts as a
left join raw_prop.users_pii as p on a.id = p.user_id;
comment on view raw_prop.users is 'Users as the application knows them; INSERT and UPDATE go to user_accounts and users_pii, DELETE is refused.';

create function raw_prop.write_user() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'raw_prop.users %: a user is never deleted', old.id
            using errcode = 'restrict_violation',
            hint = 'A user who left: update users set deleted_at = now(). To erase personal data: warehouse forget USER_ID --reason ….';
    elsif tg_op = 'INSERT' then
        insert into raw_prop.user_accounts (id, role, status, created_at, deleted_at, version, tenant_id)
        values (
            coalesce(new.id, gen_random_uuid()), coalesce(new.role, 'USER'), coalesce(new.status, 'ACTIVE'),
            coalesce(new.created_at, now()), new.deleted_at, coalesce(new.version, 1), coalesce(new.tenant_id, 'house')
        )
        returning id, role, status, created_at, updated_at, version, tenant_id
        into new.id, new.role, new.status, new.created_at, new.updated_at, new.version, new.tenant_id;
    else
        if new.id is distinct from old.id then
            raise exception 'raw_prop.users %: id cannot change', old.id using errcode = 'restrict_violation';
        end if;
        -- Where another session was faster no row has the version that was read: UPDATE 0, as on a table.
        update raw_prop.user_accounts
        set role = new.role, status = new.status, deleted_at = new.deleted_at, created_at = new.created_at,
            tenant_id = new.tenant_id, version = new.version
        where id = old.id and version = old.version
        returning updated_at into new.updated_at;
        if not found then
            return null;
        end if;
        if (new.email, new.password_hash, new.full_name, new.phone, new.country, new.last_ip, new.metadata)
            is not distinct from
            (old.email, old.password_hash, old.full_name, old.phone, old.country, old.last_ip, old.metadata) then
            return new;
        end if;
    end if;
    insert into raw_prop.users_pii as p (
        user_id, email, password_hash, full_name, phone, country, last_ip, metadata, tenant_id
    ) values (
        new.id, new.email, new.password_hash, new.full_name, new.phone, new.country, new.last_ip, new.metadata, new.tenant_id
    )
    on conflict (user_id) do update
    set email = excluded.email, password_hash = excluded.password_hash, full_name = excluded.full_name,
        phone = excluded.phone, country = excluded.country, last_ip = excluded.last_ip, metadata = excluded.metadata;
    return new;
end $$;
comment on function raw_prop.write_user() is 'INSTEAD OF trigger of raw_prop.users.';
create trigger users_write instead of insert or update or delete on raw_prop.users
for each row execute function raw_prop.write_user();

------------------------------------------------------------------------------- rules of challenges

create table raw_prop.challenge_rules (
    rule_set types.label not null,
    version integer not null constraint challenge_rules_version_positive check (version > 0),
    rule_kind text not null constraint challenge_rules_kind_known check (
        rule_kind in (
            'max_daily_drawdown', 'max_total_drawdown', 'profit_target', 'min_trading_days', 'max_calendar_days',
            'max_idle_days', 'max_trades_per_day', 'max_position_quantity', 'max_day_share_of_profit'
        )
    ),
    threshold types.non_negative not null,
    measured_from text constraint challenge_rules_base_known check (
        measured_from in ('initial_balance', 'daily_start_equity', 'daily_max_equity', 'max_equity_ever')
    ),
    reset_time time not null default '00:00',
    reset_time_zone types.label not null default 'UTC',
    valid_from timestamptz not null,
    description types.impersonal_text,
    tenant_id types.label not null default 'house',
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint challenge_rules_pkey primary key (tenant_id, rule_set, version, rule_kind),
    constraint challenge_rules_fraction_at_most_1 check (
        rule_kind not in ('max_daily_drawdown', 'max_total_drawdown', 'profit_target', 'max_day_share_of_profit')
        or threshold <= 1
    ),
    constraint challenge_rules_drawdown_has_base check (
        (rule_kind in ('max_daily_drawdown', 'max_total_drawdown', 'profit_target')) = (measured_from is not null)
    )
);
comment on table raw_prop.challenge_rules is 'What a challenge is judged by, as versioned data. A changed rule is a new version of its whole rule set. Ledger.';
comment on column raw_prop.challenge_rules.rule_set is 'Name of the set; challenges.rule_set refers to it.';
comment on column raw_prop.challenge_rules.version is 'Version of the set, from 1; in force from valid_from until the next version''s.';
comment on column raw_prop.challenge_rules.rule_kind is 'What is measured; each kind once in a version.';
comment on column raw_prop.challenge_rules.threshold is 'Fraction in [0, 1] for drawdowns, profit_target and max_day_share_of_profit; else days, trades or units.';
comment on column raw_prop.challenge_rules.measured_from is 'What a drawdown or target is a fraction of, and measured from; NULL for kinds that are no fraction of equity.';
comment on column raw_prop.challenge_rules.reset_time is 'Local time at which a trading day begins.';
comment on column raw_prop.challenge_rules.reset_time_zone is 'IANA zone of reset_time.';
comment on column raw_prop.challenge_rules.valid_from is 'From when the version is in force, for challenges activated from then on.';
comment on column raw_prop.challenge_rules.description is 'The rule in words, for people; NULL: none.';
comment on column raw_prop.challenge_rules.tenant_id is 'Whose rules these are.';
comment on column raw_prop.challenge_rules.source is 'Application or feed the row came from.';
comment on column raw_prop.challenge_rules.batch_id is 'Landing that brought the row; NULL: an application wrote it itself.';
comment on column raw_prop.challenge_rules.known_at is 'When the warehouse first knew it.';
comment on constraint challenge_rules_version_positive on raw_prop.challenge_rules is 'The version is below 1.';
comment on constraint challenge_rules_kind_known on raw_prop.challenge_rules is 'No such kind of rule.';
comment on constraint challenge_rules_base_known on raw_prop.challenge_rules is 'A drawdown is not measured from this.';
comment on constraint challenge_rules_fraction_at_most_1 on raw_prop.challenge_rules is 'A fraction above 1: thresholds are fractions, never percentages.';
comment on constraint challenge_rules_drawdown_has_base on raw_prop.challenge_rules is 'measured_from is for drawdowns and the profit target, and required there.';

create function raw_prop.check_rules() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    perform now() at time zone new.reset_time_zone;  -- refuses what is no time zone
    if exists (
        select from raw_prop.challenge_rules as r
        where r.tenant_id = new.tenant_id and r.rule_set = new.rule_set
            and case
                when r.version < new.version then r.valid_from >= new.valid_from
                when r.version > new.version then r.valid_from <= new.valid_from
                else r.valid_from <> new.valid_from
            end
    ) then
        raise exception 'raw_prop.challenge_rules % %: valid_from % is out of order', new.rule_set, new.version, new.valid_from
            using errcode = 'check_violation',
            hint = 'Every rule of a version has the same valid_from, and a later version a later one.';
    end if;
    return new;
end $$;
comment on function raw_prop.check_rules() is 'Row trigger: known time zone; versions of a rule set come into force in their order.';
create trigger challenge_rules_check before insert on raw_prop.challenge_rules
for each row execute function raw_prop.check_rules();
create trigger challenge_rules_append_only before update or delete or truncate on raw_prop.challenge_rules
for each statement execute function ops.refuse_mutation('A changed rule is a new version of its rule set.');
create trigger challenge_rules_log_changes after insert on raw_prop.challenge_rules
referencing new table as changed for each statement execute function ops.log_landed('rule_set', 'valid_from');
