drop function ops.expire_bars(text, timestamptz);
create or replace function raw_market.refuse_mutation() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    raise exception '%.% is append-only: % refused', tg_table_schema, tg_table_name, tg_op
        using hint = 'Land the corrected rows again: they become the next revision.';
end $$;
drop table ops.expired_bars;
drop trigger stock_info_log_inserts on raw_market.stock_info;
drop trigger calendars_log_truncate on ref.calendars;
drop trigger exchange_sessions_log_truncate on ref.exchange_sessions;
drop function ops.log_truncation();
drop trigger instruments_log_updates on ref.instruments;
drop function ops.log_recalendared_instruments();
drop trigger calendars_log_updates on ref.calendars;
drop function ops.log_timezone_changes();
drop trigger exchange_sessions_log_deletes on ref.exchange_sessions;
drop trigger exchange_sessions_log_updates on ref.exchange_sessions;
drop trigger exchange_sessions_log_inserts on ref.exchange_sessions;
drop function ops.log_session_changes();
drop function ops.log_calendar_change(regclass, "char", text, date, date);
drop view ops.running_build;
drop table ops.publication;
drop table ops.built_from;
