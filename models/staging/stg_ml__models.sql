{# Grain: one row per model and version: its present state and what its training claims. #}
select
    model_id,
    name,
    version,
    model_type,
    status,
    metrics

from {{ source('raw_ml', 'models') }}
