-- Backtests: runs with the number of trials behind them, and their executions. Then change capture
-- and protection of signals, risk and backtests.

create type types.backtest_status as enum ('queued', 'running', 'completed', 'failed', 'cancelled');
comment on type types.backtest_status is 'State of a backtest; raw_backtest.run_may_become() says which may follow which.';

create table raw_backtest.backtest_runs (
    run_id types.label primary key,
    strategy_id types.label constraint backtest_runs_strategy references raw_trading.strategies on delete restrict,
    strategy types.label not null,
    config jsonb not null default '{}',
    range_start timestamptz not null,
    range_end timestamptz not null,
    timeframe text,
    initial_capital types.quantity,
    currency types.currency,
    status types.backtest_status not null default 'queued',
    n_trials integer not null default 1,
    parent_search_id types.label,
    metrics jsonb,
    error text,
    code_version text,
    correlation_id types.label,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz not null default now(),
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint backtest_runs_config_is_object check (jsonb_typeof(config) = 'object'),
    constraint backtest_runs_metrics_is_object check (jsonb_typeof(metrics) = 'object'),
    constraint backtest_runs_range_not_empty check (range_start < range_end),
    constraint backtest_runs_trials_positive check (n_trials > 0),
    constraint backtest_runs_finished_at check ((status in ('completed', 'failed', 'cancelled')) = (finished_at is not null)),
    constraint backtest_runs_completed_has_metrics check (status <> 'completed' or metrics is not null),
    constraint backtest_runs_finish_after_start check (finished_at >= started_at)
);
create index backtest_runs_strategy_idx on raw_backtest.backtest_runs (strategy, created_at);
create index backtest_runs_search_idx on raw_backtest.backtest_runs (parent_search_id) where parent_search_id is not null;
comment on table raw_backtest.backtest_runs is 'State: one row per backtest. Never deleted, failed ones neither: how good the best of n trials is can only be judged when all n are known.';
comment on column raw_backtest.backtest_runs.run_id is 'Key of the run.';
comment on column raw_backtest.backtest_runs.strategy_id is 'Strategy tested; NULL: it is not registered (yet).';
comment on column raw_backtest.backtest_runs.strategy is 'Name of what was tested.';
comment on column raw_backtest.backtest_runs.config is 'Parameters of the run, a JSON object.';
comment on column raw_backtest.backtest_runs.range_start is 'First instant tested, inclusive.';
comment on column raw_backtest.backtest_runs.range_end is 'Last instant tested, exclusive.';
comment on column raw_backtest.backtest_runs.timeframe is 'Timeframe of the bars it ran on; NULL: not said, or no bars.';
comment on column raw_backtest.backtest_runs.initial_capital is 'Money it started with, in currency; NULL: not said.';
comment on column raw_backtest.backtest_runs.currency is 'Currency of initial_capital and of the trades; NULL: not said.';
comment on column raw_backtest.backtest_runs.status is 'queued, running, completed, failed or cancelled.';
comment on column raw_backtest.backtest_runs.n_trials is 'Variants tried until this one was chosen, itself included: what a deflated Sharpe ratio is deflated by.';
comment on column raw_backtest.backtest_runs.parent_search_id is 'Search (grid, optimiser) that this run is a trial of; NULL: a run of its own.';
comment on column raw_backtest.backtest_runs.metrics is 'What the engine says came out, a JSON object: a claim, which the marts compare with the trades. NULL: nothing yet.';
comment on column raw_backtest.backtest_runs.error is 'Why it failed; NULL: it did not, or nobody said.';
comment on column raw_backtest.backtest_runs.code_version is 'Version of the code that ran; NULL: not said.';
comment on column raw_backtest.backtest_runs.correlation_id is 'Joins the run with its logs; NULL: none.';
comment on column raw_backtest.backtest_runs.created_at is 'When it was asked for.';
comment on column raw_backtest.backtest_runs.started_at is 'When it started; NULL: it has not, or nobody said.';
comment on column raw_backtest.backtest_runs.finished_at is 'When it ended, well or badly; NULL: it has not.';
comment on column raw_backtest.backtest_runs.updated_at is 'When the row was last changed (kept by a trigger).';
comment on constraint backtest_runs_strategy on raw_backtest.backtest_runs is 'The strategy is not registered in raw_trading.strategies.';
comment on constraint backtest_runs_config_is_object on raw_backtest.backtest_runs is 'config must be a JSON object.';
comment on constraint backtest_runs_metrics_is_object on raw_backtest.backtest_runs is 'metrics must be a JSON object.';
comment on constraint backtest_runs_range_not_empty on raw_backtest.backtest_runs is 'range_start must be before range_end.';
comment on constraint backtest_runs_trials_positive on raw_backtest.backtest_runs is 'n_trials counts the run itself: at least 1.';
comment on constraint backtest_runs_finished_at on raw_backtest.backtest_runs is 'A run has finished_at exactly when it is completed, failed or cancelled.';
comment on constraint backtest_runs_completed_has_metrics on raw_backtest.backtest_runs is 'A completed run has metrics.';
comment on constraint backtest_runs_finish_after_start on raw_backtest.backtest_runs is 'A run cannot end before it started.';

create table raw_backtest.backtest_trades (
    run_id types.label not null constraint backtest_trades_run references raw_backtest.backtest_runs on delete restrict,
    trade_no integer not null,
    symbol types.label not null,
    side types.side not null,
    quantity types.quantity not null,
    price types.amount not null,
    commission types.amount not null default 0,
    slippage types.amount,
    realized_pnl types.amount,
    "timestamp" timestamptz not null,
    reason text,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint backtest_trades_pkey primary key (run_id, trade_no),
    constraint backtest_trades_no_positive check (trade_no > 0)
);
comment on table raw_backtest.backtest_trades is 'Ledger: the executions of a backtest, the grain of raw_trading.fills, so that one and the same model derives round trips from both.';
comment on column raw_backtest.backtest_trades.run_id is 'Run it happened in.';
comment on column raw_backtest.backtest_trades.trade_no is 'Number of the execution within its run, from 1, in the order of execution.';
comment on column raw_backtest.backtest_trades.symbol is 'Instrument, as the engine writes it.';
comment on column raw_backtest.backtest_trades.side is 'buy or sell.';
comment on column raw_backtest.backtest_trades.quantity is 'Units, always positive.';
comment on column raw_backtest.backtest_trades.price is 'Price per unit, in the currency of the run.';
comment on column raw_backtest.backtest_trades.commission is 'Assumed commission, in the currency of the run; negative: a rebate.';
comment on column raw_backtest.backtest_trades.slippage is 'Assumed slippage per unit, already in price; positive: worse. NULL: not said.';
comment on column raw_backtest.backtest_trades.realized_pnl is 'Profit of what the execution closed, as the engine says; NULL: not said.';
comment on column raw_backtest.backtest_trades."timestamp" is 'Simulated time of the execution.';
comment on column raw_backtest.backtest_trades.reason is 'Why (entry, stop, target, end of the test …); NULL: not said.';
comment on constraint backtest_trades_pkey on raw_backtest.backtest_trades is 'The run already has an execution with this number.';
comment on constraint backtest_trades_run on raw_backtest.backtest_trades is 'The run is not known.';
comment on constraint backtest_trades_no_positive on raw_backtest.backtest_trades is 'Executions are numbered from 1.';

------------------------------------------------------------------------------- changes, protection

comment on column raw_backtest.backtest_runs.source is 'Who says so: the engine the row is from.';
comment on column raw_backtest.backtest_runs.batch_id is 'Landing that brought the row (ops.batches); NULL: an application wrote it itself.';
comment on column raw_backtest.backtest_runs.known_at is 'When we knew it: the start of the transaction that landed it.';
comment on column raw_backtest.backtest_trades.source is 'Who says so: the engine the row is from.';
comment on column raw_backtest.backtest_trades.batch_id is 'Landing that brought the row (ops.batches); NULL: an application wrote it itself.';
comment on column raw_backtest.backtest_trades.known_at is 'When we knew it: the start of the transaction that landed it.';


create trigger agents_log_changes after insert on raw_signals.agents referencing new table as changed
for each statement execute function ops.log_landed('agent_id', 'created_at');
create trigger agents_log_updates after update on raw_signals.agents referencing new table as changed
for each statement execute function ops.log_landed('agent_id', 'created_at');
create trigger signals_log_changes after insert on raw_signals.signals referencing new table as changed
for each statement execute function ops.log_landed('agent_id', 'signal_ts');
create trigger fused_signals_log_changes after insert on raw_signals.fused_signals referencing new table as changed
for each statement execute function ops.log_landed('agent_id', 'signal_ts');
create trigger fusion_inputs_log_changes after insert on raw_signals.fusion_inputs referencing new table as changed
for each statement execute function ops.log_landed('agent_id', 'known_at');
create trigger risk_limits_log_changes after insert on raw_risk.risk_limits referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'valid_from');
create trigger risk_alert_events_log_changes after insert on raw_risk.risk_alert_events referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'event_at');
create trigger backtest_runs_log_changes after insert on raw_backtest.backtest_runs referencing new table as changed
for each statement execute function ops.log_landed('run_id', 'created_at');
create trigger backtest_runs_log_updates after update on raw_backtest.backtest_runs referencing new table as changed
for each statement execute function ops.log_landed('run_id', 'created_at');
create trigger backtest_trades_log_changes after insert on raw_backtest.backtest_trades referencing new table as changed
for each statement execute function ops.log_landed('run_id', 'timestamp');

create trigger agents_touch before update on raw_signals.agents
for each row execute function ops.touch_updated_at();
create trigger agents_stay before delete or truncate on raw_signals.agents
for each statement execute function ops.refuse_mutation('Retire it: update … set status = ''retired''.');
create trigger signals_append_only before update or delete or truncate on raw_signals.signals
for each statement execute function ops.refuse_mutation('A signal is not restated: append a new one.');
create trigger fused_signals_append_only before update or delete or truncate on raw_signals.fused_signals
for each statement execute function ops.refuse_mutation('A signal is not restated: append a new one.');
create trigger fusion_inputs_append_only before update or delete or truncate on raw_signals.fusion_inputs
for each statement execute function ops.refuse_mutation('Append a new fused signal with its inputs.');
create trigger risk_limits_append_only before update or delete or truncate on raw_risk.risk_limits
for each statement execute function ops.refuse_mutation('Append the next version of the limit.');
create trigger risk_alert_events_append_only before update or delete or truncate on raw_risk.risk_alert_events
for each statement execute function ops.refuse_mutation('Append an event that says what happened next.');
create trigger backtest_runs_stay before delete or truncate on raw_backtest.backtest_runs
for each statement execute function ops.refuse_mutation('A run that is left out makes the others look better: update … set status = ''cancelled''.');
create trigger backtest_trades_append_only before update or delete or truncate on raw_backtest.backtest_trades
for each statement execute function ops.refuse_mutation('Run the backtest again under another run_id.');
