{#
    Grain: one row per instrument, kind of action and ex-date: the latest revision of the best source that
    has not withdrawn it.
#}
with

actions as (

    select
        corporate_actions.instrument_id,
        corporate_actions.action_type,
        corporate_actions.ex_date,
        corporate_actions.source,
        corporate_actions.revision,
        corporate_actions.split_ratio,
        corporate_actions.cash_amount,
        corporate_actions.is_withdrawn,
        corporate_actions.known_at,
        coalesce(priorities.priority, 100) as source_priority

    from {{ source('ref', 'corporate_actions') }} as corporate_actions
    left join {{ ref('source_priorities') }} as priorities on corporate_actions.source = priorities.source
    {% if var('as_of') %}
    where corporate_actions.known_at <= timestamptz '{{ var("as_of") }}'
    {% endif %}

),

latest_revision as (

    select distinct on (instrument_id, action_type, ex_date, source) *
    from actions
    order by instrument_id asc, action_type asc, ex_date asc, source asc, revision desc

)

select distinct on (instrument_id, action_type, ex_date)
    instrument_id,
    action_type,
    ex_date,
    split_ratio,
    cash_amount,
    source,
    known_at

from latest_revision
where not is_withdrawn
order by instrument_id, action_type, ex_date, source_priority, source
