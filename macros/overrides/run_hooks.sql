{% macro run_hooks(hooks, inside_transaction=True) -%}
    {#-
        As in dbt, but the hooks of a phase are rendered and sent together: dbt makes a context of all macros for each
        and sends it by itself, which for four hooks of 60 models was a fifth of a run with nothing to do.
    -#}
    {%- set sent = hooks | selectattr('transaction', 'equalto', inside_transaction) | map(attribute='sql') | list -%}
    {%- if sent and not inside_transaction -%}
        {%- call statement(auto_begin=false) -%}commit{%- endcall -%}
    {%- endif -%}
    {%- set rendered = render(sent | join('\n;\n')) if sent else '' -%}
    {%- if rendered | replace(';', '') | trim -%}
        {%- call statement(auto_begin=inside_transaction) -%}{{ rendered }}{%- endcall -%}
    {%- endif -%}
{%- endmacro %}
