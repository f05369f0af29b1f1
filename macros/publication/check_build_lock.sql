{% macro check_build_lock() -%}
    {#-
        on-run-start: one build at a time. The lock is a session's (advisory), held by `warehouse build`, or by the
        process of a `dbt run` typed by hand: scripts/warehouse/build_lock.py takes it when dbt starts, because dbt
        itself closes its connections between models. Whoever holds it is named by who started and since when.
        A program that calls dbtRunner itself has no such session and only gives way to a build that has one.
    -#}
    {%- if execute and flags.WHICH in ['run', 'build', 'seed', 'retry'] -%}
        {%- set holder = run_query(
            "select program, pid, client, to_char(since at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' from ops.running_build"
        ) -%}
        {%- for row in holder.rows if row[1] | string != env_var('WAREHOUSE_BUILD_PID', '') -%}
            {{ exceptions.raise_compiler_error(
                'A build is running already: ' ~ row[0] ~ ' (pid ' ~ row[1] ~ ', from ' ~ row[2] ~ ') since ' ~ row[3]
                ~ '. Wait for it; if its program is gone: select pg_terminate_backend(' ~ row[1] ~ ').'
            ) }}
        {%- endfor -%}
    {%- endif -%}
    select 1
{%- endmacro %}
