{% macro code_version(name) -%}
    {#-
        Fingerprint of everything in this project that decides the rows of a model: the files of its upstream models,
        seeds and functions, the text of every macro that they call, and the vars. A mart built by other
        code is rebuilt whole. A migration that changes an aggregate of schema indicators says so itself,
        by a row in ops.change_log.
    -#}
    {%- set parts = [] -%}
    {%- set names = [
        'as_of', 'feature_version', 'label_horizons', 'signal_cost_bps', 'signal_quantiles', 'regime_calendar',
        'factor_timeframes', 'cross_section_minimum', 'history_landed_until', 'sentiment_max_age_days', 'social_max_age_hours',
        'alternative_data_max_age_days', 'option_max_age_days', 'alternative_timeframes',
    ] -%}
    {%- for name in names -%}
        {%- do parts.append(name ~ var(name)) -%}
    {%- endfor -%}
    {%- set macros = [] -%}
    {%- for each in ancestors('model.' ~ project_name ~ '.' ~ name) -%}
        {%- set node = graph.nodes.get(each) or graph.functions.get(each) -%}
        {%- if node -%}
            {%- do parts.append(each ~ node.checksum.checksum) -%}
            {%- for macro in node.depends_on.macros if macro not in macros -%}
                {%- do macros.append(macro) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for each in macros if each.startswith('macro.' ~ project_name ~ '.') -%}
        {%- set macro = context[each.split('.')[-1]].macro -%}
        {%- do parts.append(each ~ local_md5(macro.macro_sql)) -%}
        {%- for called in macro.depends_on.macros if called not in macros -%}
            {%- do macros.append(called) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(local_md5(parts | sort | join('|'))) }}
{%- endmacro %}
