{% macro publish(results) -%}
    {#-
        on-run-end: give readers of schema marts the build that has just ended, all marts in one transaction. Readers
        see the last complete build or this one, never a mix and never an empty table, in read committed and in
        repeatable read: rows are replaced, tables never swapped, so views and grants of others stay too.
        Nothing is published after an error or a failed test, nor when a mart that readers have was left out of
        the run: it says which. What was built stays dirty, because the publication is a consumer of the window.
    -#}
    {%- set marts = published_models() if execute else [] -%}
    {%- set touched = results | selectattr('node.name', 'in', marts | map(attribute='name') | list) | list -%}
    {%- if not touched or flags.WHICH not in ['run', 'build', 'retry'] -%}
        {{ return('select 1') }}
    {%- endif -%}
    {%- set versions = window_consumers() -%}
    {%- set state = publication_state(marts, versions) -%}
    {%- set bad = results | selectattr('status', 'in', ['error', 'fail', 'skipped', 'runtime error', 'partial success']) | map(attribute='node.name') | list -%}
    {#- A mart that nobody has seen yet can wait: there is nothing that it would contradict. -#}
    {%- if bad or state.behind or state.late | length == marts | length -%}
        {%- do log(
            'Not published, readers keep the build before: '
            ~ (bad[:3] | join(', ') ~ ' did not succeed.' if bad else (state.behind or state.late) | join(', ') ~ ' not built for this run window (dbt build builds all).'),
            info=true
        ) -%}
        {{ return('select 1') }}
    {%- endif -%}
begin;
    {% for node in marts | rejectattr('name', 'in', state.late) -%}
        {#- An empty window leaves all but the marts of a moving window, or of one of their own, as they are. -#}
        {%- if state.series or state.is_whole or node.name not in state.published or node.config.incremental_strategy == 'replace_all' or node.config.get('meta', {}).get('window_model') or node.config.get('meta', {}).get('touched') -%}
{{ publish_model(node, state.is_whole) }}
        {%- endif %}
    {% endfor -%}
insert into ops.publication (run_id, cut, code_version, is_whole, series_changed, project, dashboard_until, dashboard_days, as_of)
select
    '{{ invocation_id }}', cut, '{{ versions.publication }}', {{ state.is_whole }}, {{ state.series }},
    '{{ env_var('WAREHOUSE_PROJECT', '') }}', {{ dashboard_until() }}, {{ var('dashboard_days') | int }},
    nullif('{{ var('as_of') }}', '')::timestamptz
from ({{ window_cut() }}) as run_window;
{{ move_watermark('publication', versions.publication) }};
commit
{%- endmacro %}
