{#
    Grain: one row per instrument: the sector that int_signal_sector_days was made with. After it, so that a run that fails
    in between finds the sectors still changed: sources state companies anew every day, and sectors hardly ever change, so
    they are compared, not listened for.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace_all',
        unlogged=false,
        unique_key=['instrument_id'],
    )
}}
-- depends_on: {{ ref('int_run_window') }}, {{ ref('int_signal_sector_days') }}
select
    instrument_id,
    sector

from {{ ref('int_sectors_this_run') }}
