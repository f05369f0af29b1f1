alter table audit.seals alter column change_seqs set storage extended, alter column row_hashes set storage extended;

alter domain types.label drop constraint label_is_not_empty;
alter domain types.label add constraint label_is_not_empty check (value ~ '\S');

drop function ops.coalesce_changes(regclass);

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

    -- or one whose last bar went: withdrawn, or restated on another basis. The bars are only read then.
    emptied as (
        insert into ref.withdrawn_series (instrument_id, timeframe, source, adjusted)
        select known.instrument_id, known.timeframe, known.source, known.adjusted
        from ref.series as known
        where
            exists (
                select from series
                where
                    series.instrument_id = known.instrument_id
                    and series.timeframe = known.timeframe
                    and series.source = known.source
                    and (series.adjusted <> known.adjusted or series.withdrawn > 0)
            )
            and not exists (
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
