{% macro index_scratch(ordered=false) -%}
    {#-
        Scratch of a run is joined on its row number: an index and fresh statistics of it make that a merge.
        ordered: also by series, the order of every window, so that no family sorts 1.9M bars again.
        It is dropped by the next run: vacuuming it in the background only costs.
    -#}
    {%- if config.get('materialized') == 'scratch' -%}
        create unique index on {{ this }} (bar_row);
        {% if ordered -%}
        create unique index on {{ this }} (series_no, bar_row);
        {% endif -%}
        alter table {{ this }} set (autovacuum_enabled = false);
        -- Of the columns that plans ask about: sampling all of them took 0.2 s a table, however few rows it had.
        analyze {{ this }} (bar_row{{ ', series_no' if ordered }})
    {%- endif -%}
{%- endmacro %}
