{#
    Grain: one row per instrument whose sector is known, as this run uses it: read once, so that what int_signal_sector_days
    is made with and what int_signal_sectors says it was made with are the same.
#}
-- depends_on: {{ ref('int_run_window') }}
select
    instrument_id,
    sector

from {{ ref('stg_market__stock_info') }}
where sector is not null
