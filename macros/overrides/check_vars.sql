{% macro check_vars() %}
    {%- for name in ['as_of', 'dashboard_as_of'] if var(name) -%}
        {%- if not modules.re.match('^\\d{4}-\\d{2}-\\d{2}([T ]\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,6})?)?(Z|[+-]\\d{2}:?\\d{2})?)?$', var(name) | string) -%}
            {{ exceptions.raise_compiler_error("var " ~ name ~ " is '" ~ var(name) ~ "': give an ISO 8601 time such as 2024-06-30T20:00:00Z") }}
        {%- endif -%}
    {%- endfor -%}
    {%- if not modules.re.match('^\\d+\\.\\d+$', var('feature_version') | string) -%}
        {{ exceptions.raise_compiler_error("var feature_version is '" ~ var('feature_version') ~ "': give major.minor such as 3.0") }}
    {%- endif -%}
    {%- if var('workspace') and not modules.re.match('^[a-z][a-z_]{0,30}$', var('workspace') | string) -%}
        {{ exceptions.raise_compiler_error("var workspace is '" ~ var('workspace') ~ "': give lower-case letters") }}
    {%- endif -%}
    {%- if var('expired_history') not in ['refuse', 'keep', 'drop'] -%}
        {{ exceptions.raise_compiler_error("var expired_history is '" ~ var('expired_history') ~ "': give refuse, keep or drop") }}
    {%- endif -%}
    {%- if var('dashboard_days') | int < 1 -%}
        {{ exceptions.raise_compiler_error("var dashboard_days is " ~ var('dashboard_days') ~ ": give a whole number of days from 1") }}
    {%- endif -%}
    {%- for name in ['factor_timeframes', 'alternative_timeframes'] -%}
        {%- if not var(name) or var(name) is string or not var(name) is iterable -%}
            {{ exceptions.raise_compiler_error("var " ~ name ~ " is '" ~ var(name) ~ "': give a list of timeframes such as [1h, 1d]") }}
        {%- endif -%}
        {%- for timeframe in var(name) if not modules.re.match('^[1-9][0-9]*(m|h|d)$', timeframe | string) -%}
            {{ exceptions.raise_compiler_error("var " ~ name ~ " has '" ~ timeframe ~ "': give timeframes such as [1h, 1d]") }}
        {%- endfor -%}
    {%- endfor -%}
    {%- if var('cross_section_minimum') | int < 2 -%}
        {{ exceptions.raise_compiler_error("var cross_section_minimum is " ~ var('cross_section_minimum') ~ ": give a whole number of instruments from 2") }}
    {%- endif -%}
    {%- if not var('label_horizons') or label_horizons() | min < 1 or label_horizons() | unique | list | length < var('label_horizons') | length -%}
        {{ exceptions.raise_compiler_error("var label_horizons is " ~ var('label_horizons') ~ ": give different whole numbers of sessions from 1, such as [1, 5, 10, 21]") }}
    {%- endif -%}
    {%- if var('signal_cost_bps') | float(-1) < 0 -%}
        {{ exceptions.raise_compiler_error("var signal_cost_bps is " ~ var('signal_cost_bps') ~ ": give basis points from 0") }}
    {%- endif -%}
    {%- if not modules.re.match('^[A-Za-z0-9/_]{2,20}$', var('regime_calendar') | string) -%}
        {{ exceptions.raise_compiler_error("var regime_calendar is '" ~ var('regime_calendar') ~ "': give an exchange calendar such as XNYS or 24/7") }}
    {%- endif -%}
    {%- if var('signal_quantiles') | int < 2 -%}
        {{ exceptions.raise_compiler_error("var signal_quantiles is " ~ var('signal_quantiles') ~ ": give a whole number from 2") }}
    {%- endif -%}
    {%- if not 0 < var('comparison_significance') | float(-1) < 1 -%}
        {{ exceptions.raise_compiler_error("var comparison_significance is " ~ var('comparison_significance') ~ ": give a probability above 0 and below 1") }}
    {%- endif -%}
    {%- if not 0 <= var('backtest_price_tolerance') | float(-1) < 1 -%}
        {{ exceptions.raise_compiler_error("var backtest_price_tolerance is " ~ var('backtest_price_tolerance') ~ ": give a share of the price from 0 to below 1") }}
    {%- endif -%}
    {%- if var('overfitting_blocks') | int not in [4, 6, 8, 10, 12, 14, 16] -%}
        {{ exceptions.raise_compiler_error("var overfitting_blocks is " ~ var('overfitting_blocks') ~ ": give an even number from 4 to 16") }}
    {%- endif -%}
    {%- for name in ['sentiment_max_age_days', 'social_max_age_hours', 'alternative_data_max_age_days', 'option_max_age_days'] if not modules.re.match('^[1-9]\\d*$', var(name) | string) -%}
        {{ exceptions.raise_compiler_error("var " ~ name ~ " is " ~ var(name) ~ ": give a whole number from 1") }}
    {%- endfor -%}
    {%- if var('sentiment_max_age_days') | int < 5 -%}
        {{ exceptions.raise_compiler_error("var sentiment_max_age_days is " ~ var('sentiment_max_age_days') ~ ": give 5 or more, the longest window of features_sentiment") }}
    {%- endif -%}
    {%- if var('history_landed_until') is not mapping -%}
        {{ exceptions.raise_compiler_error("var history_landed_until is " ~ var('history_landed_until') ~ ": give an instant by source, such as {stocknet: \"2024-06-30T20:00:00Z\"}") }}
    {%- endif -%}
    {%- for source, instant in var('history_landed_until').items() if not modules.re.match('^\\d{4}-\\d{2}-\\d{2}([T ]\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,6})?)?(Z|[+-]\\d{2}:?\\d{2})?)?$', instant | string) -%}
        {{ exceptions.raise_compiler_error("var history_landed_until has '" ~ instant ~ "' for " ~ source ~ ": give an ISO 8601 time such as 2024-06-30T20:00:00Z") }}
    {%- endfor -%}
    select 1
{% endmacro %}
