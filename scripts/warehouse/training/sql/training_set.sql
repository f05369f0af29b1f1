{#- The training set itself, in the order of instruments and time. -#}
{%- macro window(fold, bound) -%}
(select windows.{{ bound }} from training_windows as windows where windows.fold = {{ fold }})
{%- endmacro -%}
{%- macro may_train(fold) -%}
training_rows.label_end_at <= {{ window(fold, 'starts_at') }} or training_rows.prediction_at >= {{ window(fold, 'resumes_at') }}
{%- endmacro -%}
{%- for schema in feature_schemas -%}
select
    training_rows.instrument_id,
    features.symbol,
    training_rows."timestamp",
    training_rows.prediction_at,
    training_rows.known_at,
    {%- for name in features %}
    features.{{ name }},
    {%- endfor %}
    training_rows.label as {{ label }},
    training_rows.label_end_at
    {%- if folds %},
    case
        when training_rows.label is null then null
        {%- for fold in range(folds, 0, -1) %}
        when training_rows.prediction_at >= {{ window(fold, 'starts_at') }} then {{ fold }}
        {%- endfor %}
    end as fold
    {%- for fold in range(1, folds + 1) %},
    coalesce({{ may_train(fold) }}, false) as train_{{ fold }}
    {%- endfor %}
    {%- elif split_at %},
    case
        when training_rows.label is null then null
        when training_rows.prediction_at between {{ window(1, 'starts_at') }} and {{ window(1, 'last_at') }} then 'test'
        when {{ may_train(1) }} then 'train'
        when training_rows.prediction_at >= {{ window(1, 'ends_at') }} then 'embargo'
        else 'purged'
    end as split
    {%- endif %}
from training_rows
{%- if feature_schemas | length > 1 %}
inner join training_series as series
    on
        training_rows.instrument_id = series.instrument_id
        and (series.why_recomputed is null) = {{ loop.first }}
{%- endif %}
inner join {{ schema }}.feature_engineered_data as features
    on
        training_rows.instrument_id = features.instrument_id
        and training_rows."timestamp" = features."timestamp"
where
    features.timeframe = {{ timeframe }}
    and features.feature_version = {{ feature_version }}
{{ 'union all\n' if not loop.last }}
{%- endfor %}
order by instrument_id, "timestamp"
