{% macro index_scratch() -%}
    {#- Scratch of a run is joined on its row number, in order: an index and fresh statistics make that a merge. -#}
    {%- if config.get('materialized') == 'table' -%}
        create unique index on {{ this }} (bar_row);
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
