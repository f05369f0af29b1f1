{#
    Grain: one row per fused signal that this run attributes anew, with the session in which it could first be acted
    on; is_known is false for one that is not known (any more: a build as of an earlier instant), which is only deleted.
    Attributed anew is: what landed, or whose inputs or their signals did; what is entered in the session of a label
    that may have changed; and, of tickers that came to mean something else, all that was ever said of them.
#}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('int_unseen_changes') }}, {{ source('ref', 'symbol_history') }}
-- depends_on: {{ ref('stg_signals__signals') }}, {{ ref('stg_signals__fusion_inputs') }}
{% set built = built_relation('fused_signals') -%}
with

{% if built is not none -%}
    changes as (

        -- Spans apart stay apart: a late row must not re-open all that came after it.
        select
            relation,
            entity,
            range_agg(tstzrange(lo, hi, '[]')) as times
        from {{ ref('int_unseen_changes') }}
        where entity is not null
        group by relation, entity

    ),

    whole as (

        select reason
        from {{ ref('int_unseen_changes') }}
        where relation is null

    ),

    run_window as (

        select
            instrument_id,
            labels_from
        from {{ ref('int_run_window') }}
        where timeframe = '1d'

    ),

{% endif -%}
touched as (

    {% if built is none -%}
        select fused_id
        from {{ ref('stg_signals__fused_signals') }}
    {%- else -%}
        -- The bounds of the times are said too, because an index can be entered at them.
        select fused_signals.fused_id
        from changes
        inner join {{ ref('stg_signals__fused_signals') }} as fused_signals
            on
                changes.entity = fused_signals.allocator_id
                and fused_signals.signal_ts between lower(changes.times) and upper(changes.times)
                and changes.times @> fused_signals.signal_ts
        where changes.relation = 'raw_signals.fused_signals'::regclass

        union

        -- Landed after what was made of them: inputs are logged by the time of their landing.
        select fusion_inputs.fused_id
        from changes
        inner join {{ ref('stg_signals__fusion_inputs') }} as fusion_inputs
            on
                changes.entity = fusion_inputs.agent_id
                and fusion_inputs.known_at between lower(changes.times) and upper(changes.times)
                and changes.times @> fusion_inputs.known_at
        where changes.relation = 'raw_signals.fusion_inputs'::regclass

        union

        select fusion_inputs.fused_id
        from changes
        inner join {{ ref('stg_signals__signals') }} as signals
            on
                changes.entity = signals.agent_id
                and signals.signal_ts between lower(changes.times) and upper(changes.times)
                and changes.times @> signals.signal_ts
        inner join {{ ref('stg_signals__fusion_inputs') }} as fusion_inputs
            on
                signals.agent_id = fusion_inputs.agent_id
                and signals.signal_id = fusion_inputs.signal_id
        where changes.relation = 'raw_signals.signals'::regclass

        union

        select fused_signals.fused_id
        from changes
        inner join {{ ref('stg_signals__fused_signals') }} as fused_signals on changes.entity = fused_signals.symbol
        where changes.relation = 'ref.symbol_history'::regclass

        union

        select built.fused_id
        from {{ built }} as built
        inner join run_window
            on
                built.instrument_id = run_window.instrument_id
                and built.session_date >= (run_window.labels_from at time zone 'UTC')::date

        union

        -- Without a price so far: the bar of the session of entry may have come.
        select built.fused_id
        from {{ built }} as built
        inner join {{ source('ref', 'symbol_history') }} as tickers on built.symbol = tickers.symbol
        inner join run_window on tickers.instrument_id = run_window.instrument_id
        where built.instrument_id is null

        union

        -- Nothing of the last build holds.
        select fused_signals.fused_id
        from {{ ref('stg_signals__fused_signals') }} as fused_signals
        where exists (select from whole)

        union

        select built.fused_id
        from {{ built }} as built
        where exists (select from whole)
    {%- endif %}

),

moments as (

    -- Several strategies speak of one ticker at one time.
    select distinct
        fused_signals.symbol,
        fused_signals.signal_ts
    from touched
    inner join {{ ref('stg_signals__fused_signals') }} as fused_signals on touched.fused_id = fused_signals.fused_id

),

entries as (

    {{ signal_entries('moments') }}

)

select
    touched.fused_id,
    fused_signals.allocator_id,
    fused_signals.strategy_id,
    fused_signals.symbol,
    fused_signals.signal_ts,
    fused_signals.stated_horizon,
    fused_signals.direction,
    fused_signals.strength,
    fused_signals.confidence,
    fused_signals.method,
    fused_signals.score,
    labels.instrument_id,
    labels.session_date,
    fused_signals.fused_id is not null as is_known

from touched
left join {{ ref('stg_signals__fused_signals') }} as fused_signals on touched.fused_id = fused_signals.fused_id
left join entries
    on
        fused_signals.symbol = entries.symbol
        and fused_signals.signal_ts = entries.signal_ts
left join {{ ref('int_forward_returns') }} as labels
    on
        entries.instrument_id = labels.instrument_id
        and labels.timeframe = '1d'
        and labels.bar_ts = entries.session_date::timestamp at time zone 'UTC'
        and labels.horizon = {{ label_horizons() | min }}
