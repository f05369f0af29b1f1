-- Machine learning, factors: the registry of models, what trained them, what they predicted; returns of factors.

-- For a CHECK, therefore a function of its argument alone.
create function types.are_probabilities(probabilities jsonb) returns boolean
language sql immutable strict parallel safe set search_path = pg_catalog as $$
    select case when jsonb_typeof(probabilities) = 'object' then coalesce(
        (
            select bool_and(p.share >= 0) and abs(sum(p.share) - 1) <= 1e-6 and count(p.share) = count(*)
            from (
                select case jsonb_typeof(value) when 'number' then (value #>> '{}')::numeric end as share
                from jsonb_each(probabilities)
            ) as p
        ),
        false
    ) else false end
$$;
comment on function types.are_probabilities(jsonb) is 'True for an object of class and probability: none negative, together 1 (to 1e-6).';

------------------------------------------------------------------------------- models

create table raw_ml.models (
    model_id types.label primary key,
    name types.label not null,
    version types.label not null,
    model_type types.label not null,
    parameters jsonb not null default '{}',
    metrics jsonb not null default '{}',
    file_path text,
    status text not null default 'active',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint models_name_and_version_once unique (name, version),
    constraint models_parameters_are_object check (jsonb_typeof(parameters) = 'object'),
    constraint models_metrics_are_object check (jsonb_typeof(metrics) = 'object'),
    constraint models_status_known check (status in ('training', 'shadow', 'active', 'retired', 'failed'))
);
comment on constraint models_name_and_version_once on raw_ml.models is 'Another model has this name and version.';
comment on constraint models_parameters_are_object on raw_ml.models is 'The parameters are no JSON object.';
comment on constraint models_metrics_are_object on raw_ml.models is 'The metrics are no JSON object.';
comment on constraint models_status_known on raw_ml.models is 'The status is none of training, shadow, active, retired, failed.';
comment on table raw_ml.models is 'Registry of models, one row per model and version with its present state. Never deleted: predictions refer to it.';
comment on column raw_ml.models.model_id is 'Id that the application gives.';
comment on column raw_ml.models.name is 'Name of the model, the same in all its versions; cannot change.';
comment on column raw_ml.models.version is 'Version, as the application writes it (text: 10.0 is not before 9.0); cannot change.';
comment on column raw_ml.models.model_type is 'Kind of model, such as xgboost, lstm, ridge; cannot change.';
comment on column raw_ml.models.parameters is 'Hyperparameters, a JSON object.';
comment on column raw_ml.models.metrics is 'What the training claims (accuracy, precision, recall …), a JSON object. What came true is computed from predictions.';
comment on column raw_ml.models.file_path is 'Where the trained model is stored; NULL: nowhere yet.';
comment on column raw_ml.models.status is 'training, shadow (predicts, nobody acts on it), active, retired, failed. A trigger holds the order: retired returns through shadow, failed is final.';
comment on column raw_ml.models.created_at is 'When the model was registered.';
comment on column raw_ml.models.updated_at is 'When the row was last changed; a trigger keeps it.';
comment on column raw_ml.models.source is 'Who sent it.';
comment on column raw_ml.models.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_ml.models.known_at is 'When we first knew it.';

create function raw_ml.check_model_change() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if (new.model_id, new.name, new.version, new.model_type) is distinct from (old.model_id, old.name, old.version, old.model_type) then
        raise exception 'model %: id, name, version and type cannot change', old.model_id
            using errcode = 'restrict_violation',
            hint = 'Register a new version under an id of its own.';
    end if;
    if new.status <> old.status and (old.status, new.status) not in (
        ('training', 'shadow'), ('training', 'active'), ('training', 'failed'),
        ('shadow', 'active'), ('shadow', 'retired'),
        ('active', 'shadow'), ('active', 'retired'),
        ('retired', 'shadow')
    ) then
        raise exception 'model %: % cannot become %', old.model_id, old.status, new.status
            using errcode = 'check_violation',
            hint = 'training → shadow, active, failed; shadow → active, retired; active → shadow, retired; retired → shadow.';
    end if;
    return new;
end $$;
comment on function raw_ml.check_model_change() is 'Row trigger before UPDATE of a model: its identity stays, and its status follows the order of a model''s life.';
create trigger models_check_change before update on raw_ml.models
for each row execute function raw_ml.check_model_change();
create trigger models_touch before update on raw_ml.models
for each row execute function ops.touch_updated_at();
create trigger models_never_deleted before delete or truncate on raw_ml.models
for each statement execute function ops.refuse_mutation('Retire the model: update raw_ml.models set status = ''retired''.');
create trigger models_log_changes after insert on raw_ml.models
referencing new table as changed
for each statement execute function ops.log_landed('model_id', 'updated_at');
create trigger models_log_updates after update on raw_ml.models
referencing new table as changed
for each statement execute function ops.log_landed('model_id', 'updated_at');

------------------------------------------------------------------------------- training runs

create table raw_ml.model_training_runs (
    training_run_id types.label primary key,
    model_id types.label not null,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    status text not null,
    train_from timestamptz,
    train_until timestamptz,
    training_rows bigint,
    feature_version text,
    parameters jsonb not null default '{}',
    metrics jsonb not null default '{}',
    random_seed bigint,
    code_version text,
    error_message text,
    correlation_id text,
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint model_training_runs_of_known_model foreign key (model_id) references raw_ml.models,
    constraint model_training_runs_end_after_start check (finished_at >= started_at),
    constraint model_training_runs_data_has_length check (train_from < train_until),
    constraint model_training_runs_rows_not_negative check (training_rows >= 0),
    constraint model_training_runs_status_known check (status in ('succeeded', 'failed', 'cancelled')),
    constraint model_training_runs_parameters_are_object check (jsonb_typeof(parameters) = 'object'),
    constraint model_training_runs_metrics_are_object check (jsonb_typeof(metrics) = 'object')
);
create index model_training_runs_model_idx on raw_ml.model_training_runs (model_id, started_at);
comment on constraint model_training_runs_of_known_model on raw_ml.model_training_runs is 'No model has this model_id: land the model first.';
comment on constraint model_training_runs_end_after_start on raw_ml.model_training_runs is 'The run finished before it started.';
comment on constraint model_training_runs_data_has_length on raw_ml.model_training_runs is 'The training data ends before it begins.';
comment on constraint model_training_runs_rows_not_negative on raw_ml.model_training_runs is 'The number of rows is negative.';
comment on constraint model_training_runs_status_known on raw_ml.model_training_runs is 'The status is none of succeeded, failed, cancelled.';
comment on constraint model_training_runs_parameters_are_object on raw_ml.model_training_runs is 'The parameters are no JSON object.';
comment on constraint model_training_runs_metrics_are_object on raw_ml.model_training_runs is 'The metrics are no JSON object.';
comment on table raw_ml.model_training_runs is 'Ledger of finished training runs, the unsuccessful included: how often was tried says what a good result is worth.';
comment on column raw_ml.model_training_runs.training_run_id is 'Id that the application gives.';
comment on column raw_ml.model_training_runs.model_id is 'Model that was trained.';
comment on column raw_ml.model_training_runs.started_at is 'When the run started.';
comment on column raw_ml.model_training_runs.finished_at is 'When the run ended, however it ended.';
comment on column raw_ml.model_training_runs.status is 'succeeded, failed or cancelled.';
comment on column raw_ml.model_training_runs.train_from is 'First event time in the training data; NULL: not said.';
comment on column raw_ml.model_training_runs.train_until is 'End of the training data, exclusive. What the model says of earlier times is no prediction. NULL: not said.';
comment on column raw_ml.model_training_runs.training_rows is 'Rows in the training data; NULL: not said.';
comment on column raw_ml.model_training_runs.feature_version is 'Version of the features it was trained on; NULL: not said.';
comment on column raw_ml.model_training_runs.parameters is 'Hyperparameters of this run, a JSON object.';
comment on column raw_ml.model_training_runs.metrics is 'Results of this run as the trainer states them, a JSON object.';
comment on column raw_ml.model_training_runs.random_seed is 'Seed of the random numbers; NULL: not said.';
comment on column raw_ml.model_training_runs.code_version is 'Commit or release of the training code; NULL: not said.';
comment on column raw_ml.model_training_runs.error_message is 'Why it failed; NULL: it did not, or not said.';
comment on column raw_ml.model_training_runs.correlation_id is 'Joins the run with the logs of the same work; NULL: none.';
comment on column raw_ml.model_training_runs.source is 'Who sent it.';
comment on column raw_ml.model_training_runs.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_ml.model_training_runs.known_at is 'When we knew it: the start of the landing transaction.';

------------------------------------------------------------------------------- predictions

create table raw_ml.predictions (
    prediction_id types.label primary key,
    model_id types.label not null,
    symbol types.label not null,
    "timestamp" timestamptz not null,
    prediction_type types.label not null,
    prediction_value types.finite,
    confidence types.fraction,
    class_probabilities jsonb,
    horizon_bars integer not null default 1,
    timeframe text not null default '1d',
    features jsonb not null default '{}',
    feature_version text,
    correlation_id text,
    created_at timestamptz not null default now(),
    source types.label not null default 'application',
    batch_id bigint,
    known_at timestamptz not null default now(),
    constraint predictions_of_known_model foreign key (model_id) references raw_ml.models,
    constraint predictions_says_something check (prediction_value is not null or class_probabilities is not null),
    constraint predictions_horizon_ahead check (horizon_bars > 0),
    constraint predictions_timeframe_known check (timeframe ~ '^[1-9][0-9]*(m|h|d)$'),
    constraint predictions_features_are_object check (jsonb_typeof(features) = 'object'),
    constraint predictions_classes_are_probabilities check (types.are_probabilities(class_probabilities))
);
create index predictions_model_idx on raw_ml.predictions (model_id, "timestamp");
create index predictions_symbol_idx on raw_ml.predictions (symbol, "timestamp");
create index predictions_correlation_idx on raw_ml.predictions (correlation_id) where correlation_id is not null;
comment on constraint predictions_of_known_model on raw_ml.predictions is 'No model has this model_id: land the model first.';
comment on constraint predictions_says_something on raw_ml.predictions is 'Neither a value nor class probabilities: nothing is predicted.';
comment on constraint predictions_horizon_ahead on raw_ml.predictions is 'The horizon is not at least one bar.';
comment on constraint predictions_timeframe_known on raw_ml.predictions is 'The timeframe is no number of minutes, hours or days, such as 1d.';
comment on constraint predictions_features_are_object on raw_ml.predictions is 'The features are no JSON object.';
comment on constraint predictions_classes_are_probabilities on raw_ml.predictions is 'The class probabilities are no JSON object of numbers that are not negative and sum to 1.';
comment on table raw_ml.predictions is 'Ledger of what models predicted, before anybody knew the outcome. A better prediction is a new row.';
comment on column raw_ml.predictions.prediction_id is 'Id that the application gives.';
comment on column raw_ml.predictions.model_id is 'Model that predicted.';
comment on column raw_ml.predictions.symbol is 'Ticker as the application names it.';
comment on column raw_ml.predictions."timestamp" is 'Event time that the prediction starts from: the end of the last bar it saw.';
comment on column raw_ml.predictions.prediction_type is 'What is predicted: price_direction, return, volatility, momentum …';
comment on column raw_ml.predictions.prediction_value is 'Predicted value, in the unit of its type: a fraction for returns and volatility, -1, 0 or 1 for directions. NULL: class probabilities only.';
comment on column raw_ml.predictions.confidence is 'How sure the model says it is, 0 to 1; NULL: not said.';
comment on column raw_ml.predictions.class_probabilities is 'Probability by class, such as {"up": 0.6, "down": 0.4}; NULL: no classifier.';
comment on column raw_ml.predictions.horizon_bars is 'How many bars ahead, at least 1.';
comment on column raw_ml.predictions.timeframe is 'Length of the bars that the horizon counts, such as 1d.';
comment on column raw_ml.predictions.features is 'Values of the features that the model saw, by name, a JSON object: the evidence when training and serving differ.';
comment on column raw_ml.predictions.feature_version is 'Version of the features; NULL: not said.';
comment on column raw_ml.predictions.correlation_id is 'Joins the prediction with the signal, order, fills and logs of the same decision; NULL: none.';
comment on column raw_ml.predictions.created_at is 'When the application wrote it down.';
comment on column raw_ml.predictions.source is 'Who sent it.';
comment on column raw_ml.predictions.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_ml.predictions.known_at is 'When we knew it: the start of the landing transaction.';

create trigger model_training_runs_append_only before update or delete or truncate on raw_ml.model_training_runs
for each statement execute function ops.refuse_mutation('Train again: a run of its own.');
create trigger predictions_append_only before update or delete or truncate on raw_ml.predictions
for each statement execute function ops.refuse_mutation('Predict again: a prediction of its own.');
create trigger model_training_runs_log_changes after insert on raw_ml.model_training_runs
referencing new table as changed
for each statement execute function ops.log_landed('model_id', 'finished_at');
create trigger predictions_log_changes after insert on raw_ml.predictions
referencing new table as changed
for each statement execute function ops.log_landed('model_id', 'timestamp');

------------------------------------------------------------------------------- factors

create table raw_risk.factor_returns (
    factor types.label not null,
    timeframe text not null default '1d',
    session_date date not null,
    source types.label not null default 'application',
    revision integer not null default 0,
    factor_return types.finite not null,
    is_withdrawn boolean not null default false,
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (factor, timeframe, session_date, source, revision),
    constraint factor_returns_revision_counts_up check (revision >= 0),
    constraint factor_returns_timeframe_known check (timeframe ~ '^[1-9][0-9]*(d|w|mo)$'),
    -- Files in percent mark what they do not know with -99.99 or -999: -0.9999 would be one of those.
    constraint factor_returns_is_fraction check (factor_return > -0.9 and factor_return < 10)
);
comment on constraint factor_returns_revision_counts_up on raw_risk.factor_returns is 'The revision is negative.';
comment on constraint factor_returns_timeframe_known on raw_risk.factor_returns is 'The timeframe is no number of days, weeks or months: 1d, 1w, 1mo.';
comment on constraint factor_returns_is_fraction on raw_risk.factor_returns is 'No factor loses nine tenths or gains tenfold in one period: the source writes percent, or marks an unknown value with -99.99.';
comment on table raw_risk.factor_returns is 'Returns of risk factors (market, size, value …) as published. Append-only: a restated return is the next revision.';
comment on column raw_risk.factor_returns.factor is 'Name of the factor: mkt_rf, smb, hml, rmw, cma, mom; rf is the risk-free rate.';
comment on column raw_risk.factor_returns.timeframe is 'Period of the return: 1d, 1w or 1mo.';
comment on column raw_risk.factor_returns.session_date is 'Session at whose close the period ends, exchange-local.';
comment on column raw_risk.factor_returns.source is 'Who published it.';
comment on column raw_risk.factor_returns.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_risk.factor_returns.factor_return is 'Simple return of the period as a fraction: 0.01 for one percent.';
comment on column raw_risk.factor_returns.is_withdrawn is 'True in the revision that takes the return back.';
comment on column raw_risk.factor_returns.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_risk.factor_returns.known_at is 'When we knew it: the start of the landing transaction.';

create table raw_risk.factor_loadings (
    symbol types.label not null,
    factor types.label not null,
    as_of_date date not null,
    source types.label not null default 'application',
    revision integer not null default 0,
    loading types.finite not null,
    standard_error types.finite,
    r_squared types.fraction,
    window_sessions integer,
    is_withdrawn boolean not null default false,
    batch_id bigint,
    known_at timestamptz not null default now(),
    primary key (symbol, factor, as_of_date, source, revision),
    constraint factor_loadings_revision_counts_up check (revision >= 0),
    constraint factor_loadings_error_not_negative check (standard_error >= 0),
    constraint factor_loadings_window_has_length check (window_sessions > 0)
);
create index factor_loadings_date_idx on raw_risk.factor_loadings (as_of_date, factor);
comment on constraint factor_loadings_revision_counts_up on raw_risk.factor_loadings is 'The revision is negative.';
comment on constraint factor_loadings_error_not_negative on raw_risk.factor_loadings is 'The standard error is negative.';
comment on constraint factor_loadings_window_has_length on raw_risk.factor_loadings is 'The window has no session.';
comment on table raw_risk.factor_loadings is 'Loadings (betas) of an instrument on a factor as a risk model states them. Append-only: a restated loading is the next revision.';
comment on column raw_risk.factor_loadings.symbol is 'Ticker as the risk model names it.';
comment on column raw_risk.factor_loadings.factor is 'Factor, named as in raw_risk.factor_returns.';
comment on column raw_risk.factor_loadings.as_of_date is 'Session from whose close on the loading holds; it uses nothing later.';
comment on column raw_risk.factor_loadings.source is 'Risk model or vendor.';
comment on column raw_risk.factor_loadings.revision is '0 as first sent, 1 for the first restatement, and so on; the highest counts.';
comment on column raw_risk.factor_loadings.loading is 'Return of the instrument per unit return of the factor.';
comment on column raw_risk.factor_loadings.standard_error is 'Standard error of the loading; NULL: not said.';
comment on column raw_risk.factor_loadings.r_squared is 'Share of the variance that the regression explains, 0 to 1; NULL: not said.';
comment on column raw_risk.factor_loadings.window_sessions is 'Sessions the loading was estimated over; NULL: not said.';
comment on column raw_risk.factor_loadings.is_withdrawn is 'True in the revision that takes the loading back.';
comment on column raw_risk.factor_loadings.batch_id is 'Batch of ops.batches that landed it; NULL: written by an application itself.';
comment on column raw_risk.factor_loadings.known_at is 'When we knew it: the start of the landing transaction.';

create trigger factor_returns_append_only before update or delete or truncate on raw_risk.factor_returns
for each statement execute function ops.refuse_mutation('Land the corrected return again: it becomes the next revision.');
create trigger factor_loadings_append_only before update or delete or truncate on raw_risk.factor_loadings
for each statement execute function ops.refuse_mutation('Land the corrected loading again: it becomes the next revision.');
create trigger factor_returns_log_changes after insert on raw_risk.factor_returns
referencing new table as changed
for each statement execute function ops.log_landed('factor', 'session_date');
create trigger factor_loadings_log_changes after insert on raw_risk.factor_loadings
referencing new table as changed
for each statement execute function ops.log_landed('symbol', 'as_of_date');
