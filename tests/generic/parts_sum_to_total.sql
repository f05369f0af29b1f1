{% test parts_sum_to_total(model, part, residual, total, by) %}
    {#-
        Groups whose parts and residual, which every row of the group repeats, are not its total: to 1e-9 of 1 or of the
        parts, where those are larger. A part that is NULL contributes nothing.
    -#}
    select
        {{ by | join(', ') }},
        coalesce(sum({{ part }}), 0) + min({{ residual }}) as sum_of_parts,
        min({{ total }}) as total
    from {{ model }}
    group by {{ by | join(', ') }}
    having
        not abs(coalesce(sum({{ part }}), 0) + min({{ residual }}) - min({{ total }}))
        <= 1e-9 * greatest(1, sum(abs({{ part }})))
        or count({{ residual }}) <> count({{ total }})
        or min({{ total }}) <> max({{ total }})
        or min({{ residual }}) <> max({{ residual }})
{% endtest %}
