-- A landing costs what arrives, not what is there.

------------------------------------------------------------------------------- change log

create or replace function ops.log_bar_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    -- One pass over the rows, which may be millions.
    with series as materialized (
        select
            instrument_id, timeframe, source, adjusted,
            min(bar_ts) as lo, max(bar_ts) as hi, count(*) as rows,
            count(*) filter (where is_withdrawn) as withdrawn
        from changed
        group by instrument_id, timeframe, source, adjusted
    ),

    logged as (
        insert into ops.change_log (relation, operation, instrument_id, timeframe, lo, hi, rows)
        select tg_relid, left(tg_op, 1)::"char", instrument_id, timeframe, min(lo), max(hi), sum(rows)
        from series
        group by instrument_id, timeframe
    ),

    -- A source or basis seen for the first time can change which source is chosen for the whole series,
    fresh as (
        insert into ref.series (instrument_id, timeframe, source, adjusted)
        select instrument_id, timeframe, source, adjusted from series
        on conflict do nothing
        returning instrument_id, timeframe
    ),

    -- and so can one that is seen again,
    returned as (
        update ref.withdrawn_series as span
        set returned_at = now()
        from series
        where
            span.returned_at = 'infinity'
            and span.instrument_id = series.instrument_id
            and span.timeframe = series.timeframe
            and span.source = series.source
            and span.adjusted = series.adjusted
            and series.rows > series.withdrawn
        returning span.instrument_id, span.timeframe
    ),

    -- or one whose last bar went: withdrawn, or restated on another basis.
    doubtful as materialized (
        select distinct known.instrument_id, known.timeframe, known.source, known.adjusted
        from ref.series as known
        inner join series
            on
                series.instrument_id = known.instrument_id
                and series.timeframe = known.timeframe
                and series.source = known.source
        where series.adjusted <> known.adjusted or series.withdrawn > 0
    ),

    -- offset 0: the bars of doubtful series alone are read, by the key, and only up to the first that is left. As a
    -- join it read all bars there are, at every landing: two thirds of what the log of 477,902 bars cost.
    emptied as (
        insert into ref.withdrawn_series (instrument_id, timeframe, source, adjusted)
        select known.instrument_id, known.timeframe, known.source, known.adjusted
        from doubtful as known
        where
            not exists (
                select from ref.withdrawn_series as span
                where
                    span.returned_at = 'infinity'
                    and span.instrument_id = known.instrument_id
                    and span.timeframe = known.timeframe
                    and span.source = known.source
                    and span.adjusted = known.adjusted
            )
            and not exists (
                select from raw_market.bars as bar
                where
                    bar.instrument_id = known.instrument_id
                    and bar.timeframe = known.timeframe
                    and bar.source = known.source
                    and bar.adjusted = known.adjusted
                    and not bar.is_withdrawn
                    and not exists (
                        select from raw_market.bars as later
                        where
                            later.instrument_id = bar.instrument_id
                            and later.timeframe = bar.timeframe
                            and later.bar_ts = bar.bar_ts
                            and later.source = bar.source
                            and later.revision > bar.revision
                    )
                offset 0
            )
        on conflict do nothing
        returning instrument_id, timeframe
    ),

    chosen_anew as (
        select instrument_id, timeframe from fresh
        union
        select instrument_id, timeframe from returned
        union
        select instrument_id, timeframe from emptied
    )

    insert into ops.change_log (relation, operation, instrument_id, timeframe, lo, hi)
    select tg_relid, 'S'::"char", instrument_id, timeframe, '-infinity'::timestamptz, 'infinity'::timestamptz
    from chosen_anew;
    return null;
end $$;

-- A file lands block by block, each a statement with notes of its own.
create function ops.coalesce_changes(landed regclass) returns tstzrange
language sql security definer set search_path = pg_catalog as $$
    with gone as (
        delete from ops.change_log
        where relation = landed and _xid = pg_current_xact_id()
        returning operation, instrument_id, timeframe, entity, lo, hi, rows
    ),

    kept as (
        insert into ops.change_log (relation, operation, instrument_id, timeframe, entity, lo, hi, rows)
        select landed, operation, instrument_id, timeframe, entity, min(lo), max(hi), sum(rows)
        from gone
        group by operation, instrument_id, timeframe, entity
        order by operation, instrument_id, timeframe, entity
    )

    select tstzrange(min(lo), max(hi), '[]') from gone where isfinite(lo) and isfinite(hi)
$$;
comment on function ops.coalesce_changes(regclass) is 'Makes what the running transaction noted of a table one note per series or entity and operation; nothing else is touched. Returns the finite times they span.';
grant execute on function ops.coalesce_changes(regclass) to trading_app;

------------------------------------------------------------------------------- labels

-- The same labels are allowed. Almost all begin with a letter or digit of ASCII and pass without the regular
-- expression, which every row of a landing paid twice.
alter domain types.label drop constraint label_is_not_empty;
alter domain types.label add constraint label_is_not_empty check (ascii(value) between 33 and 126 or value ~ '\S');

------------------------------------------------------------------------------- seals

-- Hashes do not compress; trying to took 5 % of the CPU of a seal.
alter table audit.seals alter column change_seqs set storage external, alter column row_hashes set storage external;

select ops.apply_roles();
