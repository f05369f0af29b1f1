-- What readers may rely on: complete builds only, and which one they see.

------------------------------------------------------------------------------- publication

create table ops.built_from (
    model text primary key,
    cut pg_snapshot not null,
    code_version text not null,
    run_id text not null,
    built_at timestamptz not null default clock_timestamp()
);
comment on table ops.built_from is 'The run window that each model was last built from. A model may only be built from inputs of the same window, and a build is complete when all marts are.';
comment on column ops.built_from.cut is 'Snapshot in which that window read the change log.';

create table ops.publication (
    publication_id bigint generated always as identity primary key,
    run_id text not null,
    cut pg_snapshot not null,
    code_version text not null,
    is_whole boolean not null,
    series_changed bigint not null,
    project text not null,
    dashboard_until timestamptz not null,
    dashboard_days integer not null,
    published_at timestamptz not null default clock_timestamp()
);
comment on table ops.publication is 'One row per complete build that readers of marts.* were given, written in the same transaction. The newest row is what is seen.';
comment on column ops.publication.run_id is 'dbt invocation that built it; ops.model_runs has its models.';
comment on column ops.publication.cut is 'Landing transactions visible in this snapshot are in the marts.';
comment on column ops.publication.is_whole is 'True when every row was replaced: a first build, a full refresh, changed code or a restored backup.';
comment on column ops.publication.project is 'Fingerprint of the project''s files when `warehouse build` built it, else empty; the same files and nothing dirty: nothing to do.';
comment on column ops.publication.dashboard_until is 'Instant from which the dashboards'' window of dashboard_days was counted back.';
comment on column ops.publication.series_changed is 'Series (instrument and timeframe) that the build recomputed.';

create view ops.running_build as
select
    activity.pid,
    activity.application_name as program,
    coalesce(host(activity.client_addr), 'local') as client,
    activity.backend_start as since
from pg_locks as locks
inner join pg_stat_activity as activity on activity.pid = locks.pid
where
    locks.locktype = 'advisory'
    and locks.granted
    and locks.classid = 0
    and locks.objid = 7203002
    and locks.database = (select oid from pg_database where datname = current_database());
comment on view ops.running_build is 'The session that holds the lock of builds (pg_try_advisory_lock(7203002), see scripts/warehouse/build_lock.py); empty when nothing is being built.';

------------------------------------------------------------------------------- changes of reference data

-- Logs what a change of a calendar touches: the series of its instruments that have bars in those days.
-- New sessions before or ahead of all bars touch nothing.
create function ops.log_calendar_change(
    changed regclass, operation "char", changed_calendar text, first_day date, last_day date
)
returns void
language sql security definer set search_path = pg_catalog as $$
    insert into ops.change_log (relation, operation, instrument_id, timeframe, lo, hi)
    select distinct changed, operation, series.instrument_id, series.timeframe, bound.lo, bound.hi
    from ref.instruments
    inner join ref.series on series.instrument_id = instruments.instrument_id
    -- The session of a bar lies at most one day after its UTC date (futures open the evening before).
    cross join (
        select
            coalesce((first_day - 1)::timestamp at time zone 'UTC', '-infinity'::timestamptz) as lo,
            coalesce((last_day + 2)::timestamp at time zone 'UTC', 'infinity'::timestamptz) as hi
    ) as bound
    where
        instruments.calendar = changed_calendar
        and exists (
            select from raw_market.bars
            where
                bars.instrument_id = series.instrument_id
                and bars.timeframe = series.timeframe
                and bars.bar_ts between bound.lo and bound.hi
        )
$$;

create function ops.log_session_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'INSERT' then
        perform ops.log_calendar_change(tg_relid, 'I', calendar, min(session_date), max(session_date))
        from new_rows group by calendar;
    elsif tg_op = 'DELETE' then
        perform ops.log_calendar_change(tg_relid, 'D', calendar, min(session_date), max(session_date))
        from old_rows group by calendar;
    else
        -- A new version of the calendars' package alone changes no value.
        perform ops.log_calendar_change(tg_relid, 'U', calendar, min(session_date), max(session_date))
        from (
            (
                select calendar, session_date, open_at, close_at, break_start_at, break_end_at, is_half_day from old_rows
                except
                select calendar, session_date, open_at, close_at, break_start_at, break_end_at, is_half_day from new_rows
            )
            union all
            (
                select calendar, session_date, open_at, close_at, break_start_at, break_end_at, is_half_day from new_rows
                except
                select calendar, session_date, open_at, close_at, break_start_at, break_end_at, is_half_day from old_rows
            )
        ) as differing
        group by calendar;
    end if;
    return null;
end $$;
create trigger exchange_sessions_log_inserts after insert on ref.exchange_sessions
referencing new table as new_rows
for each statement execute function ops.log_session_changes();
create trigger exchange_sessions_log_updates after update on ref.exchange_sessions
referencing old table as old_rows new table as new_rows
for each statement execute function ops.log_session_changes();
create trigger exchange_sessions_log_deletes after delete on ref.exchange_sessions
referencing old table as old_rows
for each statement execute function ops.log_session_changes();

create function ops.log_timezone_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform ops.log_calendar_change(tg_relid, 'U', new_rows.calendar, null, null)
    from new_rows
    inner join old_rows on old_rows.calendar = new_rows.calendar
    where new_rows.timezone <> old_rows.timezone;
    return null;
end $$;
create trigger calendars_log_updates after update on ref.calendars
referencing old table as old_rows new table as new_rows
for each statement execute function ops.log_timezone_changes();

create function ops.log_recalendared_instruments() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into ops.change_log (relation, operation, instrument_id, lo, hi)
    select tg_relid, 'U', new_rows.instrument_id, '-infinity', 'infinity'
    from new_rows
    inner join old_rows on old_rows.instrument_id = new_rows.instrument_id
    where new_rows.calendar <> old_rows.calendar;
    return null;
end $$;
create trigger instruments_log_updates after update on ref.instruments
referencing old table as old_rows new table as new_rows
for each statement execute function ops.log_recalendared_instruments();

-- Not tracked by any watermark: no bar depends on it, only what dashboards say of a company.
create trigger stock_info_log_inserts after insert on raw_market.stock_info
referencing new table as changed
for each statement execute function ops.log_instrument_changes();

-- What nobody expects is everything.
create function ops.log_truncation() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into ops.change_log (relation, operation, lo, hi)
    values (tg_relid, 'T', '-infinity', 'infinity');
    return null;
end $$;
create trigger exchange_sessions_log_truncate after truncate on ref.exchange_sessions
for each statement execute function ops.log_truncation();
create trigger calendars_log_truncate after truncate on ref.calendars
for each statement execute function ops.log_truncation();

------------------------------------------------------------------------------- expiry of landing history

create table ops.expired_bars (
    timeframe text not null,
    kept_from timestamptz not null,
    rows bigint not null,
    run_id bigint generated always as identity primary key,
    expired_by text not null default session_user,
    expired_at timestamptz not null default now()
);
comment on table ops.expired_bars is 'What ops.expire_bars() has dropped from raw_market.bars. Published history before kept_from can no longer be rebuilt.';
comment on column ops.expired_bars.kept_from is 'Bars of the timeframe that start earlier are gone from the landing zone.';

create or replace function raw_market.refuse_mutation() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'DELETE' and current_setting('warehouse.expiring', true) = tg_relid::oid::text then
        return null;
    end if;
    raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, tg_op
        using hint = 'Land the corrected rows again: they become the next revision. Old history goes by ops.expire_bars().';
end $$;

create function ops.expire_bars(expired_timeframe text, before timestamptz) returns bigint
language plpgsql set search_path = pg_catalog as $$
declare
    dropped bigint;
begin
    if before > now() then
        raise exception 'bars before % would be all of them', before using hint = 'Give an instant in the past.';
    end if;
    perform set_config('warehouse.expiring', 'raw_market.bars'::regclass::oid::text, true);
    delete from raw_market.bars where timeframe = expired_timeframe and bar_ts < before;
    get diagnostics dropped = row_count;
    perform set_config('warehouse.expiring', '', true);
    if dropped > 0 then
        insert into ops.expired_bars (timeframe, kept_from, rows) values (expired_timeframe, before, dropped);
    end if;
    return dropped;
end $$;
comment on function ops.expire_bars(text, timestamptz) is 'Drops landed bars of a timeframe that start before an instant and says so in ops.expired_bars. Writes no change log: published history stays. Returns how many rows went.';
