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
    'loss_t', 'loss_degrees', 'loss_p_value', 'loss_t_diebold_mariano',
    'net_return_t', 'net_return_degrees', 'net_return_p_value', 'net_return_t_diebold_mariano',
] -%}
{%- set rivals = 'champion_id, prediction_type, timeframe, horizon_bars, period' -%}
{%- set numbers = totals + counts + means + tests -%}
with

comparisons as (

    select * from {{ ref('int_model_comparisons') }}

),

bars as (

    select * from {{ ref('int_comparison_bars_this_run') }}

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

tested as (

    select
        summed.*,
        naive.t as loss_t_naive,
        case
            when summed.pairs > 1 then {{ student_t_p_value('naive.t', '(summed.pairs - 1)') }}
        end as loss_p_value_naive,
        {% for measure in ['loss', 'net_return'] -%}
            {{ measure }}.t as {{ measure }}_t,
            {{ measure }}.degrees as {{ measure }}_degrees,
            {{ measure }}.p_value as {{ measure }}_p_value,
            {{ measure }}.t_diebold_mariano as {{ measure }}_t_diebold_mariano,
        {% endfor -%}
        summed.only_champion_right + summed.only_challenger_right as discordant
    from summed
    inner join naive on summed.comparison_no = naive.comparison_no
    {% for measure in ['loss', 'net_return'] -%}
        left join {{ ref('int_comparison_significance') }} as {{ measure }}
            on
                summed.comparison_no = {{ measure }}.comparison_no
                and {{ measure }}.measure = '{{ measure }}'
    {% endfor %}
),

mcnemar as (

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
        end as mcnemar_exact_p_value
    from tested

),

measured as (

    select
        {% for number in numbers -%}
            mcnemar.{{ number }},
        {% endfor -%}
        comparisons.comparison_no
    from comparisons
    left join mcnemar on comparisons.comparison_no = mcnemar.comparison_no
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
        measured.*,
        comparisons.champion_id,
        comparisons.challenger_id,
        comparisons.prediction_type,
        comparisons.timeframe,
        comparisons.horizon_bars,
        comparisons.period,
        comparisons.judged_as,
        comparisons.input_fingerprint,
        case
            when measured.mcnemar_exact_p_value > measured.loss_p_value then measured.mcnemar_exact_p_value
            else measured.loss_p_value
        end as p_value
    from comparisons
    inner join measured on comparisons.comparison_no = measured.comparison_no

),

numbered as (

    select
        *,
        {{ rank_ratio('p_value', rivals, 'challenger_id') }} as ratio
    from decided

),

-- Among the challengers of one champion: with many one is better by chance.
discovered as (

    select
        *,
        {{ q_value('p_value', 'ratio', rivals, 'challenger_id') }} as q_value
    from numbered

)

select
    discovered.champion_id,
    discovered.challenger_id,
    discovered.prediction_type,
    discovered.timeframe,
    discovered.horizon_bars,
    discovered.period,
    discovered.judged_as,
    champion.name as champion_name,
    champion.version as champion_version,
    challenger.name as challenger_name,
    challenger.version as challenger_version,
    challenger.status as challenger_status,
    {% for number in numbers if number not in ['pairs', 'bars'] -%}
        discovered.{{ number }},
    {% endfor -%}
    coalesce(discovered.pairs, 0) as pairs,
    coalesce(discovered.bars, 0) as bars,
    discovered.p_value,
    discovered.q_value,
    case
        when discovered.loss_difference > 0 then 'challenger'
        when discovered.loss_difference < 0 then 'champion'
    end as better,
    discovered.q_value < {{ var('comparison_significance') }} as is_significant,
    discovered.input_fingerprint

from discovered
inner join {{ ref('stg_ml__models') }} as champion on discovered.champion_id = champion.model_id
inner join {{ ref('stg_ml__models') }} as challenger on discovered.challenger_id = challenger.model_id
