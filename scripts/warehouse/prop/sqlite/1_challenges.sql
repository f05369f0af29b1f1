-- The prop-trading application on SQLite 3.35 or later: the tables of schema raw_prop, their constraints and triggers.
-- `warehouse prop sqlite PATH` creates it. Every connection has to say `pragma foreign_keys = on`.
-- Times are text in ISO 8601, UTC where they name no offset. Amounts are binary: 15 digits are exact.

pragma foreign_keys = on;

-- REPLACE takes a row away without any trigger. So that it cannot reach a record, an insert whose key is taken also
-- writes here, where nothing fits: INSERT fails, INSERT OR IGNORE does nothing, INSERT OR REPLACE fails.
create table write_guard (
    what text not null constraint record_exists_already check (what is null)
);

------------------------------------------------------------------------------- users

create table users (
    id text not null default (lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
        || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
    )) primary key
    constraint users_id_is_uuid check (
        id like '________-____-____-____-____________' and replace(id, '-', '') not glob '*[^0-9a-fA-F]*'
    ),
    email text not null
    constraint users_email_is_address check (email glob '?*@?*' and email not glob '*@*@*' and email not glob '* *'),
    password_hash text constraint users_password_is_hashed check (
        password_hash glob '$2[abxy]$[0-9][0-9]$?*' or password_hash glob '$scrypt$?*'
        or password_hash glob '$7$?*' or password_hash glob 'scrypt:?*'
    ),
    role text not null default 'USER' constraint users_role_known check (role in ('USER', 'ADMIN', 'SUPERADMIN')),
    status text not null default 'ACTIVE' constraint users_status_known check (status in ('ACTIVE', 'SUSPENDED')),
    full_name text,
    phone text,
    country text constraint users_country_is_code check (country glob '[A-Z][A-Z]'),
    last_ip text,
    metadata text constraint users_metadata_is_json check (metadata is null or json_valid(metadata)),
    created_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint users_created_at_is_time check (created_at like '____-__-__%' and julianday(created_at) is not null),
    updated_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint users_updated_at_is_time check (updated_at like '____-__-__%' and julianday(updated_at) is not null),
    deleted_at text
    constraint users_deleted_at_is_time check (
        deleted_at is null or deleted_at like '____-__-__%' and julianday(deleted_at) is not null
    ),
    version integer not null default 1
    constraint users_version_from_1 check (typeof(version) in ('integer') and version >= 1),
    tenant_id text not null default 'house' constraint users_tenant_id_not_empty check (trim(tenant_id) <> ''),
    constraint users_tenant_key unique (id, tenant_id)
);
create unique index users_email_key on users (tenant_id, lower(email));
create index users_active_idx on users (tenant_id, role) where deleted_at is null;
create trigger users_no_replace before insert on users
when exists (select 1 from users where id = new.id)
begin insert into write_guard (what) values ('users'); end;
create trigger users_stay before delete on users
begin select raise(abort, 'users: delete refused. A user who left: update users set deleted_at = ….'); end;
create trigger users_keep before update on users
when new.id is not old.id
    or new.tenant_id is not old.tenant_id
    or new.created_at is not old.created_at
begin select raise(abort, 'users: what the record is about cannot change'); end;
create trigger users_version before update of
    email, password_hash, role, status, full_name, phone, country, last_ip, metadata, deleted_at, version
on users
when new.version is not old.version + 1
begin select raise(abort, 'users: an update must raise version by one'); end;
create trigger users_touch after update of
    email, password_hash, role, status, full_name, phone, country, last_ip, metadata, deleted_at, version
on users
begin update users set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id; end;

------------------------------------------------------------------------------- rules of challenges

create table challenge_rules (
    rule_set text not null constraint challenge_rules_rule_set_not_empty check (trim(rule_set) <> ''),
    version integer not null
    constraint challenge_rules_version_from_1 check (typeof(version) in ('integer') and version >= 1),
    rule_kind text not null
    constraint challenge_rules_rule_kind_known check (
        rule_kind in (
            'max_daily_drawdown', 'max_total_drawdown', 'profit_target', 'min_trading_days',
            'max_calendar_days', 'max_idle_days', 'max_trades_per_day', 'max_position_quantity',
            'max_day_share_of_profit'
        )
    ),
    threshold numeric not null
    constraint challenge_rules_threshold_in_range check (
        typeof(threshold) in ('integer', 'real') and abs(threshold) < 1e14 and threshold >= 0
    ),
    measured_from text
    constraint challenge_rules_measured_from_known check (
        measured_from in (
            'initial_balance', 'daily_start_equity', 'daily_max_equity', 'max_equity_ever'
        )
    ),
    reset_time text not null default '00:00'
    constraint challenge_rules_reset_time_is_time check (time(reset_time) is not null),
    reset_time_zone text not null default 'UTC'
    constraint challenge_rules_reset_time_zone_not_empty check (trim(reset_time_zone) <> ''),
    valid_from text not null
    constraint challenge_rules_valid_from_is_time check (
        valid_from like '____-__-__%' and julianday(valid_from) is not null
    ),
    description text
    constraint challenge_rules_description_not_personal check (
        description not glob '*[A-Za-z0-9._%+-]@[A-Za-z0-9-]*.[A-Za-z][A-Za-z]*'
    ),
    tenant_id text not null default 'house'
    constraint challenge_rules_tenant_id_not_empty check (trim(tenant_id) <> ''),
    constraint challenge_rules_pkey primary key (tenant_id, rule_set, version, rule_kind),
    constraint challenge_rules_fraction_at_most_1 check (
        rule_kind not in ('max_daily_drawdown', 'max_total_drawdown', 'profit_target', 'max_day_share_of_profit')
        or threshold <= 1
    ),
    constraint challenge_rules_drawdown_has_base check (
        (rule_kind in ('max_daily_drawdown', 'max_total_drawdown', 'profit_target')) = (measured_from is not null)
    )
);
create trigger challenge_rules_order before insert on challenge_rules
when exists (
    select 1 from challenge_rules as r
    where r.tenant_id = new.tenant_id and r.rule_set = new.rule_set
        and case
            when r.version < new.version then julianday(r.valid_from) >= julianday(new.valid_from)
            when r.version > new.version then julianday(r.valid_from) <= julianday(new.valid_from)
            else julianday(r.valid_from) <> julianday(new.valid_from)
        end
)
begin select raise(abort, 'challenge_rules: valid_from is out of order'); end;
create trigger challenge_rules_no_replace before insert on challenge_rules
when exists (
        select 1 from challenge_rules where tenant_id = new.tenant_id and rule_set = new.rule_set and version = new.version and rule_kind = new.rule_kind
    )
begin insert into write_guard (what) values ('challenge_rules'); end;
create trigger challenge_rules_no_update before update on challenge_rules
begin
    select raise(
        abort,
        'challenge_rules is append-only: update refused. A changed rule is a new version of its rule set.'
    );
end;
create trigger challenge_rules_no_delete before delete on challenge_rules
begin
    select raise(
        abort,
        'challenge_rules is append-only: delete refused. A changed rule is a new version of its rule set.'
    );
end;

------------------------------------------------------------------------------- challenges

create table challenges (
    id text not null default (lower(
        hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
        || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
    )) primary key
    constraint challenges_id_is_uuid check (
        id like '________-____-____-____-____________' and replace(id, '-', '') not glob '*[^0-9a-fA-F]*'
    ),
    user_id text not null,
    challenge_type text not null constraint challenges_challenge_type_not_empty check (trim(challenge_type) <> ''),
    status text not null default 'PENDING'
    constraint challenges_status_known check (status in ('PENDING', 'ACTIVE', 'FAILED', 'FUNDED')),
    currency text not null default 'USD'
    constraint challenges_currency_is_code check (
        currency glob '[A-Z][A-Z0-9][A-Z0-9]*' and currency not glob '*[^A-Z0-9]*' and length(currency) <= 10
    ),
    rule_set text constraint challenges_rule_set_not_empty check (trim(rule_set) <> ''),
    initial_balance numeric not null
    constraint challenges_initial_balance_in_range check (
        typeof(initial_balance) in ('integer', 'real') and abs(initial_balance) < 1e14 and initial_balance > 0
    ),
    max_daily_drawdown_percent real not null
    constraint challenges_max_daily_drawdown_percent_is_fraction check (
        typeof(max_daily_drawdown_percent) in ('integer', 'real') and max_daily_drawdown_percent between 0 and 1
    ),
    max_total_drawdown_percent real not null
    constraint challenges_max_total_drawdown_percent_is_fraction check (
        typeof(max_total_drawdown_percent) in ('integer', 'real') and max_total_drawdown_percent between 0 and 1
    ),
    profit_target_percent real not null
    constraint challenges_profit_target_percent_is_fraction check (
        typeof(profit_target_percent) in ('integer', 'real') and profit_target_percent between 0 and 1
    ),
    current_equity numeric not null
    constraint challenges_current_equity_is_number check (
        typeof(current_equity) in ('integer', 'real') and abs(current_equity) < 1e14
    ),
    max_equity_ever numeric not null
    constraint challenges_max_equity_ever_is_number check (
        typeof(max_equity_ever) in ('integer', 'real') and abs(max_equity_ever) < 1e14
    ),
    daily_start_equity numeric not null
    constraint challenges_daily_start_equity_is_number check (
        typeof(daily_start_equity) in ('integer', 'real') and abs(daily_start_equity) < 1e14
    ),
    daily_max_equity numeric not null
    constraint challenges_daily_max_equity_is_number check (
        typeof(daily_max_equity) in ('integer', 'real') and abs(daily_max_equity) < 1e14
    ),
    daily_min_equity numeric not null
    constraint challenges_daily_min_equity_is_number check (
        typeof(daily_min_equity) in ('integer', 'real') and abs(daily_min_equity) < 1e14
    ),
    total_trades integer not null default 0
    constraint challenges_total_trades_from_0 check (typeof(total_trades) in ('integer') and total_trades >= 0),
    total_pnl numeric not null default 0
    constraint challenges_total_pnl_is_number check (
        typeof(total_pnl) in ('integer', 'real') and abs(total_pnl) < 1e14
    ),
    started_at text
    constraint challenges_started_at_is_time check (
        started_at is null or started_at like '____-__-__%' and julianday(started_at) is not null
    ),
    ended_at text
    constraint challenges_ended_at_is_time check (
        ended_at is null or ended_at like '____-__-__%' and julianday(ended_at) is not null
    ),
    funded_at text
    constraint challenges_funded_at_is_time check (
        funded_at is null or funded_at like '____-__-__%' and julianday(funded_at) is not null
    ),
    failure_reason text
    constraint challenges_failure_reason_not_personal check (
        failure_reason not glob '*[A-Za-z0-9._%+-]@[A-Za-z0-9-]*.[A-Za-z][A-Za-z]*'
    ),
    created_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint challenges_created_at_is_time check (
        created_at like '____-__-__%' and julianday(created_at) is not null
    ),
    updated_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
    constraint challenges_updated_at_is_time check (
        updated_at like '____-__-__%' and julianday(updated_at) is not null
    ),
    version integer not null default 1
    constraint challenges_version_from_1 check (typeof(version) in ('integer') and version >= 1),
    tenant_id text not null default 'house' constraint challenges_tenant_id_not_empty check (trim(tenant_id) <> ''),
    constraint challenges_tenant_key unique (id, tenant_id),
    constraint challenges_user_known foreign key (user_id, tenant_id) references users (id, tenant_id),
    constraint challenges_ended_when_final check ((status in ('FAILED', 'FUNDED')) = (ended_at is not null)),
    constraint challenges_funded_at_when_funded check ((status = 'FUNDED') = (funded_at is not null)),
    constraint challenges_ends_after_start check (julianday(ended_at) >= julianday(started_at)),
    constraint challenges_reason_when_failed check (failure_reason is null or status = 'FAILED'),
    constraint challenges_max_equity_is_highest check (max_equity_ever >= current_equity),
    constraint challenges_daily_equity_in_order check (
        daily_min_equity <= daily_start_equity and daily_start_equity <= daily_max_equity
    )
);
create index challenges_user_idx on challenges (user_id, created_at desc);
create index challenges_open_idx on challenges (tenant_id, status) where ended_at is null;
create index challenges_funded_idx on challenges (tenant_id, funded_at) where funded_at is not null;
create trigger challenges_no_replace before insert on challenges
when exists (select 1 from challenges where id = new.id)
begin insert into write_guard (what) values ('challenges'); end;
create trigger challenges_stay before delete on challenges
begin select raise(abort, 'challenges: delete refused. End it as FAILED, with its reason.'); end;
create trigger challenges_keep before update on challenges
when new.id is not old.id
    or new.user_id is not old.user_id
    or new.challenge_type is not old.challenge_type
    or new.currency is not old.currency
    or new.initial_balance is not old.initial_balance
    or new.max_daily_drawdown_percent is not old.max_daily_drawdown_percent
    or new.max_total_drawdown_percent is not old.max_total_drawdown_percent
    or new.profit_target_percent is not old.profit_target_percent
    or new.created_at is not old.created_at
    or new.tenant_id is not old.tenant_id
begin select raise(abort, 'challenges: what the record is about cannot change'); end;
create trigger challenges_begins before insert on challenges when new.status <> 'PENDING'
begin select raise(abort, 'challenges: begins as PENDING'); end;
create trigger challenges_status before update on challenges
when new.status <> old.status
    and old.status || '>' || new.status not in (
        'PENDING>ACTIVE', 'ACTIVE>FAILED', 'ACTIVE>FUNDED'
    )
begin select raise(abort, 'challenges: the status cannot change that way'); end;
create trigger challenges_rule_set_insert before insert on challenges
when new.rule_set is not null
    and not exists (select 1 from challenge_rules where tenant_id = new.tenant_id and rule_set = new.rule_set)
begin select raise(abort, 'challenges: no such rule set'); end;
create trigger challenges_rule_set_update before update of rule_set on challenges
when new.rule_set is not null
    and not exists (select 1 from challenge_rules where tenant_id = new.tenant_id and rule_set = new.rule_set)
begin select raise(abort, 'challenges: no such rule set'); end;
create trigger challenges_version before update of
    id, user_id, challenge_type, status, currency, rule_set, initial_balance, current_equity, max_equity_ever,
    daily_start_equity, daily_max_equity, daily_min_equity, total_trades, total_pnl, started_at, ended_at,
    funded_at, failure_reason, version
on challenges
when new.version is not old.version + 1
begin select raise(abort, 'challenges: an update must raise version by one'); end;
create trigger challenges_touch after update of
    id, user_id, challenge_type, status, currency, rule_set, initial_balance, current_equity, max_equity_ever,
    daily_start_equity, daily_max_equity, daily_min_equity, total_trades, total_pnl, started_at, ended_at,
    funded_at, failure_reason, version
on challenges
begin update challenges set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id; end;
