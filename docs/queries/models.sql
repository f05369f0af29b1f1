-- Models, their predictions, how good they are, and backtests.

-- name: models_in_use
-- why: which models predict
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
select
    model_id,
    name,
    version,
    model_type,
    status,
    metrics
from raw_ml.models
order by name, version;

-- name: trainings_of_a_model
-- why: when and with what a model was trained
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select model_id from raw_ml.models
select
    training_run_id,
    started_at,
    finished_at,
    status,
    training_rows,
    metrics
from raw_ml.model_training_runs
where model_id = :'model_id'
order by started_at desc
limit 20;

-- name: predictions_of_a_model
-- why: what a model said lately, to watch for drift
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select model_id, max("timestamp") as until from raw_ml.predictions group by model_id
select
    "timestamp",
    symbol,
    prediction_type,
    prediction_value,
    confidence
from raw_ml.predictions
where
    model_id = :'model_id'
    and "timestamp" > :'until'::timestamptz - interval '7 days'
order by "timestamp" desc, symbol asc;

-- name: predictions_for_a_symbol
-- why: what the models say about a symbol now
-- asked by: loader, 20 a second
-- budget: 20 ms, metrics
-- sample: select symbol, max("timestamp") as until from raw_ml.predictions group by symbol
select
    model_id,
    "timestamp",
    prediction_type,
    prediction_value,
    confidence
from raw_ml.predictions
where
    symbol = :'symbol'
    and "timestamp" > :'until'::timestamptz - interval '1 day'
order by "timestamp" desc, model_id asc;

-- name: performance_of_a_model
-- why: how good a model turned out to be, by segment and month
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select model_id from marts.model_performance group by model_id
select
    prediction_type,
    timeframe,
    horizon_bars,
    segment_kind,
    segment,
    period,
    mature,
    accuracy,
    roc_auc,
    accuracy_gap
from marts.model_performance
where model_id = :'model_id'
order by prediction_type, timeframe, horizon_bars, segment_kind, segment, period;

-- name: comparison_with_the_champion
-- why: which challenger is better than the model in use
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select champion_id from marts.model_comparison group by champion_id
select
    challenger_id,
    prediction_type,
    timeframe,
    horizon_bars,
    bars,
    better,
    p_value,
    is_significant
from marts.model_comparison
where
    champion_id = :'champion_id'
    and period = 'all'
order by p_value nulls last, challenger_id;

-- name: backtests_of_a_strategy
-- why: how a strategy was tested, failures included
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select strategy from raw_backtest.backtest_runs group by strategy
select
    run_id,
    created_at,
    status,
    n_trials,
    config,
    metrics
from raw_backtest.backtest_runs
where strategy = :'strategy'
order by created_at desc
limit 50;

-- name: trials_of_a_search
-- why: all that were tried, to judge the best of them for overfitting
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select parent_search_id from raw_backtest.backtest_runs
-- sample: where parent_search_id is not null group by parent_search_id
select
    run_id,
    config,
    metrics,
    status
from raw_backtest.backtest_runs
where parent_search_id = :'parent_search_id'
order by run_id;

-- name: trades_of_a_backtest
-- why: what a backtest traded
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select run_id from raw_backtest.backtest_trades group by run_id
select
    trade_no,
    symbol,
    side,
    quantity,
    price,
    realized_pnl,
    "timestamp"
from raw_backtest.backtest_trades
where run_id = :'run_id'
order by trade_no;

-- name: live_gap_of_a_strategy
-- why: whether a strategy does live what its backtests made of the same days, and how sure that is
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select strategy_id from marts.backtest_live_gap group by strategy_id
select
    run_id,
    account_id,
    account_type,
    not_compared_because,
    sessions,
    live_total_return,
    backtest_total_return,
    tracking_difference,
    difference_p_value,
    sessions_to_decide,
    price_gap_bps
from marts.backtest_live_gap
where strategy_id = :'strategy_id'
order by last_session desc nulls last, run_id asc, account_id asc;
