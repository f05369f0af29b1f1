{% macro publish(results) -%}
    {#-
        on-run-end: give readers of schema marts the build that has just ended, all marts in one transaction. Readers
        see the last complete build or this one, never a mix and never an empty table, in read committed and in
        repeatable read: rows are replaced, tables never swapped, so views and grants of others stay too.
        Nothing is published after an error or a failed test, nor when a mart that readers have was left out of
        the run: it says which. What was built stays dirty, because the publication is a consumer of the window.
    -#}
    {%- set touched = results | selectattr('node.name', 'in', window_consumers().keys() | list) | list -%}
    {%- if not execute or not touched or flags.WHICH not in ['run', 'build', 'retry'] -%}
        {{ return('select 1') }}
    {%- endif -%}
    {%- set bad = results | selectattr('status', 'in', ['error', 'fail', 'skipped', 'runtime error', 'partial success']) | map(attribute='node.name') | list -%}
    {%- set late = models_behind(published_models()) -%}
    {%- set marts = published_models() | rejectattr('name', 'in', late) | list -%}
    {#- A mart that nobody has seen yet can wait: there is nothing that it would contradict. -#}
    {%- set behind = [] -%}
    {%- for node in published_models() if node.name in late and is_published(node) -%}
        {%- do behind.append(node.name) -%}
    {%- endfor -%}
    {%- if bad or behind or not marts -%}
        {%- do log(
            'Not published, readers keep the build before: '
            ~ (bad[:3] | join(', ') ~ ' did not succeed.' if bad else (behind or late) | join(', ') ~ ' not built for this run window (dbt build builds all).'),
            info=true
        ) -%}
        {{ return('select 1') }}
    {%- endif -%}
    {%- set is_whole = is_publication_whole() -%}
begin;
create schema if not exists marts;
    {% for node in marts -%}
{{ publish_model(node, is_whole) }}
    {% endfor -%}
insert into ops.publication (run_id, cut, code_version, is_whole, series_changed)
select '{{ invocation_id }}', cut, '{{ window_consumers()['publication'] }}', {{ is_whole }},
    (select count(*) from {{ run_window() }})
from ({{ window_cut() }}) as run_window;
{{ move_watermark('publication', window_consumers()['publication']) }};
commit
{%- endmacro %}
