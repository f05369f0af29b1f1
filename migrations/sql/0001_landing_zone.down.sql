-- The schema ops stays: ops.schema_migrations in it remembers that this was taken back.
drop table if exists
    ops.model_runs, ops.consumers, ops.change_log, ops.dq_findings, ops.dq_results, ops.quarantine,
    ops.batches
cascade;
drop schema ref cascade;
drop schema raw_market cascade;
drop function if exists
    ops.keep_original_payload(), ops.log_bar_changes(), ops.log_instrument_changes(),
    ops.system_identifier();
