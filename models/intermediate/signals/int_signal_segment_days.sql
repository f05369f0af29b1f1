{#
    Grain: one row per agent, horizon, segment and day: all that the agent said (segment_kind all), what it said of one
    sector, and the days of one regime of the market.
#}
-- depends_on: {{ ref('int_run_window') }}
{%- set measures = 'matured, directional, decided, hits, return_sum, mean_return, ic, rank_ic' %}
select
    agent_id,
    horizon,
    'all' as segment_kind,
    'all' as segment,
    session_date,
    {{ measures }}

from {{ ref('signal_performance_daily') }}

union all

select
    agent_id,
    horizon,
    'sector' as segment_kind,
    sector as segment,
    session_date,
    {{ measures }}

from {{ ref('int_signal_sector_days') }}

union all

select
    daily.agent_id,
    daily.horizon,
    segments.kind as segment_kind,
    segments.name as segment,
    daily.session_date,
    {{ measures }}

from {{ ref('signal_performance_daily') }} as daily
inner join {{ ref('int_market_regimes') }} as regimes on daily.session_date = regimes.session_date
cross join lateral (values ('volatility', regimes.volatility), ('trend', regimes.trend)) as segments (kind, name)
where
    daily.matured > 0
    and segments.name is not null
