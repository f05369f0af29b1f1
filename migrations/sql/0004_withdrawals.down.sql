-- Without the column every withdrawn bar would be back: refused while there is one.
do $$
begin
    if exists (select from raw_market.bars where is_withdrawn)
        or exists (select from ref.corporate_actions where is_withdrawn)
    then
        raise exception 'bars or corporate actions are withdrawn: without this migration they would be back'
            using hint = 'Restore a backup from before the withdrawals instead.';
    end if;
end $$;

create or replace function raw_market.refuse_non_positive_prices() returns trigger
language plpgsql set search_path = pg_catalog as $$
declare
    bad record;
begin
    select n.symbol, n.timeframe, n.bar_ts, n.low into bad
    from landed as n
    where n.low <= 0
        and not (
            select i.allow_negative_price from ref.instruments as i
            where i.instrument_id = n.instrument_id
        )
    limit 1;
    if found then
        raise exception 'non-positive price % in %, %, %', bad.low, bad.symbol, bad.timeframe, bad.bar_ts
            using errcode = 'check_violation',
            hint = 'If it is real: update ref.instruments set allow_negative_price = true.';
    end if;
    return null;
end $$;

create or replace function ops.log_bar_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    -- One pass over the rows, which may be millions.
    with series as materialized (
        select
            instrument_id, timeframe, source, adjusted,
            min(bar_ts) as lo, max(bar_ts) as hi, count(*) as rows
        from changed
        group by instrument_id, timeframe, source, adjusted
    ),

    logged as (
        insert into ops.change_log (relation, operation, instrument_id, timeframe, lo, hi, rows)
        select tg_relid, left(tg_op, 1)::"char", instrument_id, timeframe, min(lo), max(hi), sum(rows)
        from series
        group by instrument_id, timeframe
    ),

    -- A source or basis seen for the first time can change which source is chosen for the whole series.
    fresh as (
        insert into ref.series (instrument_id, timeframe, source, adjusted)
        select instrument_id, timeframe, source, adjusted from series
        on conflict do nothing
        returning instrument_id, timeframe
    )

    insert into ops.change_log (relation, operation, instrument_id, timeframe, lo, hi)
    select distinct tg_relid, 'S'::"char", instrument_id, timeframe, '-infinity'::timestamptz, 'infinity'::timestamptz
    from fresh;
    return null;
end $$;

drop table ref.withdrawn_series;
-- cascade: the staging views read it; the next build makes them again.
alter table ref.corporate_actions drop column is_withdrawn cascade;
alter table raw_market.bars drop column is_withdrawn cascade;
