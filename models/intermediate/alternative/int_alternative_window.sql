{#
    Grain: one row per series whose features of alternative data or options are computed again, and from which bar on;
    empty when nothing changed. Only series of instruments that something is said of, or that have options.
    Bars that changed come from the run window. What landed of an instrument concerns all its series, from the bar in
    which it happened on: it is known then at the earliest. It makes no bar dirty.
#}
-- depends_on: {{ ref('int_run_window') }}
{%- set by_ticker = ['raw_alt.news_symbols', 'raw_alt.social_posts', 'raw_alt.social_sentiment'] -%}
{%- set marts = [built_relation('features_sentiment'), built_relation('features_options')] %}
with

changes as (

    select
        entity,
        relation,
        lo,
        hi,
        reason
    from {{ ref('int_unseen_changes') }}
    where entity is not null

),

said as (

    select
        entity as symbol,
        lo
    from changes
    where
        relation in (
            {% for each in by_ticker -%}
                '{{ each }}'::regclass,
            {% endfor -%}
            'ref.symbol_history'::regclass
        )

    union all

    -- Logged by data set. Another revision of a value may be of another ticker: the row of the first one is here too.
    select
        landed.symbol,
        changes.lo
    from changes
    inner join lateral (

        select distinct alternative_data.symbol
        from {{ source('raw_alt', 'alternative_data') }} as alternative_data
        where
            alternative_data.dataset = changes.entity
            and alternative_data.as_of_ts between changes.lo and changes.hi
            and alternative_data.symbol is not null
        offset 0 -- noqa: AM09

    ) as landed on true
    where changes.relation = 'raw_alt.alternative_data'::regclass

),

touched_instruments as (

    select
        tickers.instrument_id,
        said.lo
    from said
    inner join {{ source('ref', 'symbol_history') }} as tickers on said.symbol = tickers.symbol

    union all

    select
        entity::integer as instrument_id,
        lo
    from changes
    where relation = 'raw_market.option_quotes'::regclass

    union all

    -- Who lost a ticker is not in its history any more.
    select
        instruments.instrument_id,
        '-infinity' as lo
    from {{ source('ref', 'instruments') }} as instruments
    where
        exists (
            select from changes
            where changes.relation = 'ref.symbol_history'::regclass and changes.reason <> 'I'
        )

),

touched as (

    select
        run_window.instrument_id,
        run_window.timeframe,
        run_window.recompute_from
    from {{ ref('int_run_window') }} as run_window

    union all

    -- The bar that was under way then; a bar is decided at most a day after its end.
    select
        series.instrument_id,
        series.timeframe,
        touched_instruments.lo - series.timeframe::interval - interval '1 day' as recompute_from
    from touched_instruments
    inner join {{ source('ref', 'series') }} as series
        on touched_instruments.instrument_id = series.instrument_id

),

series as (

    select
        instrument_id,
        timeframe,
        min(recompute_from) as recompute_from
    from touched
    group by instrument_id, timeframe

)

select
    series.instrument_id,
    series.timeframe,
    series.recompute_from
from series
where
    exists (
        select from {{ source('raw_market', 'option_quotes') }} as option_quotes
        where option_quotes.instrument_id = series.instrument_id
    )
    {% for table in by_ticker + ['raw_alt.alternative_data'] -%}
        or exists (
            select from {{ source('ref', 'symbol_history') }} as tickers
            inner join {{ source(table.split('.')[0], table.split('.')[1]) }} as said on tickers.symbol = said.symbol
            where tickers.instrument_id = series.instrument_id
        )
    {% endfor -%}
{% for mart in marts if mart is not none -%}
        or exists (
            select from {{ mart }} as mart
            where
                mart.instrument_id = series.instrument_id
                and mart.timeframe = series.timeframe
        )
    {% endfor %}
