drop table raw_risk.factor_loadings;
drop table raw_risk.factor_returns;
drop table raw_ml.predictions;
drop table raw_ml.model_training_runs;
drop table raw_ml.models;
drop function raw_ml.check_model_change();
drop function types.are_probabilities(jsonb);
