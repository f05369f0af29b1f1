{% macro publication_state(nodes, versions) -%}
    {#-
        What a publication depends on: {series: how many series the run window has, is_whole: whether every
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
        ~ ' (select count(*) from ' ~ run_window() ~ ') as series'
        ~ ' from (values ' ~ expected | join(', ') ~ ') as expected (model, code_version)'
        ~ ' left join ops.built_from using (model, code_version)'
    ).rows -%}
    {%- set is_whole = flags.FULL_REFRESH or not has_watermarks({'publication': versions.publication}) -%}
    {%- set state = {'late': [], 'published': [], 'behind': [], 'series': rows[0][3] | int, 'is_whole': is_whole} -%}
    {%- for row in rows -%}
        {%- do state.late.append(row[0]) if row[1] -%}
        {%- do state.published.append(row[0]) if row[2] -%}
        {%- do state.behind.append(row[0]) if row[1] and row[2] -%}
    {%- endfor -%}
    {{ return(state) }}
{%- endmacro %}
