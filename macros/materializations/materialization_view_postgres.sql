{% materialization view, adapter='postgres' %}
    {#-
        A view, replaced where it stands. dbt's own is made beside the old one, renamed twice and dropped, in five statements
        and with everything that hangs from the old one; here that is only so when PostgreSQL cannot replace it, because
        a column went or changed its type.
    -#}
    {%- set old = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='view') -%}
    {%- set query -%}view {{ target }} as (
        {{ sql }}
    ){%- endset -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {%- if old and old.type != 'view' %}
        drop {{ old.type }} if exists {{ old }} cascade;
        {%- endif %}
        do $materialization$
        begin
            execute $query$create or replace {{ query }}$query$;
        exception
            when invalid_table_definition then
                drop view {{ target }} cascade;
                execute $query$create {{ query }}$query$;
        end $materialization$
    {%- endcall %}
    {% do persist_docs(target, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
