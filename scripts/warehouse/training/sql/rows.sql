-- Grain: one row per row of the training set: its bar, its label, and since when its features were known as they are.
create temporary table training_rows on commit drop as
with

bars as (

    -- Features look back without end (averages, volume sums): a row is known when the last word on any bar up to its own is.
    select
        bars.instrument_id,
        bars.bar_ts,
        max(max(bars.known_at)) over (partition by bars.instrument_id order by bars.bar_ts) as known_at
    from training_series as series
    inner join raw_market.bars on series.instrument_id = bars.instrument_id
    where
        bars.timeframe = {{ timeframe }}
        and bars.known_at <= {{ as_of }}
    group by bars.instrument_id, bars.bar_ts

),

labels as (
    {% for schema in label_schemas %}
    select
        labels.instrument_id,
        labels.bar_ts,
        labels.entry_at,
        labels.label_end_at,
        labels.fwd_ret,
        series.series_known_at,
        -- Mature, and known at the instant.
        labels.label_end_at <= {{ as_of }} and labels.label_end_at < series.labels_before as is_known
    from training_series as series
    inner join {{ schema }}.int_forward_returns as labels on series.instrument_id = labels.instrument_id
    where
        (series.why_recomputed is null) = {{ loop.first }}
        and labels.timeframe = {{ timeframe }}
        and labels.horizon = {{ horizon }}
        and labels.bar_ts < series.known_before
        and labels.entry_at <= {{ as_of }}
        {%- if since %}
        and labels.session_date >= {{ since }}
        {%- endif %}
        {%- if until %}
        and labels.session_date <= {{ until }}
        {%- endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    labels.instrument_id,
    labels.bar_ts as "timestamp",
    labels.entry_at as prediction_at,
    greatest(bars.known_at, labels.series_known_at) as known_at,
    case when labels.is_known then labels.fwd_ret end as label,
    case when labels.is_known and labels.fwd_ret is not null then labels.label_end_at end as label_end_at
from labels
-- Bars may have expired: the marts keep their rows.
left join bars
    on
        labels.instrument_id = bars.instrument_id
        and labels.bar_ts = bars.bar_ts
where
    {{ 'true' if unlabelled else '(labels.is_known and labels.fwd_ret is not null)' }}
    {%- if known_within %}
    and greatest(bars.known_at, labels.series_known_at) <= labels.entry_at + {{ known_within }}::interval
    {%- endif %}
order by labels.instrument_id, labels.bar_ts
