{% macro refuse_to_lose_history() -%}
    {#-
        on-run-start: a rebuild from the first bar on (a full refresh, or changed code) makes no row whose bars
        were dropped from the landing zone (ops.expired_bars). It is refused while such rows are published,
        unless var expired_history says what to do with them: `keep` them as they are published, or `drop` them.
    -#}
    {%- set answer = var('expired_history') -%}
    {%- if execute and not var('workspace') and answer != 'drop' and flags.WHICH in ['run', 'build', 'retry'] -%}
        {%- set mart = api.Relation.create(schema='build', identifier='feature_engineered_data') -%}
        {%- set expired = run_query(
            "select timeframe, max(kept_from)::text from ops.expired_bars"
            ~ " where to_regclass('build.feature_engineered_data') is not null group by timeframe"
        ).rows -%}
        {%- for row in expired if flags.FULL_REFRESH or not has_watermarks(window_consumers()) -%}
            {%- set lost = run_query(
                'select count(*), count(distinct instrument_id) from ' ~ mart
                ~ " where timeframe = '" ~ row[0] ~ "' and \"timestamp\" < '" ~ row[1] ~ "'"
            ).rows[0] -%}
            {%- if lost[0] > 0 and (answer == 'refuse' or flags.FULL_REFRESH) -%}
                {{ exceptions.raise_compiler_error(
                    'This build starts from the first bar, but the landing zone no longer has bars of ' ~ row[0] ~ ' before ' ~ row[1]
                    ~ ' (ops.expired_bars): ' ~ lost[0] ~ ' rows of ' ~ lost[1] ~ ' instruments in feature_engineered_data could not be made again. '
                    ~ ('A full refresh cannot keep them; to lose them on purpose: ' if flags.FULL_REFRESH else "To keep them as they are published: --vars '{expired_history: keep}'; to lose them: ")
                    ~ "--vars '{expired_history: drop}'. Or land the old bars again first."
                ) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    select 1
{%- endmacro %}
