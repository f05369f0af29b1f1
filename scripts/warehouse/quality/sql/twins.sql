-- Pairs are looked for among a sample of the times, then counted in full.
update {table} as g
set twin_symbol = t.twin_symbol, twin_bars = t.bars, twin_from = t.first_ts, twin_until = t.until_ts
from (
    select
        p.series_no,
        p.twin_no,
        min(b.symbol) as twin_symbol,
        count(*) as bars,
        min(a.bar_ts) as first_ts,
        max(a.bar_ts) + make_interval(secs => max(a.seconds)) as until_ts
    from (
        select a.series_no, b.series_no as twin_no
        from {table} as a
        inner join {table} as b
            on
                b.source = a.source
                and b.timeframe = a.timeframe
                and b.adjusted = a.adjusted
                and b.batch_id is not distinct from a.batch_id
                and b.bar_ts = a.bar_ts
                and b.symbol < a.symbol
                and b.open = a.open
                and b.high = a.high
                and b.low = a.low
                and b.close = a.close
                and b.volume is not distinct from a.volume
        where a.high > a.low and b.high > b.low and hashint8(extract(epoch from a.bar_ts)::bigint) % {sample} = 0
        group by 1, 2
    ) as p
    inner join {table} as a on a.series_no = p.series_no
    inner join {table} as b on b.series_no = p.twin_no and b.bar_ts = a.bar_ts
    where a.high > a.low
    group by 1, 2
    having count(*) >= 20 and count(*) filter (
        where a.open = b.open and a.high = b.high and a.low = b.low and a.close = b.close
    ) >= 0.95 * count(*)
) as t
where g.series_no = t.series_no and g.bar_ts = t.first_ts;
update {table} set broken = {broken} where twin_symbol is not null;
