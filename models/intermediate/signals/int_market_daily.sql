{#
    Grain: one row per session of the market: what its instruments returned on average, equally weighted. The market is all
    instruments of one exchange calendar (var regime_calendar) with daily bars.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='day_replace',
        unlogged=false,
        unique_key=['timeframe', 'session_date'],
    )
}}
-- depends_on: {{ ref('int_run_window') }}
with

touched as (

    {% if is_incremental() -%}
        {{ first_touched_days() }}
    {%- else -%}
        select
            '1d' as timeframe,
            '-infinity'::date as first_day
    {%- endif %}

),

market as (

    select instrument_id
    from {{ source('ref', 'instruments') }}
    where calendar = '{{ var("regime_calendar") }}'

)

select
    features.timeframe,
    features.session_date,
    count(*) as instruments,
    avg(features.log_returns order by features.instrument_id) as log_return
from touched
cross join market
-- offset 0 keeps the bounds inside, where they are index conditions (as in feature_coverage).
inner join lateral (
    select recounted.*
    from {{ ref('feature_engineered_data') }} as recounted
    where
        recounted.instrument_id = market.instrument_id
        and recounted.timeframe = touched.timeframe
        and recounted."timestamp" >= (touched.first_day - 1)::timestamp at time zone 'UTC'
        and recounted.session_date >= touched.first_day
    offset 0 -- noqa: AM09
) as features on true
where
    touched.timeframe = '1d'
    and features.feature_version = '{{ var("feature_version") }}'
    and features.log_returns is not null
group by features.timeframe, features.session_date
