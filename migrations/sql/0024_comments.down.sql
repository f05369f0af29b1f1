-- The comments that 0024_comments.up.sql wrote.

comment on column ops.batches.batch_id is null;
comment on column ops.batches.dataset is null;
comment on column ops.batches.source is null;
comment on column ops.batches.timeframe is null;
comment on column ops.batches.file is null;
comment on column ops.batches.file_bytes is null;
comment on column ops.batches.profile is null;
comment on column ops.batches.started_at is null;
comment on column ops.batches.seconds is null;
comment on column ops.batches.landed is null;
comment on column ops.batches.accepted is null;
comment on column ops.batches.quarantined is null;

comment on column ops.built_from.model is null;
comment on column ops.built_from.code_version is null;
comment on column ops.built_from.run_id is null;
comment on column ops.built_from.built_at is null;

comment on column ops.change_log.log_id is null;
comment on column ops.change_log.relation is null;
comment on column ops.change_log.operation is null;
comment on column ops.change_log.instrument_id is null;
comment on column ops.change_log.timeframe is null;
comment on column ops.change_log.lo is null;
comment on column ops.change_log.hi is null;
comment on column ops.change_log.rows is null;
comment on column ops.change_log.logged_at is null;

comment on column ops.consumers.model is null;
comment on column ops.consumers.relation is null;
comment on column ops.consumers.seen is null;
comment on column ops.consumers.system_identifier is null;
comment on column ops.consumers.code_version is null;
comment on column ops.consumers.run_id is null;
comment on column ops.consumers.consumed_at is null;

comment on column ops.dq_findings.run_id is null;
comment on column ops.dq_findings.scope is null;
comment on column ops.dq_findings.batch_id is null;
comment on column ops.dq_findings.rule is null;
comment on column ops.dq_findings.source is null;
comment on column ops.dq_findings.symbol is null;
comment on column ops.dq_findings.instrument_id is null;
comment on column ops.dq_findings.timeframe is null;
comment on column ops.dq_findings.bar_ts is null;
comment on column ops.dq_findings.until_ts is null;
comment on column ops.dq_findings.count is null;
comment on column ops.dq_findings.detail is null;

comment on column ops.dq_results.result_id is null;
comment on column ops.dq_results.run_id is null;
comment on column ops.dq_results.checked_at is null;
comment on column ops.dq_results.scope is null;
comment on column ops.dq_results.batch_id is null;
comment on column ops.dq_results.rule is null;
comment on column ops.dq_results.tier is null;
comment on column ops.dq_results.severity is null;
comment on column ops.dq_results.evaluated is null;

comment on column ops.expired_bars.timeframe is null;
comment on column ops.expired_bars.rows is null;
comment on column ops.expired_bars.run_id is null;
comment on column ops.expired_bars.expired_by is null;
comment on column ops.expired_bars.expired_at is null;

comment on column ops.model_runs.run_id is null;
comment on column ops.model_runs.model is null;
comment on column ops.model_runs.status is null;
comment on column ops.model_runs.seconds is null;
comment on column ops.model_runs.rows is null;
comment on column ops.model_runs.finished_at is null;

comment on column ops.publication.publication_id is null;
comment on column ops.publication.code_version is null;
comment on column ops.publication.dashboard_days is null;
comment on column ops.publication.published_at is null;

comment on column ops.quarantine.quarantine_id is null;
comment on column ops.quarantine.batch_id is null;
comment on column ops.quarantine.dataset is null;
comment on column ops.quarantine.source is null;
comment on column ops.quarantine.file is null;
comment on column ops.quarantine.rules is null;
comment on column ops.quarantine.reason is null;
comment on column ops.quarantine.symbol is null;
comment on column ops.quarantine.timeframe is null;
comment on column ops.quarantine.quarantined_at is null;
comment on column ops.quarantine.replayed_at is null;
comment on column ops.quarantine.replayed_batch_id is null;

comment on column ops.schema_migrations.run_id is null;
comment on column ops.schema_migrations.version is null;
comment on column ops.schema_migrations.name is null;
comment on column ops.schema_migrations.direction is null;
comment on column ops.schema_migrations.checksum is null;
comment on column ops.schema_migrations.started_at is null;
comment on column ops.schema_migrations.finished_at is null;
comment on column ops.schema_migrations.seconds is null;
comment on column ops.schema_migrations.success is null;
comment on column ops.schema_migrations.error is null;
comment on column ops.schema_migrations.executed_by is null;

comment on column raw_market.bars.instrument_id is null;
comment on column raw_market.bars.timeframe is null;
comment on column raw_market.bars.source is null;
comment on column raw_market.bars.revision is null;
comment on column raw_market.bars.open is null;
comment on column raw_market.bars.high is null;
comment on column raw_market.bars.low is null;
comment on column raw_market.bars.close is null;
comment on column raw_market.bars.batch_id is null;

comment on column raw_market.stock_info.symbol is null;
comment on column raw_market.stock_info.source is null;
comment on column raw_market.stock_info.revision is null;
comment on column raw_market.stock_info.instrument_id is null;
comment on column raw_market.stock_info.company_name is null;
comment on column raw_market.stock_info.sector is null;
comment on column raw_market.stock_info.industry is null;
comment on column raw_market.stock_info.market_cap is null;
comment on column raw_market.stock_info.country is null;
comment on column raw_market.stock_info.currency is null;
comment on column raw_market.stock_info.exchange is null;
comment on column raw_market.stock_info.batch_id is null;
comment on column raw_market.stock_info.known_at is null;

comment on column ref.calendars.calendar is null;
comment on column ref.calendars.timezone is null;
comment on column ref.calendars.calendar_version is null;

comment on column ref.corporate_actions.instrument_id is null;
comment on column ref.corporate_actions.action_type is null;
comment on column ref.corporate_actions.ex_date is null;
comment on column ref.corporate_actions.source is null;
comment on column ref.corporate_actions.revision is null;
comment on column ref.corporate_actions.currency is null;
comment on column ref.corporate_actions.batch_id is null;
comment on column ref.corporate_actions.known_at is null;

comment on column ref.exchange_sessions.calendar is null;
comment on column ref.exchange_sessions.session_date is null;
comment on column ref.exchange_sessions.open_at is null;
comment on column ref.exchange_sessions.close_at is null;
comment on column ref.exchange_sessions.break_start_at is null;
comment on column ref.exchange_sessions.break_end_at is null;
comment on column ref.exchange_sessions.calendar_version is null;

comment on column ref.instruments.instrument_id is null;
comment on column ref.instruments.currency is null;
comment on column ref.instruments.asset_class is null;
comment on column ref.instruments.first_source is null;
comment on column ref.instruments.created_at is null;

comment on column ref.series.instrument_id is null;
comment on column ref.series.timeframe is null;
comment on column ref.series.source is null;
comment on column ref.series.adjusted is null;
comment on column ref.series.first_known_at is null;

comment on column ref.symbol_history.symbol is null;
comment on column ref.symbol_history.calendar is null;
comment on column ref.symbol_history.valid_from is null;
comment on column ref.symbol_history.valid_to is null;
comment on column ref.symbol_history.instrument_id is null;
comment on column ref.symbol_history.source is null;
comment on column ref.symbol_history.known_at is null;

comment on column ref.withdrawn_series.span_id is null;
comment on column ref.withdrawn_series.instrument_id is null;
comment on column ref.withdrawn_series.timeframe is null;
comment on column ref.withdrawn_series.source is null;
comment on column ref.withdrawn_series.adjusted is null;
comment on column ref.withdrawn_series.withdrawn_at is null;
