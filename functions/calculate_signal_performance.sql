select
    daily.agent_id,
    daily.horizon,
    min(daily.session_date) as first_session,
    max(daily.session_date) as last_session,
    sum(daily.signals)::bigint as signals,
    sum(daily.matured)::bigint as matured,
    sum(daily.directional)::bigint as directional,
    sum(daily.hits)::double precision / nullif(sum(daily.decided), 0) as hit_rate,
    sum(daily.return_sum order by daily.session_date) / nullif(sum(daily.directional), 0) as mean_return,
    avg(daily.mean_return)
    / case when {{ varies('daily.mean_return') }} then stddev_samp(daily.mean_return) end
    * sqrt(252.0::double precision / daily.horizon) as sharpe,
    avg(daily.rank_ic) as rank_ic
from marts.signal_performance_daily as daily
where
    daily.agent_id = $1 -- agent
    and daily.session_date > (
        select max(latest.session_date) from marts.signal_performance_daily as latest
        where latest.agent_id = $1
    ) - $2 -- days
group by daily.agent_id, daily.horizon
order by daily.horizon
