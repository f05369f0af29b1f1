{% macro index_scratch(ordered=false) -%}
    {#-
        Scratch of a run is joined on its row number: an index and fresh statistics make that a merge.
        ordered: also by series, the order of every window, so that no family sorts 1.9M bars again.
        It is dropped by the next run: vacuuming it in the background only costs.
    -#}
    {%- if config.get('materialized') == 'table' -%}
        create unique index on {{ this }} (bar_row);
        {% if ordered -%}
        create unique index on {{ this }} (series_no, bar_row);
        {% endif -%}
        alter table {{ this }} set (autovacuum_enabled = false);
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
