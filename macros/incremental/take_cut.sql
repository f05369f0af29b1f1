{% macro take_cut() -%}
    {#-
        Pre-hook of the run window: the cut is taken before the change log is read. What commits in between
        is read and stays dirty for the next build; taken after the read it would be marked as seen unread.
    -#}
    {{ note_built_from('int_run_window', 'pg_current_snapshot()', code_version('int_run_window')) if execute and not var('workspace') }}
{%- endmacro %}
