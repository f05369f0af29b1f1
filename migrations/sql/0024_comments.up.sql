-- What the first tables mean, column by column: docs/tables.md is made from it.

comment on column ops.batches.batch_id is 'Number of the batch; rows that landed carry it.';
comment on column ops.batches.dataset is 'What landed: bars, a reference table, withdrawals, renames, or the landing table by its full name.';
comment on column ops.batches.source is 'Source of the rows, as given with --source or in the profile.';
comment on column ops.batches.timeframe is 'Length of the bars; NULL for everything that is no bar.';
comment on column ops.batches.file is 'Path of the file, name of the frame, or which batch was replayed.';
comment on column ops.batches.file_bytes is 'Size of the file when it was read; NULL for frames, rows of a program and replays.';
comment on column ops.batches.profile is 'The source profile in force, so that a replay reads the rows in the same way.';
comment on column ops.batches.started_at is 'Start of the landing transaction: known_at of its rows.';
comment on column ops.batches.seconds is 'How long the landing took, reading included; NULL: not measured.';
comment on column ops.batches.landed is 'Rows that arrived.';
comment on column ops.batches.accepted is 'Rows that were new, or the next revision or state of known ones.';
comment on column ops.batches.quarantined is 'Rows in ops.quarantine.';

comment on column ops.built_from.model is 'dbt model.';
comment on column ops.built_from.code_version is 'Fingerprint of the code that built it.';
comment on column ops.built_from.run_id is 'dbt invocation that built it.';
comment on column ops.built_from.built_at is 'When it was built.';

comment on column ops.change_log.log_id is 'Number of the note.';
comment on column ops.change_log.relation is 'Table whose rows were written.';
comment on column ops.change_log.operation is 'I insert, U update, D delete, S a source seen for the first time or again.';
comment on column ops.change_log.instrument_id is 'Instrument of the rows; NULL: every one, or the table has none.';
comment on column ops.change_log.timeframe is 'Timeframe of the bars; NULL: every one, or the table has none.';
comment on column ops.change_log.lo is 'First event time among the rows; -infinity: from the beginning.';
comment on column ops.change_log.hi is 'Last event time among the rows; infinity: to the end.';
comment on column ops.change_log.rows is 'How many rows; NULL: not counted.';
comment on column ops.change_log.logged_at is 'When the note was written.';

comment on column ops.consumers.model is 'Incremental dbt model.';
comment on column ops.consumers.relation is 'Landing table that it reads.';
comment on column ops.consumers.seen is 'Snapshot of its last build: transactions visible in it are built.';
comment on column ops.consumers.system_identifier is 'Cluster in which that was; see ops.system_identifier().';
comment on column ops.consumers.code_version is 'Fingerprint of the code that built it; another one asks for a full refresh.';
comment on column ops.consumers.run_id is 'dbt invocation that moved the watermark; NULL: not from dbt.';
comment on column ops.consumers.consumed_at is 'When the watermark moved.';

comment on column ops.dq_findings.run_id is 'Run of the gate, as in ops.dq_results.';
comment on column ops.dq_findings.scope is 'batch: found among rows that arrived; table: found in what is landed.';
comment on column ops.dq_findings.batch_id is 'Batch of the row; NULL where the whole table was looked at.';
comment on column ops.dq_findings.rule is 'Rule that was broken.';
comment on column ops.dq_findings.source is 'Source of the row.';
comment on column ops.dq_findings.symbol is 'Ticker as sent.';
comment on column ops.dq_findings.instrument_id is 'Instrument of the row; NULL: in quarantine, and never found.';
comment on column ops.dq_findings.timeframe is 'Length of the bar.';
comment on column ops.dq_findings.bar_ts is 'Start of the bar, or of the gap.';
comment on column ops.dq_findings.until_ts is 'End of the gap, exclusive; NULL: no gap.';
comment on column ops.dq_findings.count is 'Bars that are missing in the gap; 1 for a row.';
comment on column ops.dq_findings.detail is 'The values that broke the rule.';

comment on column ops.dq_results.result_id is 'Number of the result.';
comment on column ops.dq_results.run_id is 'Run of the gate, shared by its results.';
comment on column ops.dq_results.checked_at is 'When the gate ran.';
comment on column ops.dq_results.scope is 'batch: rows that arrived; table: what is landed.';
comment on column ops.dq_results.batch_id is 'Batch that was looked at; NULL: the whole table.';
comment on column ops.dq_results.rule is 'Rule of the catalogue.';
comment on column ops.dq_results.tier is 'structural, logical or analytical.';
comment on column ops.dq_results.severity is 'error: such a row is never published; warning: it is told.';
comment on column ops.dq_results.evaluated is 'Rows that were looked at.';

comment on column ops.expired_bars.timeframe is 'Length of the bars that were dropped.';
comment on column ops.expired_bars.rows is 'How many were dropped.';
comment on column ops.expired_bars.run_id is 'Number of the run.';
comment on column ops.expired_bars.expired_by is 'Role that asked for it.';
comment on column ops.expired_bars.expired_at is 'When.';

comment on column ops.model_runs.run_id is 'dbt invocation.';
comment on column ops.model_runs.model is 'Model, seed or test.';
comment on column ops.model_runs.status is 'How it ended, as dbt says.';
comment on column ops.model_runs.seconds is 'How long it took.';
comment on column ops.model_runs.rows is 'Rows that were written; NULL: dbt does not say.';
comment on column ops.model_runs.finished_at is 'When it ended.';

comment on column ops.publication.publication_id is 'Number of the publication; the highest is what readers see.';
comment on column ops.publication.code_version is 'Fingerprint of the code that built it.';
comment on column ops.publication.dashboard_days is 'Length of the dashboards'' window, in days.';
comment on column ops.publication.published_at is 'When readers were given it.';

comment on column ops.quarantine.quarantine_id is 'Number of the row; the line of a replay.';
comment on column ops.quarantine.batch_id is 'Batch that the row arrived in.';
comment on column ops.quarantine.dataset is 'What it was to be, as in ops.batches.';
comment on column ops.quarantine.source is 'Source of the row.';
comment on column ops.quarantine.file is 'File or frame that it came from.';
comment on column ops.quarantine.rules is 'All rules that it breaks, in the order of the catalogue.';
comment on column ops.quarantine.reason is 'Why, in the words of the rules.';
comment on column ops.quarantine.symbol is 'Ticker as sent; NULL: none, or not readable.';
comment on column ops.quarantine.timeframe is 'Length of the bar; NULL for everything that is no bar.';
comment on column ops.quarantine.quarantined_at is 'When it was set aside.';
comment on column ops.quarantine.replayed_at is 'When it became good and landed; NULL: still here.';
comment on column ops.quarantine.replayed_batch_id is 'Batch that it landed in then; NULL: still here.';

comment on column ops.schema_migrations.run_id is 'Number of the run.';
comment on column ops.schema_migrations.version is 'Version of the migration.';
comment on column ops.schema_migrations.name is 'Name of the migration.';
comment on column ops.schema_migrations.direction is 'up or down.';
comment on column ops.schema_migrations.checksum is 'SHA-256 of the SQL that was run.';
comment on column ops.schema_migrations.started_at is 'When it began.';
comment on column ops.schema_migrations.finished_at is 'When it ended.';
comment on column ops.schema_migrations.seconds is 'How long it took.';
comment on column ops.schema_migrations.success is 'False when it failed; then it left nothing behind.';
comment on column ops.schema_migrations.error is 'Why it failed; NULL: it did not.';
comment on column ops.schema_migrations.executed_by is 'Role that ran it.';

comment on column raw_market.bars.instrument_id is 'Instrument of ref.instruments, found by symbol, calendar and session while landing.';
comment on column raw_market.bars.timeframe is 'Length of the bar: a number of minutes, hours or days, such as 1m, 1h, 1d.';
comment on column raw_market.bars.source is 'Who sent it.';
comment on column raw_market.bars.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_market.bars.open is 'First price of the bar, in the instrument''s currency, as the source sent it.';
comment on column raw_market.bars.high is 'Highest price of the bar.';
comment on column raw_market.bars.low is 'Lowest price of the bar.';
comment on column raw_market.bars.close is 'Last price of the bar.';
comment on column raw_market.bars.batch_id is 'Batch of ops.batches that landed it.';

comment on column raw_market.stock_info.symbol is 'Ticker as the source sent it.';
comment on column raw_market.stock_info.source is 'Who says so.';
comment on column raw_market.stock_info.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_market.stock_info.instrument_id is 'Instrument of ref.instruments; NULL: no bars of the symbol have landed.';
comment on column raw_market.stock_info.company_name is 'Name of the company; NULL: not sent.';
comment on column raw_market.stock_info.sector is 'Sector, in the words of the source; NULL: not sent.';
comment on column raw_market.stock_info.industry is 'Industry, in the words of the source; NULL: not sent.';
comment on column raw_market.stock_info.market_cap is 'Market capitalisation in currency, 0 or more; NULL: not sent.';
comment on column raw_market.stock_info.country is 'Country of the company; NULL: not sent.';
comment on column raw_market.stock_info.currency is 'Currency of the listing; NULL: not sent.';
comment on column raw_market.stock_info.exchange is 'Exchange of the listing; NULL: not sent.';
comment on column raw_market.stock_info.batch_id is 'Batch of ops.batches that landed it.';
comment on column raw_market.stock_info.known_at is 'When we knew it: the start of the landing transaction.';

comment on column ref.calendars.calendar is 'Canonical name in exchange_calendars, or 24/7.';
comment on column ref.calendars.timezone is 'IANA zone of the exchange.';
comment on column ref.calendars.calendar_version is 'Version of exchange_calendars that the sessions are from.';

comment on column ref.corporate_actions.instrument_id is 'Instrument of ref.instruments.';
comment on column ref.corporate_actions.action_type is 'split or cash_dividend.';
comment on column ref.corporate_actions.ex_date is 'First session in which the action is in the price.';
comment on column ref.corporate_actions.source is 'Who says so.';
comment on column ref.corporate_actions.revision is '0 as first sent, 1 for the first correction, and so on; the highest counts.';
comment on column ref.corporate_actions.currency is 'Currency of cash_amount; NULL: the instrument''s.';
comment on column ref.corporate_actions.batch_id is 'Batch of ops.batches that landed it.';
comment on column ref.corporate_actions.known_at is 'When we knew it: the start of the landing transaction.';

comment on column ref.exchange_sessions.calendar is 'Calendar of ref.calendars.';
comment on column ref.exchange_sessions.session_date is 'Exchange-local date of the session.';
comment on column ref.exchange_sessions.open_at is 'When trading opens, UTC.';
comment on column ref.exchange_sessions.close_at is 'When trading closes, UTC.';
comment on column ref.exchange_sessions.break_start_at is 'When the midday break begins; NULL: there is none.';
comment on column ref.exchange_sessions.break_end_at is 'When the midday break ends; NULL: there is none.';
comment on column ref.exchange_sessions.calendar_version is 'Version of exchange_calendars that says so.';

comment on column ref.instruments.instrument_id is 'Number of the instrument.';
comment on column ref.instruments.currency is 'Currency of its prices; NULL: not said.';
comment on column ref.instruments.asset_class is 'equity, fx, crypto, future …, as the profile of its first source says.';
comment on column ref.instruments.first_source is 'Source that sent it first.';
comment on column ref.instruments.created_at is 'When it was first sent.';

comment on column ref.series.instrument_id is 'Instrument of ref.instruments.';
comment on column ref.series.timeframe is 'Length of the bars.';
comment on column ref.series.source is 'Who sent bars.';
comment on column ref.series.adjusted is 'What they are adjusted for, as in raw_market.bars.';
comment on column ref.series.first_known_at is 'When its first bar landed.';

comment on column ref.symbol_history.symbol is 'Ticker.';
comment on column ref.symbol_history.calendar is 'Calendar of the exchange on which it is a ticker.';
comment on column ref.symbol_history.valid_from is 'First session of the meaning; -infinity: always.';
comment on column ref.symbol_history.valid_to is 'Session from which it means something else; infinity: still valid.';
comment on column ref.symbol_history.instrument_id is 'Instrument that it meant.';
comment on column ref.symbol_history.source is 'Who says so, or who sent the ticker first.';
comment on column ref.symbol_history.known_at is 'When we knew it.';

comment on column ref.withdrawn_series.span_id is 'Number of the span.';
comment on column ref.withdrawn_series.instrument_id is 'Instrument of the series.';
comment on column ref.withdrawn_series.timeframe is 'Length of the bars.';
comment on column ref.withdrawn_series.source is 'Source of the series.';
comment on column ref.withdrawn_series.adjusted is 'Basis of the series, as in raw_market.bars.';
comment on column ref.withdrawn_series.withdrawn_at is 'When its last bar was withdrawn or restated on another basis.';
