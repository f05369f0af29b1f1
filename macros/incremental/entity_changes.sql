{% macro entity_changes(built) -%}
    {#-
        What landed of entities that are no series since the last build, as a subquery of entity, lo and relation. One row
        without entity and relation means everything, from the beginning: before the first build (built is none), and
        where int_unseen_changes trusts no watermark.
    -#}
    select
        entity,
        lo,
        relation
    from {{ ref('int_unseen_changes') }}
    where entity is not null or relation is null
    {% if built is none %}
    union all
    select
        null as entity,
        '-infinity' as lo,
        null as relation
    {% endif %}
{%- endmacro %}
