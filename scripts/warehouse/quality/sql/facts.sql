-- What is known of each series.
analyze gate_series;
create temp table gate_facts as
select
    s.*,
    pg_temp.seconds_of(s.timeframe) as seconds,
    c.timezone,
    coalesce(i.allow_negative_price, false) as allow_negative_price,
    coalesce(b.profile #>> '{columns,volume}' is not null, true) as has_volume,
    exists (
        select
        from ref.series as o
        where
            o.instrument_id = s.instrument_id
            and o.timeframe = s.timeframe
            and o.adjusted = s.adjusted
            and o.source <> s.source
    ) as has_other_source,
    s.adjusted = 'none' and exists (
        select
        from ref.corporate_actions as a
        where a.instrument_id = s.instrument_id and a.action_type = 'split'
    ) as has_splits
from gate_series as s
left join ref.instruments as i on i.instrument_id = s.instrument_id
left join ref.calendars as c on c.calendar = s.calendar
left join lateral (
    select o.profile
    from ops.batches as o
    where
        o.dataset = 'bars'
        and o.source = s.source
        and o.timeframe = s.timeframe
        and (s.batch_id is null or o.batch_id = s.batch_id)
    order by o.batch_id desc
    limit 1
) as b on true;
analyze gate_facts;

create temp table gate_others as
select distinct on (r.series_no, r.bar_ts) r.series_no, r.bar_ts, x.source as other_source, x.close as other_close
from gate_rows as r
inner join gate_facts as f on f.series_no = r.series_no and f.has_other_source
inner join raw_market.bars as x
    on
        x.instrument_id = f.instrument_id
        and x.timeframe = f.timeframe
        and x.bar_ts = r.bar_ts
        and x.source <> f.source
        and x.adjusted = f.adjusted
where r.in_scope and not r.superseded and not x.is_withdrawn and not exists (
    select
    from raw_market.bars as y
    where
        y.instrument_id = x.instrument_id
        and y.timeframe = x.timeframe
        and y.bar_ts = x.bar_ts
        and y.source = x.source
        and y.revision > x.revision
)
order by r.series_no, r.bar_ts, abs(x.close - r.close) desc, x.source;
analyze gate_others;
