-- What models and dashboards ask of the features.

-- name: features_of_30_days
-- why: the recent features of a symbol, the statement of the ML design (docs/seeds/ml_trading.sql)
-- asked by: reader, 50 a second
-- budget: 1 ms, feature range
-- sample: select symbol, feature_version, max("timestamp") as until
-- sample: from marts.feature_engineered_data group by symbol, feature_version
select
    symbol,
    "timestamp",
    close,
    rsi_1d,
    price_ma_short
from marts.feature_engineered_data
where
    symbol = :'symbol'
    and feature_version = :'feature_version'
    and "timestamp" >= :'until'::timestamptz - interval '30 days'
order by "timestamp" desc;

-- name: features_of_the_last_bars
-- why: what a model is given to predict from: many features of the last bars of an instrument
-- asked by: loader, 20 a second
-- budget: 1 ms, feature range
-- sample: select instrument_id, timeframe, feature_version from marts.feature_engineered_data
-- sample: group by instrument_id, timeframe, feature_version
select
    "timestamp",
    close,
    returns,
    rsi_14,
    atr_14,
    natr_14,
    macd,
    realized_vol_24,
    volume_ratio_20
from marts.feature_engineered_data
where
    instrument_id = :'instrument_id'
    and timeframe = :'timeframe'
    and feature_version = :'feature_version'
order by "timestamp" desc
limit 20;

-- name: features_to_train_on
-- why: a year of one instrument, with which a model is trained
-- asked by: reader, 10 a minute
-- budget: 100 ms, analytics
-- sample: select instrument_id, timeframe, feature_version, max("timestamp") as until
-- sample: from marts.feature_engineered_data group by instrument_id, timeframe, feature_version
select
    "timestamp",
    close,
    returns,
    rsi_14,
    natr_14,
    realized_vol_24,
    price_to_sma_50,
    price_to_sma_200
from marts.feature_engineered_data
where
    instrument_id = :'instrument_id'
    and timeframe = :'timeframe'
    and feature_version = :'feature_version'
    and "timestamp" between :'until'::timestamptz - interval '1 year' and :'until'::timestamptz
order by "timestamp";

-- name: features_of_all_at_one_bar
-- why: a cross-section: every instrument of one timeframe at one bar, to rank them
-- asked by: reader, 1 a second
-- budget: 100 ms, analytics
-- sample: select timeframe, "timestamp" as bar, feature_version from marts.feature_engineered_data
-- sample: group by timeframe, "timestamp", feature_version order by "timestamp" desc
select
    instrument_id,
    symbol,
    close,
    returns,
    rsi_14,
    price_to_sma_200
from marts.feature_engineered_data
where
    timeframe = :'timeframe'
    and "timestamp" = :'bar'
    and feature_version = :'feature_version'
order by instrument_id;

-- name: coverage_of_a_day
-- why: is the set of features complete: which of them are missing in bars of a session
-- asked by: reader, 1 a minute
-- budget: 20 ms, metrics
-- sample: select timeframe, max(session_date) as session_date, feature_version from marts.feature_coverage
-- sample: group by timeframe, feature_version
select
    feature,
    bars,
    present,
    coverage
from marts.feature_coverage
where
    timeframe = :'timeframe'
    and session_date = :'session_date'
    and feature_version = :'feature_version'
    and coverage < 1
order by coverage, feature;

-- name: coverage_of_a_feature
-- why: since when a feature is there, day by day
-- asked by: reader, 10 an hour
-- budget: 100 ms, analytics
-- sample: select timeframe, feature, feature_version, max(session_date) as until from marts.feature_coverage
-- sample: group by timeframe, feature, feature_version
select
    session_date,
    bars,
    present,
    coverage
from marts.feature_coverage
where
    timeframe = :'timeframe'
    and session_date > :'until'::date - 90
    and feature = :'feature'
    and feature_version = :'feature_version'
order by session_date;

-- name: feature_dashboard
-- why: the summary of the ML design, as dashboards load it
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
select
    symbol,
    latest_timestamp,
    total_records,
    latest_version,
    rsi_coverage,
    ma_coverage
from marts.mv_features_dashboard_summary
order by symbol;

-- name: cross_section_of_a_session
-- why: who leads and who lags: a ranking of all instruments of a session
-- asked by: reader, 10 a minute
-- budget: 20 ms, metrics
-- sample: select timeframe, max("timestamp") as at from marts.features_cross_section group by timeframe
select
    symbol,
    returns,
    returns_zscore,
    roc_20_rank,
    realized_vol_24_rank
from marts.features_cross_section
where
    timeframe = :'timeframe'
    and "timestamp" = :'at'
order by roc_20_rank desc nulls last;

-- name: factors_to_train_on
-- why: a year of Alpha158 of one instrument, with which a model is trained
-- asked by: reader, 10 a minute
-- budget: 100 ms, analytics
-- sample: select instrument_id, timeframe, max("timestamp") as until
-- sample: from marts.features_alpha158 group by instrument_id, timeframe
select
    "timestamp",
    kmid,
    roc20,
    ma20,
    std20,
    beta20,
    rsqr20,
    corr20,
    vma20
from marts.features_alpha158
where
    instrument_id = :'instrument_id'
    and timeframe = :'timeframe'
    and "timestamp" >= :'until'::timestamptz - interval '365 days'
order by "timestamp";

-- name: market_overview
-- why: where each market stands
-- asked by: reader, 1 a second
-- budget: 20 ms, metrics
-- sample: select timeframe from marts.market_overview group by timeframe
select
    symbol,
    sector,
    latest_timestamp,
    close,
    returns,
    rsi_14,
    from_window_high,
    from_window_low
from marts.market_overview
where timeframe = :'timeframe'
order by symbol;
