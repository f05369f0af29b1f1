{% macro tracked_relations() -%}
    {#- The tables whose change log a run window reads; each consumer keeps a watermark for every one of them. -#}
    {{ return(['raw_market.bars', 'ref.corporate_actions']) }}
{%- endmacro %}
