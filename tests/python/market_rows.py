"""A good row of every market, model, alternative and log table, and what spoils it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from warehouse import database as db

TABLES = [
    "raw_market.ticks",
    "raw_market.quotes",
    "raw_market.option_quotes",
    "raw_ml.models",
    "raw_ml.model_training_runs",
    "raw_ml.predictions",
    "raw_risk.factor_returns",
    "raw_risk.factor_loadings",
    "raw_alt.news_articles",
    "raw_alt.news_symbols",
    "raw_alt.social_posts",
    "raw_alt.social_sentiment",
    "raw_alt.alternative_data",
    "raw_logs.system_logs",
    "raw_logs.trading_events",
    "raw_logs.performance_logs",
    "raw_logs.error_logs",
    "raw_logs.user_action_logs",
    "raw_logs.agent_metrics",
]

GOOD: dict[str, dict[str, object]] = {
    "raw_market.ticks": {
        "tick_ts": "2024-01-02 15:00Z", "symbol": "X", "price": 10, "size": 1, "aggressor": "buy",
    },
    "raw_market.quotes": {"quote_ts": "2024-01-02 15:00Z", "symbol": "X", "bid": 10, "ask": 11},
    "raw_market.option_quotes": {
        "quote_ts": "2024-01-02 15:00Z", "symbol": "X", "expiry": "2024-02-16", "strike": 100,
        "option_right": "call", "close": 5, "implied_volatility": 0.3, "delta": 0.5, "gamma": 0.01,
        "vega": 0.2, "theta": -0.1, "rho": 0.1, "underlying_price": 101,
    },
    "raw_ml.models": {"model_id": "m", "name": "n", "version": "1", "model_type": "ridge"},
    "raw_ml.model_training_runs": {
        "training_run_id": "r", "model_id": "known", "started_at": "2024-01-02 15:00Z",
        "finished_at": "2024-01-02 15:00Z", "status": "succeeded",
    },
    "raw_ml.predictions": {
        "prediction_id": "p", "model_id": "known", "symbol": "X", "timestamp": "2024-01-02 21:00Z",
        "prediction_type": "return", "prediction_value": 0.01, "confidence": 0.6,
        "class_probabilities": '{"up": 0.6, "down": 0.4}', "features": '{"rsi_14": 55.5}',
    },
    "raw_risk.factor_returns": {
        "factor": "smb", "session_date": "2024-01-02", "factor_return": 0.01,
    },
    "raw_risk.factor_loadings": {
        "symbol": "X", "factor": "smb", "as_of_date": "2024-01-02", "loading": -1.5,
        "r_squared": 0.3,
    },
    "raw_alt.news_articles": {
        "article_id": "a", "published_at": "2024-01-02 15:00Z", "headline": "X rises",
        "sentiment_score": 0.5, "language": "en",
    },
    "raw_alt.news_symbols": {
        "article_id": "a", "symbol": "X", "published_at": "2024-01-02 15:00Z", "relevance": 1,
    },
    "raw_alt.social_posts": {
        "platform": "twitter", "symbol": "X", "posted_at": "2024-01-02 15:00Z", "post_id": "1",
        "text": "up",
    },
    "raw_alt.social_sentiment": {
        "platform": "all", "symbol": "X", "window_start": "2024-01-02 15:00Z",
        "window_end": "2024-01-02 16:00Z", "score": 0.1, "mentions": 3, "positive_mentions": 2,
    },
    "raw_alt.alternative_data": {
        "dataset": "cards", "entity": "shop", "as_of_ts": "2024-01-02Z",
        "published_at": "2024-01-20Z", "payload": '{"spent": 3}',
    },
    "raw_logs.system_logs": {"level": "INFO", "logger_name": "l", "message": ""},
    "raw_logs.trading_events": {
        "event_type": "order_placed", "side": "buy", "quantity": 1, "price": 2,
    },
    "raw_logs.performance_logs": {"operation_name": "o", "duration_ms": 0.5, "status": "success"},
    "raw_logs.error_logs": {"error_type": "ValueError", "error_message": "m"},
    "raw_logs.user_action_logs": {
        "action_type": "page_view", "ip_address": "10.0.0.1", "request_method": "GET",
        "response_status": 200,
    },
    "raw_logs.agent_metrics": {"agent_id": "a", "metric_name": "latency_ms", "metric_value": 3.5},
}  # fmt: skip

BAD: list[tuple[str, dict[str, object], str]] = [
    ("raw_market.ticks", {"price": "NaN"}, "amount_is_number"),
    ("raw_market.ticks", {"price": "Infinity"}, "overflow"),
    ("raw_market.ticks", {"price": "1e15"}, "overflow"),
    ("raw_market.ticks", {"price": -1}, "non-positive price"),
    ("raw_market.ticks", {"price": 0}, "non-positive price"),
    ("raw_market.ticks", {"size": 0}, "quantity_is_positive"),
    ("raw_market.ticks", {"size": "NaN"}, "quantity_is_positive"),
    ("raw_market.ticks", {"aggressor": "BUY"}, "invalid input value for enum"),
    ("raw_market.ticks", {"seq": -1}, "ticks_seq_counts_up"),
    ("raw_market.ticks", {"symbol": " "}, "label_is_not_empty"),
    ("raw_market.ticks", {"instrument_id": 4711}, "no instrument 4711"),
    ("raw_market.quotes", {"bid": None, "ask": None}, "quotes_has_a_side"),
    ("raw_market.quotes", {"bid": "NaN"}, "amount_is_number"),
    ("raw_market.quotes", {"ask": -1}, "non-positive price"),
    ("raw_market.quotes", {"bid_size": -1}, "not_negative"),
    ("raw_market.quotes", {"timeframe": "1minute"}, "quotes_timeframe_known"),
    ("raw_market.quotes", {"bid_high": 9, "bid_low": 8}, "quotes_bid_range"),
    ("raw_market.quotes", {"ask_high": 12, "ask_low": 11.5}, "quotes_ask_range"),
    ("raw_market.option_quotes", {"strike": 0}, "quantity_is_positive"),
    ("raw_market.option_quotes", {"option_right": "C"}, "invalid input value for enum"),
    ("raw_market.option_quotes", {"delta": 1.0001}, "signed_fraction"),
    ("raw_market.option_quotes", {"delta": "NaN"}, "signed_fraction"),
    ("raw_market.option_quotes", {"gamma": -0.001}, "gamma_not_negative"),
    ("raw_market.option_quotes", {"gamma": "Infinity"}, "is_finite"),
    ("raw_market.option_quotes", {"theta": "-Infinity"}, "is_finite"),
    ("raw_market.option_quotes", {"implied_volatility": -0.1}, "volatility_not_negative"),
    ("raw_market.option_quotes", {"implied_volatility": "NaN"}, "is_finite"),
    ("raw_market.option_quotes", {"close": -0.01}, "not_negative"),
    ("raw_market.option_quotes", {"open_interest": -1}, "not_negative"),
    ("raw_market.option_quotes", {"high": 4, "low": 3}, "range_holds_prices"),
    ("raw_market.option_quotes", {"expiry": "2023-12-29"}, "not_after_expiry"),
    ("raw_market.option_quotes", {"instrument_id": 4711}, "no instrument 4711"),
    ("raw_ml.models", {"status": "live"}, "models_status_known"),
    ("raw_ml.models", {"parameters": "[1]"}, "models_parameters_are_object"),
    ("raw_ml.models", {"model_id": ""}, "label_is_not_empty"),
    ("raw_ml.models", {"name": "known", "version": "1"}, "models_name_and_version_once"),
    ("raw_ml.model_training_runs", {"model_id": "unknown"}, "of_known_model"),
    ("raw_ml.model_training_runs", {"finished_at": "2024-01-02 14:59Z"}, "end_after_start"),
    ("raw_ml.predictions", {"model_id": "unknown"}, "predictions_of_known_model"),
    ("raw_ml.predictions", {"prediction_value": "NaN"}, "is_finite"),
    ("raw_ml.predictions", {"confidence": 1.01}, "fraction"),
    ("raw_ml.predictions", {"confidence": "NaN"}, "fraction"),
    ("raw_ml.predictions", {"features": '"x"'}, "features_are_object"),
    ("raw_ml.predictions", {"horizon_bars": 0}, "horizon_ahead"),
    ("raw_ml.predictions", {"class_probabilities": '{"up": 0.6}'}, "are_probabilities"),
    ("raw_ml.predictions", {"class_probabilities": '{"up": 1.5, "down": -0.5}'}, "probabilities"),
    ("raw_ml.predictions", {"class_probabilities": '{"up": "1"}'}, "are_probabilities"),
    ("raw_ml.predictions", {"class_probabilities": "[1]"}, "are_probabilities"),
    (
        "raw_ml.predictions",
        {"prediction_value": None, "class_probabilities": None},
        "predictions_says_something",
    ),
    ("raw_risk.factor_returns", {"factor_return": "NaN"}, "is_finite"),
    ("raw_risk.factor_returns", {"factor_return": -0.9999}, "is_fraction"),
    ("raw_risk.factor_returns", {"timeframe": "daily"}, "timeframe_known"),
    ("raw_risk.factor_loadings", {"loading": "Infinity"}, "is_finite"),
    ("raw_risk.factor_loadings", {"r_squared": 1.1}, "fraction"),
    ("raw_alt.news_articles", {"headline": " "}, "label_is_not_empty"),
    ("raw_alt.news_articles", {"sentiment_score": -1.1}, "signed_fraction"),
    ("raw_alt.news_articles", {"language": "english"}, "language_is_iso_639"),
    ("raw_alt.news_symbols", {"relevance": "NaN"}, "fraction"),
    ("raw_alt.social_posts", {"text": ""}, "label_is_not_empty"),
    ("raw_alt.social_posts", {"sentiment_model": "m"}, "model_has_score"),
    ("raw_alt.social_sentiment", {"window_end": "2024-01-02 15:00Z"}, "window_has_length"),
    ("raw_alt.social_sentiment", {"negative_mentions": 2}, "parts_within_mentions"),
    ("raw_alt.social_sentiment", {"score": "NaN"}, "signed_fraction"),
    ("raw_alt.alternative_data", {"payload": "[]"}, "payload_is_object"),
    ("raw_alt.alternative_data", {"published_at": "2024-01-01Z"}, "published_after"),
    ("raw_logs.system_logs", {"level": "info"}, "system_logs_level_known"),
    ("raw_logs.system_logs", {"message": None}, "null value"),
    ("raw_logs.system_logs", {"metadata": "[]"}, "metadata_is_object"),
    ("raw_logs.trading_events", {"side": "BUY"}, "invalid input value for enum"),
    ("raw_logs.trading_events", {"quantity": -1}, "not_negative"),
    ("raw_logs.trading_events", {"price": "NaN"}, "amount_is_number"),
    ("raw_logs.performance_logs", {"duration_ms": -1}, "not_negative"),
    ("raw_logs.performance_logs", {"cpu_usage_percent": "NaN"}, "not_negative"),
    ("raw_logs.user_action_logs", {"ip_address": "somewhere"}, "invalid input syntax"),
    ("raw_logs.user_action_logs", {"response_status": 99}, "status_is_http"),
    ("raw_logs.user_action_logs", {"request_method": "get"}, "method_known"),
    ("raw_logs.agent_metrics", {"metric_value": "NaN"}, "is_finite"),
]


@contextmanager
def prepared() -> Iterator[psycopg.Connection]:
    """Connect to a database that knows the instrument X and the model `known`."""
    with db.connect(autocommit=True) as session:
        session.execute(
            "insert into ref.instruments (symbol, calendar, first_source) values ('X', 'XNYS', 's')"
        )
        session.execute(
            "insert into ref.symbol_history (symbol, calendar, instrument_id, source)"
            " select symbol, calendar, instrument_id, 's' from ref.instruments"
        )
        session.execute(
            "insert into raw_ml.models (model_id, name, version, model_type)"
            " values ('known', 'known', '1', 'ridge')"
        )
        yield session


def insert(conn: psycopg.Connection, table: str, **changes: object) -> None:
    """Insert the good row of a table, with changes."""
    row = GOOD[table] | changes
    if table.startswith("raw_market."):
        row = {"instrument_id": 1} | row
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(["%s"] * len(row))
    conn.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))
