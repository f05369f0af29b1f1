{% macro first_touched_days() -%}
    {#-
        Per timeframe the first session date that the run window can have changed, as a subquery. The session
        of a bar lies at most one day after its UTC date (futures open the evening before).
    -#}
    select
        timeframe,
        min(
            case
                when isfinite(recompute_from) then (recompute_from at time zone 'UTC')::date - 1
                else '-infinity'::date
            end
        ) as first_day
    from {{ run_window() }}
    group by timeframe
{%- endmacro %}
