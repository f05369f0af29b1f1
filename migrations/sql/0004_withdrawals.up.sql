-- What never happened: the landing tables stay append-only, so a withdrawal is the next revision of the
-- row, with its last values and is_withdrawn. Landing the row again is the revision after that.

alter table raw_market.bars add column is_withdrawn boolean not null default false;
alter table ref.corporate_actions add column is_withdrawn boolean not null default false;
comment on column raw_market.bars.is_withdrawn is 'True in the revision that takes the bar back; its prices are those of the revision before. A key whose latest revision is withdrawn has no bar.';
comment on column ref.corporate_actions.is_withdrawn is 'True in the revision that takes the action back; a key whose latest revision is withdrawn has no action.';

create table ref.withdrawn_series (
    span_id bigint generated always as identity primary key,
    instrument_id integer not null,
    timeframe text not null,
    source text not null,
    adjusted text not null,
    withdrawn_at timestamptz not null default now(),
    returned_at timestamptz not null default 'infinity',
    foreign key (instrument_id, timeframe, source, adjusted) references ref.series
);
create unique index withdrawn_series_open_idx
on ref.withdrawn_series (instrument_id, timeframe, source, adjusted)
where returned_at = 'infinity';
comment on table ref.withdrawn_series is 'Spans of time in which a row of ref.series had no bar left, because all were withdrawn or restated on another basis: the source chooses nothing then. Kept by the trigger that logs bars.';
comment on column ref.withdrawn_series.returned_at is 'When a bar of it landed again; infinity while there is none.';

-- Prices that were allowed when they landed must not stand in the way of their withdrawal.
create or replace function raw_market.refuse_non_positive_prices() returns trigger
language plpgsql set search_path = pg_catalog as $$
declare
    bad record;
begin
    select n.symbol, n.timeframe, n.bar_ts, n.low into bad
    from landed as n
    where n.low <= 0
        and not n.is_withdrawn
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
