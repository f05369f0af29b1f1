{#
    Grain: one row per agent, horizon and day: what the agent's opinions of that session's close came to.
    Each row needs its own session and, for turnover and autocorrelation, the one that the agent judged before it.
    Sums are taken in the order of instruments: a sum of floats depends on it.
#}
{{
    config(
        incremental_strategy='window_replace',
        unique_key=['agent_id', 'horizon', 'session_date'],
        meta={
            'window_model': 'int_signal_window', 'window_keys': ['agent_id'],
            'window_bound': 'first_day', 'window_column': 'session_date',
        },
    )
}}
-- depends_on: {{ ref('int_run_window') }}
{%- set quantiles = var('signal_quantiles') | int %}
{%- set fractions = [] %}
{%- for number in range(quantiles) %}
    {%- do fractions.append(number * (1 / quantiles)) %}
{%- endfor %}
{%- do fractions.append(1) %}
with

days as (

    select
        signals.agent_id,
        signals.session_date,
        count(*) as signals,
        count(*) filter (where signals.instrument_id is not null and not signals.is_opinion) as superseded,
        count(*) filter (where signals.instrument_id is null) as unpriced,
        count(*) filter (where signals.is_opinion) as opinions
    from {{ ref('int_signals_this_run') }} as signals
    group by signals.agent_id, signals.session_date

),

opinions as (

    -- Only what has a return: ranks and quantiles compare what can be compared.
    select
        signals.agent_id,
        labels.horizon,
        signals.session_date,
        signals.instrument_id,
        signals.side,
        signals.score,
        labels.fwd_ret
    from {{ ref('int_signals_this_run') }} as signals
    inner join {{ ref('int_forward_returns') }} as labels
        on
            signals.instrument_id = labels.instrument_id
            and labels.timeframe = '1d'
            and labels.bar_ts = signals.session_date::timestamp at time zone 'UTC'
    where
        signals.is_opinion
        and labels.fwd_ret is not null

),

ranked as (

    select
        *,
        -- Average ranks.
        rank() over by_score + (count(*) over (by_score range current row) - 1) / 2.0::float8 as score_rank,
        rank() over by_return + (count(*) over (by_return range current row) - 1) / 2.0::float8 as return_rank
    from opinions
    window
        by_score as (partition by agent_id, horizon, session_date order by score),
        by_return as (partition by agent_id, horizon, session_date order by fwd_ret)

),

edges as (

    select
        agent_id,
        horizon,
        session_date,
        percentile_cont(array{{ fractions }}::double precision[]) within group (order by score) as edge,
        dense_rank() over (partition by agent_id, horizon order by session_date) as day_no
    from opinions
    group by agent_id, horizon, session_date

),

sorted as (

    select
        ranked.*,
        edges.day_no,
        {{ qcut('ranked.score', 'edges.edge', quantiles) }} as quantile
    from ranked
    inner join edges
        on
            ranked.agent_id = edges.agent_id
            and ranked.horizon = edges.horizon
            and ranked.session_date = edges.session_date

),

compared as (

    select
        *,
        case when lag(day_no) over by_name = day_no - 1 then lag(score_rank) over by_name end as score_rank_before,
        coalesce(
            lag(day_no) over by_name <> day_no - 1 or quantile <> lag(quantile) over by_name, true
        )::integer::double precision as is_new_there
    from sorted
    window by_name as (partition by agent_id, horizon, instrument_id order by day_no)

),

judged as (

    select
        agent_id,
        horizon,
        session_date,
        day_no,
        {{ judged_opinions() | indent(8) }},
        array[
            {% for number in range(1, quantiles + 1) -%}
                avg(fwd_ret order by instrument_id) filter (where quantile = {{ number }}){{ ',' if not loop.last }}
            {% endfor -%}
        ] as quantile_returns,
        avg(fwd_ret order by instrument_id) filter (where quantile = {{ quantiles }})
        - avg(fwd_ret order by instrument_id) filter (where quantile = 1) as quantile_spread,
        avg(is_new_there order by instrument_id) filter (where quantile = {{ quantiles }}) as top_changed,
        avg(is_new_there order by instrument_id) filter (where quantile = 1) as bottom_changed,
        count(quantile) > 0 as has_quantiles,
        case
            when
                min(score_rank) filter (where score_rank_before is not null)
                < max(score_rank) filter (where score_rank_before is not null)
                and min(score_rank_before) < max(score_rank_before)
                then corr(score_rank, score_rank_before order by instrument_id)
        end as rank_autocorrelation
    from compared
    group by agent_id, horizon, session_date, day_no

),

linked as (

    select
        *,
        coalesce(lag(has_quantiles) over (partition by agent_id, horizon order by day_no), false) as had_quantiles
    from judged

)

select -- noqa: ST06
    days.agent_id,
    horizons.horizon,
    days.session_date,
    days.signals,
    days.superseded,
    days.unpriced,
    days.opinions - coalesce(linked.matured, 0) as open,
    coalesce(linked.matured, 0) as matured,
    coalesce(linked.directional, 0) as directional,
    coalesce(linked.decided, 0) as decided,
    coalesce(linked.hits, 0) as hits,
    linked.return_sum,
    linked.mean_return,
    linked.ic,
    linked.rank_ic,
    case when linked.has_quantiles then linked.quantile_returns end as quantile_returns,
    linked.quantile_spread,
    case when linked.had_quantiles then linked.top_changed end as top_turnover,
    case when linked.had_quantiles then linked.bottom_changed end as bottom_turnover,
    linked.rank_autocorrelation

from days
inner join {{ ref('int_signal_window') }} as signal_window on days.agent_id = signal_window.agent_id
cross join unnest(array[{{ label_horizons() | join(', ') }}]) as horizons (horizon)
left join linked
    on
        days.agent_id = linked.agent_id
        and days.session_date = linked.session_date
        and horizons.horizon = linked.horizon
where days.session_date >= signal_window.first_day
