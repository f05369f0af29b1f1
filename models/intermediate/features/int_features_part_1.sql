{#
    Grain: one row per recomputed bar of every second series. Two parts, because one server process computes on one core:
    dbt builds them side by side.
#}
{{ config(pre_hook="{{ nested_loops_only() }}") }}
select * -- noqa: AM04
from {{ ref('int_features') }}
where series_no % 2 = 1
