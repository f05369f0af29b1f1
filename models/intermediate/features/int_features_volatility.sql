{{ config(materialized='ephemeral') }}
{#
    Grain: one row per recomputed bar. True range and estimators of volatility, added to the family before.
    Windows of 6, 12 and 24 bars are added up of sixes.
#}
select
    bars.*, -- noqa: AM04
    {{ known('bars.true_range_at[bars.bar]') }} as true_range,
    bars.atr_14 as atr,
    variances.realized_vol_6,
    variances.realized_vol_12,
    variances.realized_vol_24,
    {{ function('safe_divide') }}(variances.realized_vol_6, variances.realized_vol_24) as realized_vol_ratio_6_24,
    variances.downside_vol_24,
    variances.bipower_vol_24,
    -- Never negative: what a bar moved is at most its range.
    sqrt(
        (0.5 * variances.squared_range_24 - (2 * ln(2::double precision) - 1) * variances.squared_intraday_24) / 24
    ) as garman_klass_24,
    sqrt(variances.squared_range_24 / 24 / (4 * ln(2::double precision))) as parkinson_24,
    sqrt(variances.rogers_satchell_24 / 24) as rogers_satchell_24,
    sqrt(
        variances.overnight_variance
        + {{ yang_zhang_weight(24) }} * variances.intraday_variance
        + (1 - {{ yang_zhang_weight(24) }}) * variances.rogers_satchell_24 / 24
    ) as yang_zhang_24
from {{ ref('int_features_momentum') }} as bars
cross join
    lateral (
        select
            {% for sixes in [1, 2] -%}
                {% for term in ['log_return', 'squared_return'] -%}
                    {{ known(trailing_sum('bars.' ~ term ~ '_6_at', sixes, spacing=6)) }} as {{ term }}_{{ 6 * sixes }},
                {% endfor -%}
            {% endfor -%}
            {% for term in [
                'log_return', 'squared_return', 'downside', 'bipower', 'squared_range', 'rogers_satchell',
                'overnight', 'squared_overnight', 'intraday',
            ] -%}
                {{ known(trailing_sum('bars.' ~ term ~ '_6_at', 4, spacing=6)) }} as {{ term }}_24,
            {% endfor -%}
            {{ known(trailing_sum('bars.squared_intraday_6_at', 4, spacing=6)) }} as squared_intraday_24
        from (values (true)) as fence (is_up)
        -- What is used more than once here is computed once behind each fence.
        offset 0 -- noqa: AM09
    ) as sums
cross join lateral (
    select
        {% for sixes in [1, 2, 4] -%}
            sqrt(
                {{ sample_variance('sums.squared_return_' ~ 6 * sixes, 'sums.log_return_' ~ 6 * sixes, 6 * sixes) }}
            ) as realized_vol_{{ 6 * sixes }},
        {% endfor -%}
        sqrt(sums.downside_24 / 24) as downside_vol_24,
        sqrt(sums.bipower_24 * pi() / 2 / 24) as bipower_vol_24,
        sums.squared_range_24,
        sums.squared_intraday_24,
        {{ not_negative('sums.rogers_satchell_24') }} as rogers_satchell_24,
        {{ sample_variance('sums.squared_overnight_24', 'sums.overnight_24', 24) }} as overnight_variance,
        {{ sample_variance('sums.squared_intraday_24', 'sums.intraday_24', 24) }} as intraday_variance
    from (values (true)) as fence (is_up)
    offset 0 -- noqa: AM09
) as variances
