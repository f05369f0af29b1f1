{#
    Grain: one row per open comparison of two models (comparison_no, with its period) and base bar: how both did on the
    instruments for which both said something at that bar. Instruments move together, so what they say together is one observation, not many.
    Of several predictions of a model for one instrument and bar the last counts. Floats are summed in the order of
    instruments: an incremental build may meet them in another.
    Joins on six columns are taken for a handful of rows, and nested loops over millions take hours: hash them.
#}
{{ config(pre_hook='set local enable_nestloop = off') }}
with

opened as (

    -- Period all is open whenever a month is.
    select distinct
        champion_id,
        challenger_id,
        prediction_type,
        timeframe,
        horizon_bars
    from {{ ref('int_model_comparisons') }}
    where is_open

),

wanted as (

    select
        champion_id as model_id,
        prediction_type,
        timeframe,
        horizon_bars
    from opened
    union
    select
        challenger_id as model_id,
        prediction_type,
        timeframe,
        horizon_bars
    from opened

),

said as (

    select distinct on (
        outcomes.model_id,
        outcomes.prediction_type,
        outcomes.timeframe,
        outcomes.horizon_bars,
        outcomes.instrument_id,
        outcomes.base_bar_at
    )
        outcomes.*,
        {{ prediction_side('outcomes') }} as side
    from {{ ref('int_prediction_outcomes') }} as outcomes
    inner join wanted
        on
            outcomes.model_id = wanted.model_id
            and outcomes.prediction_type = wanted.prediction_type
            and outcomes.timeframe = wanted.timeframe
            and outcomes.horizon_bars = wanted.horizon_bars
    where outcomes.is_mature
    order by
        outcomes.model_id asc,
        outcomes.prediction_type asc,
        outcomes.timeframe asc,
        outcomes.horizon_bars asc,
        outcomes.instrument_id asc,
        outcomes.base_bar_at asc,
        outcomes.predicted_at desc,
        outcomes.prediction_id desc

),

judged as (

    select
        said.*,
        followed.net_return,
        (said.side > 0) = (said.realised_return > 0) as is_right,
        case said.judged_as
            when 'direction' then ((said.side > 0) <> (said.realised_return > 0))::integer::double precision
            when 'return' then power(said.prediction_value - said.realised_return, 2)
            when 'volatility' then power(said.prediction_value - said.realised_volatility, 2)
            else -followed.net_return
        end as loss
    from said
    cross join lateral (
        values
        (
            said.side * said.realised_return
            - abs(said.side) * {{ var('prediction_cost_bps') }} / 1e4::double precision
        )
    ) as followed (net_return)

),

pairs as (

    select
        opened.*,
        champion.judged_as,
        champion.instrument_id,
        champion.base_bar_at,
        champion.is_right as is_champion_right,
        challenger.is_right as is_challenger_right,
        champion.loss as champion_loss,
        challenger.loss as challenger_loss,
        champion.net_return as champion_net_return,
        challenger.net_return as challenger_net_return,
        champion.loss - challenger.loss as loss_difference,
        challenger.net_return - champion.net_return as net_return_difference
    from opened
    inner join judged as champion
        on
            opened.champion_id = champion.model_id
            and opened.prediction_type = champion.prediction_type
            and opened.timeframe = champion.timeframe
            and opened.horizon_bars = champion.horizon_bars
    inner join judged as challenger
        on
            opened.challenger_id = challenger.model_id
            and opened.prediction_type = challenger.prediction_type
            and opened.timeframe = challenger.timeframe
            and opened.horizon_bars = challenger.horizon_bars
            and champion.instrument_id = challenger.instrument_id
            and champion.base_bar_at = challenger.base_bar_at
    where
        champion.loss is not null
        and challenger.loss is not null

),

bars as (

    select
        champion_id,
        challenger_id,
        prediction_type,
        timeframe,
        horizon_bars,
        base_bar_at,
        count(*) as pairs,
        {% for right in ['both', 'only_champion', 'only_challenger', 'neither'] -%}
            count(*) filter (
                where
                judged_as = 'direction'
                and is_champion_right = {{ right in ['both', 'only_champion'] }}
                and is_challenger_right = {{ right in ['both', 'only_challenger'] }}
            ) as {{ right }}_right,
        {% endfor -%}
        {% for number in ['champion_loss', 'challenger_loss', 'champion_net_return', 'challenger_net_return'] -%}
            avg({{ number }} order by instrument_id) as {{ number }},
        {% endfor -%}
        {% for number in ['loss_difference', 'net_return_difference'] -%}
            avg({{ number }} order by instrument_id) as {{ number }},
            min({{ number }}) as lowest_{{ number }},
            max({{ number }}) as highest_{{ number }},
        {% endfor -%}
        count(*) * var_pop(loss_difference order by instrument_id) as loss_squares

    from pairs
    group by
        champion_id,
        challenger_id,
        prediction_type,
        timeframe,
        horizon_bars,
        base_bar_at

)

select
    bars.*,
    comparisons.comparison_no,
    comparisons.judged_as,
    row_number() over (
        partition by comparisons.comparison_no
        order by bars.base_bar_at
    ) as observation

from {{ ref('int_model_comparisons') }} as comparisons
inner join bars
    on
        comparisons.champion_id = bars.champion_id
        and comparisons.challenger_id = bars.challenger_id
        and comparisons.prediction_type = bars.prediction_type
        and comparisons.timeframe = bars.timeframe
        and comparisons.horizon_bars = bars.horizon_bars
        and comparisons.period in ('all', to_char(bars.base_bar_at at time zone 'UTC', 'YYYY-MM'))
where comparisons.is_open
