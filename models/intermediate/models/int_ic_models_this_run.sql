{#
    Grain: one row per model whose information coefficients this run computes anew: those of which a prediction landed or
    may have got another outcome. Empty when nothing changed, though predictions without an outcome are waiting.
#}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('int_unseen_changes') }}
{%- set built = built_relation('model_ic_alarms') %}
with

touched as (

    select model_id::text as model_id
    from {{ ref('int_predictions_this_run') }}
    where is_known
    {% if built is not none %}
        union all
        select model_id
        from {{ built }}
        where exists (
            select from {{ ref('int_unseen_changes') }} as changes
            where changes.relation is null
        )
    {% endif %}

)

select distinct model_id
from touched
{% if built is not none %}
    where
        exists (select from {{ ref('int_run_window') }})
        or exists (
            select from {{ ref('int_unseen_changes') }} as changes
            where changes.entity is not null or changes.relation is null
        )
{% endif %}
