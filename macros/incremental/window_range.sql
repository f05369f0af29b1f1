{% macro window_range(strategy, meta, unique_key) -%}
    {#-
        The rows of a model that a run replaces, as {from, where}: what `target` is joined with and on which
        condition. Used twice, when the model is built and when it is published, so that both are the same rows.
        The literal bound lets the planner leave out whole partitions and chunks.
        Raises a compiler error for a strategy or meta it does not know.
    -#}
    {%- set version = "\n        and target.feature_version = '" ~ var('feature_version') ~ "'" if meta.get('versioned') else '' -%}
    {%- set window = run_window() -%}
    {%- if strategy == 'replace_all' -%}
        {{ return({'from': none, 'where': 'true'}) }}
    {%- elif strategy == 'touched_replace' and meta.get('touched') -%}
        {%- set touched = graph.nodes['model.' ~ project_name ~ '.' ~ meta.touched] if execute else {} -%}
        {%- set same = [] -%}
        {%- for key in meta.get('touched_keys', unique_key[:1]) -%}
            {%- do same.append('target."' ~ key ~ '" = touched."' ~ key ~ '"') -%}
        {%- endfor -%}
        {{ return({'from': touched.relation_name ~ ' as touched', 'where': same | join('\n        and ')}) }}
    {%- elif strategy == 'day_replace' -%}
        {{ return({
            'from': '(' ~ first_touched_days() ~ ') as run_window',
            'where': 'target.timeframe = run_window.timeframe\n        and target.session_date >= run_window.first_day' ~ version,
        }) }}
    {%- elif strategy == 'window_replace' and meta.get('window_column') -%}
        {%- set window = graph.nodes['model.' ~ project_name ~ '.' ~ meta.window_model].relation_name if execute and meta.get('window_model') else window -%}
        {%- set column = 'run_window.' ~ meta.get('window_bound', 'recompute_from') -%}
        {%- set bound = day_of_window(column) if meta.get('window_unit') == 'day' else column -%}
        {%- set first = run_query('select min(' ~ bound ~ ')::text from ' ~ window ~ ' as run_window').columns[0].values()[0] if execute else none -%}
        {%- set same = [] -%}
        {%- for key in meta.get('window_keys', ['instrument_id', 'timeframe']) -%}
            {%- do same.append('target.' ~ key ~ ' = run_window.' ~ key) -%}
        {%- endfor -%}
        {{ return({
            'from': window ~ ' as run_window',
            'where': same | join('\n        and ') ~ '\n        and target."' ~ meta.window_column ~ '" >= ' ~ bound
                ~ ("\n        and target.\"" ~ meta.window_column ~ "\" >= '" ~ first ~ "'" if first else '') ~ version,
        }) }}
    {%- endif -%}
    {{ exceptions.raise_compiler_error("incremental strategy '" ~ strategy ~ "' of " ~ (model.name if model else 'a published model') ~ ": give replace_all, day_replace, window_replace with config.meta.window_column, the time column that the window bounds, or touched_replace with config.meta.touched, the scratch model of the keys") }}
{%- endmacro %}
