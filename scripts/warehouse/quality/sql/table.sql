-- Scope table: the latest revision of every landed bar that is not withdrawn.
create temp table gate_series as
select
    row_number() over () as series_no,
    null::bigint as batch_id,
    s.instrument_id,
    '' as unresolved,
    s.source,
    s.timeframe,
    s.adjusted,
    i.calendar
from ref.series as s
inner join ref.instruments as i on i.instrument_id = s.instrument_id;

create temp table gate_replaced as
select o.instrument_id, o.timeframe, o.bar_ts, o.source, o.revision
from raw_market.bars as o
inner join raw_market.bars as n
    on
        n.instrument_id = o.instrument_id
        and n.timeframe = o.timeframe
        and n.bar_ts = o.bar_ts
        and n.source = o.source
        and n.revision > o.revision
where n.revision > 0;
analyze gate_replaced;

create temp view gate_rows as
select
    s.series_no,
    true as in_scope,
    false as in_quarantine,
    false as superseded,
    b.batch_id,
    b.symbol,
    b.bar_ts,
    b.session_date,
    b.open,
    b.high,
    b.low,
    b.close,
    b.volume,
    b.known_at,
    null::text[] as rejected_for
from raw_market.bars as b
inner join gate_series as s
    on
        s.instrument_id = b.instrument_id
        and s.timeframe = b.timeframe
        and s.source = b.source
        and s.adjusted = b.adjusted
-- Hashes the few that were replaced, which `not exists` does not.
where not b.is_withdrawn and (b.instrument_id, b.timeframe, b.bar_ts, b.source, b.revision) not in (
    select r.instrument_id, r.timeframe, r.bar_ts, r.source, r.revision from gate_replaced as r
);
