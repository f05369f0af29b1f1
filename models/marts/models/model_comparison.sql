{#
    Grain: one row per champion, challenger, type of prediction, timeframe, horizon and period (a month, or all): which
    of two models was better on the same instruments and bars, and how sure that is.
    Bars are the observations: differences are averaged over the instruments of a base bar first, then tested over
    time. Numbers of comparisons whose predictions and outcomes are as they were stay (int_model_comparisons): only
    deciding that reads all outcomes, and pairing the predictions of all models anew is what costs. Hashed joins as in
    int_comparison_bars_this_run.
#}
{{
    config(
        incremental_strategy='replace_all',
        unique_key=['champion_id', 'challenger_id', 'prediction_type', 'timeframe', 'horizon_bars', 'period'],
        pre_hook='set local enable_nestloop = off',
    )
}}
{%- set counts = ['both_right', 'only_champion_right', 'only_challenger_right', 'neither_right'] -%}
{%- set means = [
    'champion_loss', 'challenger_loss', 'loss_difference',
    'champion_net_return', 'challenger_net_return', 'net_return_difference',
] -%}
{%- set totals = ['first_bar_at', 'last_bar_at', 'pairs', 'bars'] -%}
{%- set tests = [
    'mcnemar_statistic', 'mcnemar_p_value', 'mcnemar_exact_p_value', 'loss_t_naive', 'loss_p_value_naive',
    'loss_t_diebold_mariano', 'loss_p_value', 'net_return_t_diebold_mariano', 'net_return_p_value',
] -%}
{%- set numbers = totals + counts + means + tests -%}
with

comparisons as (

    select * from {{ ref('int_model_comparisons') }}

),

bars as (

    select
        bars_this_run.*,
        comparisons.comparison_no,
        comparisons.judged_as,
        row_number() over (
            partition by comparisons.comparison_no
            order by bars_this_run.base_bar_at
        ) as observation
    from comparisons
    inner join {{ ref('int_comparison_bars_this_run') }} as bars_this_run
        on
            comparisons.champion_id = bars_this_run.champion_id
            and comparisons.challenger_id = bars_this_run.challenger_id
            and comparisons.prediction_type = bars_this_run.prediction_type
            and comparisons.timeframe = bars_this_run.timeframe
            and comparisons.horizon_bars = bars_this_run.horizon_bars
            and comparisons.period in ('all', to_char(bars_this_run.base_bar_at at time zone 'UTC', 'YYYY-MM'))
    where comparisons.is_open

),

summed as (

    select
        comparison_no,
        judged_as,
        min(base_bar_at) as first_bar_at,
        max(base_bar_at) as last_bar_at,
        sum(pairs)::bigint as pairs,
        count(*)::bigint as bars,
        {% for number in counts -%}
            case when judged_as = 'direction' then sum({{ number }})::bigint end as {{ number }},
        {% endfor -%}
        {% for number in means -%}
            avg({{ number }} order by observation) as {{ number }},
        {% endfor -%}
        sum(pairs * loss_difference order by observation) / sum(pairs) as loss_difference_of_pairs
    from bars
    group by comparison_no, judged_as

),

-- As if pairs were independent.
naive as (

    select
        summed.comparison_no,
        case
            when min(bars.lowest_loss_difference) < max(bars.highest_loss_difference)
                then
                    summed.loss_difference_of_pairs
                    / sqrt(
                        nullif(sum(
                            bars.loss_squares
                            + bars.pairs * power(bars.loss_difference - summed.loss_difference_of_pairs, 2)
                            order by bars.observation
                        ), 0) / summed.pairs / (summed.pairs - 1)
                    )
        end as t
    from summed
    inner join bars on summed.comparison_no = bars.comparison_no
    group by summed.comparison_no, summed.loss_difference_of_pairs, summed.pairs

),

running as (

    select
        bars.comparison_no,
        measures.measure,
        bars.horizon_bars,
        bars.observation,
        summed.bars,
        measures.lowest,
        measures.highest,
        sum(measures.value - measures.mean) over (
            partition by bars.comparison_no, measures.measure
            order by bars.observation
        ) as so_far
    from bars
    inner join summed on bars.comparison_no = summed.comparison_no
    cross join lateral (
        values
        (
            'loss', bars.loss_difference, summed.loss_difference,
            bars.lowest_loss_difference, bars.highest_loss_difference
        ),
        (
            'net_return', bars.net_return_difference, summed.net_return_difference,
            bars.lowest_net_return_difference, bars.highest_net_return_difference
        )
    ) as measures (measure, value, mean, lowest, highest)

),

blocks as (

    select
        *,
        {{ newey_west_block('so_far', 'observation', 'bars', 'horizon_bars', 'by_observation') }} as squares
    from running
    window by_observation as (partition by comparison_no, measure order by observation)

),

long_run as (

    select
        comparison_no,
        measure,
        case
            when min(lowest) < max(highest) then nullif(sum(squares order by observation), 0) / horizon_bars
        end as variance
    from blocks
    group by comparison_no, measure, horizon_bars

),

-- Diebold and Mariano, with the correction of Harvey, Leybourne and Newbold: needs more bars than one spans.
scaled as (

    select
        summed.*,
        naive.t as loss_t_naive,
        {% for measure in ['loss', 'net_return'] -%}
            case
                when summed.bars > comparisons.horizon_bars
                    then
                        summed.{{ measure }}_difference
                        * sqrt(
                            (summed.bars - comparisons.horizon_bars)
                            * (summed.bars - comparisons.horizon_bars + 1)
                            / {{ measure }}_long_run.variance
                        )
            end as {{ measure }}_t_diebold_mariano,
        {% endfor -%}
        summed.only_champion_right + summed.only_challenger_right as discordant
    from summed
    inner join comparisons on summed.comparison_no = comparisons.comparison_no
    inner join naive on summed.comparison_no = naive.comparison_no
    {% for measure in ['loss', 'net_return'] -%}
        inner join long_run as {{ measure }}_long_run
            on
                summed.comparison_no = {{ measure }}_long_run.comparison_no
                and {{ measure }}_long_run.measure = '{{ measure }}'
    {% endfor %}
),

tested as (

    select
        *,
        power(abs(only_champion_right - only_challenger_right) - 1, 2)
        / nullif(discordant, 0)::double precision as mcnemar_statistic,
        -- Chi-square with one degree of freedom.
        erfc(
            abs(abs(only_champion_right - only_challenger_right) - 1)
            / sqrt(2 * nullif(discordant, 0)::double precision)
        ) as mcnemar_p_value,
        case
            when discordant = 0 then 1
            when discordant > 0
                then
                    least(
                        1,
                        2 * {{ function('regularized_beta') }}(
                            0.5,
                            greatest(only_champion_right, only_challenger_right),
                            least(only_champion_right, only_challenger_right) + 1
                        )
                    )
        end as mcnemar_exact_p_value,
        {% for measure in ['loss', 'net_return'] -%}
            case
                when bars > 1
                    then {{ student_t_p_value(measure ~ '_t_diebold_mariano', '(bars - 1)') }}
            end as {{ measure }}_p_value,
        {% endfor -%}
        case when pairs > 1 then {{ student_t_p_value('loss_t_naive', '(pairs - 1)') }} end as loss_p_value_naive
    from scaled

),

measured as (

    select
        {% for number in numbers -%}
            tested.{{ number }},
        {% endfor -%}
        comparisons.comparison_no
    from comparisons
    left join tested on comparisons.comparison_no = tested.comparison_no
    where comparisons.is_open
    {% if is_incremental() %}

        union all

        select
            {% for number in numbers -%}
                kept.{{ number }},
            {% endfor -%}
            comparisons.comparison_no
        from comparisons
        inner join {{ this }} as kept
            on
                comparisons.champion_id = kept.champion_id
                and comparisons.challenger_id = kept.challenger_id
                and comparisons.prediction_type = kept.prediction_type
                and comparisons.timeframe = kept.timeframe
                and comparisons.horizon_bars = kept.horizon_bars
                and comparisons.period = kept.period
                and comparisons.input_fingerprint = kept.input_fingerprint
        where not comparisons.is_open
    {% endif %}

),

decided as (

    -- Instruments of a bar are not independent, as McNemar's test has it, and few discordant pairs are too few for
    -- Student's distribution: of directions both must be sure.
    select
        *,
        case
            when mcnemar_exact_p_value > loss_p_value then mcnemar_exact_p_value
            else loss_p_value
        end as p_value
    from measured

)

select
    comparisons.champion_id,
    comparisons.challenger_id,
    comparisons.prediction_type,
    comparisons.timeframe,
    comparisons.horizon_bars,
    comparisons.period,
    comparisons.judged_as,
    champion.name as champion_name,
    champion.version as champion_version,
    challenger.name as challenger_name,
    challenger.version as challenger_version,
    challenger.status as challenger_status,
    {% for number in numbers if number not in ['pairs', 'bars'] -%}
        decided.{{ number }},
    {% endfor -%}
    coalesce(decided.pairs, 0) as pairs,
    coalesce(decided.bars, 0) as bars,
    decided.p_value,
    case
        when decided.loss_difference > 0 then 'challenger'
        when decided.loss_difference < 0 then 'champion'
    end as better,
    decided.p_value < {{ var('comparison_significance') }} as is_significant,
    comparisons.input_fingerprint

from comparisons
inner join decided on comparisons.comparison_no = decided.comparison_no
inner join {{ ref('stg_ml__models') }} as champion on comparisons.champion_id = champion.model_id
inner join {{ ref('stg_ml__models') }} as challenger on comparisons.challenger_id = challenger.model_id
