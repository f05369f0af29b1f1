{% materialization scratch, adapter='postgres' %}
    {#-
        A table of one run, dropped and made again in one transaction. dbt's `table` makes it beside the old one,
        renames both and drops one: nobody reads scratch meanwhile, and each of the three costs dbt a context of all
        macros, a quarter of what it does itself in a run that has little to build.
    -#}
    {%- set old = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        drop {{ old.type if old else 'table' }} if exists {{ target }} cascade;
        {{ get_create_table_as_sql(False, target, sql) }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
