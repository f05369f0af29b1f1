{% macro publication_state(nodes, versions) -%}
    {#-
        What a publication depends on, in one query: {series: how many series the run window has, is_whole: whether every
        published row is replaced (first publication, changed code, another cluster, an older backup, a full
        refresh), late: models not built by this code for the latest window, published: models that readers
        have already, behind: those of them that are late}.
    -#}
    {%- set expected = [] -%}
    {%- for node in nodes -%}
        {%- do expected.append("('" ~ node.name ~ "', '" ~ versions[node.name] ~ "')") -%}
    {%- endfor -%}
    {%- set rows = run_query(
        'select expected.model, (built_from.cut::text = (' ~ window_cut() ~ ')::text) is not true as is_late,'
        ~ " to_regclass('marts.' || expected.model) is not null as is_published,"
        ~ ' (select count(*) from ' ~ run_window() ~ ') as series,'
        ~ " (select count(*) from ops.consumers where model = 'publication' and code_version = '" ~ versions.publication ~ "'"
        ~ ' and ' ~ is_own_watermark() ~ ') as watermarks'
        ~ ' from (values ' ~ expected | join(', ') ~ ') as expected (model, code_version)'
        ~ ' left join ops.built_from using (model, code_version)'
    ).rows if execute else [] -%}
    {%- set state = {'late': [], 'published': [], 'behind': [], 'series': 0, 'is_whole': flags.FULL_REFRESH} -%}
    {%- for row in rows -%}
        {%- do state.late.append(row[0]) if row[1] -%}
        {%- do state.published.append(row[0]) if row[2] -%}
        {%- do state.behind.append(row[0]) if row[1] and row[2] -%}
        {%- do state.update({'series': row[3] | int}) -%}
        {%- do state.update({'is_whole': true}) if row[4] | int < tracked_relations() | length -%}
    {%- endfor -%}
    {{ return(state) }}
{%- endmacro %}
