{% macro instrument_of(symbol, moment) -%}
    {#-
        The instrument that a ticker means on the UTC day of a moment, as a query of no or one row for a lateral join.
        A ticker that several exchanges have then means the instrument we knew first.
    -#}
    select symbol_history.instrument_id
    from {{ source('ref', 'symbol_history') }} as symbol_history
    where
        symbol_history.symbol = {{ symbol }}
        and ({{ moment }} at time zone 'UTC')::date >= symbol_history.valid_from
        and ({{ moment }} at time zone 'UTC')::date < symbol_history.valid_to
    order by symbol_history.instrument_id
    limit 1
{%- endmacro %}
