{% macro build_lock() -%}
    {#- Key of the advisory lock of builds: LOCK in scripts/warehouse/build_lock.py. -#}
    7203002
{%- endmacro %}
