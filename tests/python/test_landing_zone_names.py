"""The names under which the four designs read market data, models and logs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from market_rows import insert, prepared
from warehouse.landing.batches import BatchResult
from warehouse.landing.corrections.renames import rename_symbol
from warehouse.landing.records import land_records


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with prepared() as session:
        yield session


# Seed C's columns (their types are K-12's and K-15's). Ids of tables with a natural key are gone by
# K-11; the logs keep theirs. Of seed A, what its text names.
SEED_C = {
    "raw_market.market_data": "symbol timestamp open high low close volume source created_at",
    "raw_market.stock_info": (
        "symbol company_name sector industry market_cap country currency exchange source"
    ),
    "raw_ml.models": (
        "model_id name version model_type parameters metrics file_path status created_at updated_at"
    ),
    "raw_ml.predictions": (
        "prediction_id model_id symbol timestamp prediction_type prediction_value "
        "confidence features created_at"
    ),
    "raw_logs.system_logs": (
        "id timestamp level logger_name correlation_id message module function_name "
        "line_number thread_name process_id metadata created_at"
    ),
    "raw_logs.trading_events": (
        "id timestamp event_type symbol side quantity price order_id strategy "
        "correlation_id metadata created_at"
    ),
    "raw_logs.performance_logs": (
        "id timestamp operation_name duration_ms status component correlation_id "
        "memory_usage_mb cpu_usage_percent metadata created_at"
    ),
    "raw_logs.error_logs": (
        "id timestamp error_type error_message stack_trace component correlation_id "
        "user_id request_path metadata created_at"
    ),
    "raw_logs.user_action_logs": (
        "id timestamp action_type user_id session_id ip_address user_agent request_path "
        "request_method response_status duration_ms correlation_id metadata created_at"
    ),
    "raw_market.options_data": (
        "underlying expiry strike right bid ask last implied_volatility delta gamma theta vega rho"
    ),
    "raw_market.forex_crypto_data": (
        "symbol timestamp base_currency quote_currency bid ask calendar"
    ),
}


@pytest.mark.parametrize("relation", SEED_C)
def test_the_columns_of_the_designs_are_there(conn: psycopg.Connection, relation: str) -> None:
    described = conn.execute(f"select * from {relation} limit 0").description
    assert described is not None
    names = [column.name for column in described]
    assert set(SEED_C[relation].split()) <= set(names)


BAR = """
insert into raw_market.bars (
    instrument_id, timeframe, bar_ts, source, revision, symbol, session_date,
    open, high, low, close, adjusted, batch_id, is_withdrawn
)
values (1, %s, %s, %s, %s, 'X', '2024-01-02', %s, %s, %s, %s, 'none', 1, %s)
"""


def test_bars_are_read_by_the_names_of_the_designs(conn: psycopg.Connection) -> None:
    def bar(timeframe: str, at: str, source: str, revision: int, price: int, *gone: bool) -> None:
        conn.execute(BAR, (timeframe, at, source, revision, *[price] * 4, any(gone)))

    bar("1d", "2024-01-02Z", "yahoo", 0, 10)
    bar("1d", "2024-01-02Z", "yahoo", 1, 11)
    bar("1d", "2024-01-02Z", "polygon", 0, 12)
    bar("1d", "2024-01-03Z", "yahoo", 0, 13)
    bar("1d", "2024-01-03Z", "yahoo", 1, 13, True)
    bar("1m", "2024-01-02 15:00Z", "yahoo", 0, 14)
    insert(conn, "raw_market.ticks")
    closes = "select source, close::int from raw_market.{} where symbol = 'X' order by 2"
    both = [("yahoo", 11), ("polygon", 12)]
    assert conn.execute(closes.format("market_data_daily")).fetchall() == both
    assert conn.execute(closes.format("market_data")).fetchall() == [*both, ("yahoo", 14)]
    assert conn.execute(
        "select record_type, coalesce(close, price)::int, side::text"
        " from raw_market.market_data_hf order by 1"
    ).fetchall() == [("bar", 14, None), ("tick", 10, "buy")]


def test_pairs_know_their_currencies(conn: psycopg.Connection) -> None:
    for number, symbol in enumerate(("GBPUSD", "BTC-USD", "DOGE"), start=2):
        conn.execute(
            "insert into ref.instruments (symbol, calendar, asset_class, currency, first_source)"
            " values (%s, '24/7', 'fx', 'USD', 's')",
            [symbol],
        )
        conn.execute(
            "insert into ref.symbol_history (symbol, calendar, instrument_id, source)"
            " values (%s, '24/7', %s, 's')",
            (symbol, number),
        )
        insert(conn, "raw_market.quotes", instrument_id=number, symbol=symbol)
    insert(conn, "raw_market.quotes")  # an equity
    assert conn.execute(
        "select symbol, base_currency, quote_currency from raw_market.forex_crypto_data order by 1"
    ).fetchall() == [("BTC-USD", "BTC", "USD"), ("DOGE", None, "USD"), ("GBPUSD", "GBP", "USD")]


FILLED = """
insert into ref.instruments (symbol, calendar, asset_class, currency, first_source)
select 'S' || n, '24/7', 'fx', 'USD', 's' from generate_series(1, 50) as n;
insert into ref.symbol_history (symbol, calendar, instrument_id, source)
select symbol, calendar, instrument_id, 's' from ref.instruments where symbol <> 'X';
insert into raw_market.bars (
    instrument_id, timeframe, bar_ts, source, symbol, session_date,
    open, high, low, close, adjusted, batch_id
)
select instrument_id, timeframe, at, 's', symbol, at::date, 1, 1, 1, 1, 'none', 1
from ref.instruments, unnest(array['1m', '1d']) as timeframe,
    generate_series(timestamptz '2024-01-01Z', '2024-03-01Z', '6 hours') as at;
insert into raw_market.ticks (instrument_id, tick_ts, symbol, price, size)
select instrument_id, at, symbol, 1, 1
from ref.instruments, generate_series(timestamptz '2024-01-01Z', '2024-03-01Z', '6 hours') as at;
insert into raw_market.quotes (instrument_id, quote_ts, symbol, bid, ask)
select instrument_id, at, symbol, 1, 1
from ref.instruments, generate_series(timestamptz '2024-01-01Z', '2024-03-01Z', '6 hours') as at;
insert into raw_market.option_quotes (instrument_id, quote_ts, symbol, expiry, strike, option_right)
select instrument_id, at, symbol, '2024-06-21', strike, 'call'
from ref.instruments, generate_series(1, 40) as strike,
    generate_series(timestamptz '2024-01-01Z', '2024-01-07Z', '1 day') as at;
"""


def test_a_symbol_is_found_by_index(conn: psycopg.Connection) -> None:
    conn.execute(FILLED)
    conn.execute("vacuum analyze")
    conn.execute("set search_path = marts, raw_market")
    for view, tables in {
        "market_data": ["bars"],
        "market_data_daily": ["bars"],
        "market_data_hf": ["bars", "ticks"],
        "forex_crypto_data": ["bars", "quotes"],
        "options_data": ["option_quotes"],
    }.items():
        symbol = "underlying" if view == "options_data" else "symbol"
        plan = "\n".join(
            row[0]
            for row in conn.execute(
                f"explain select * from {view} where {symbol} = 'S7'"
                " and timestamp >= '2024-01-05Z' and timestamp < '2024-01-06Z'"
            )
        )
        for table in tables:
            by_key = (
                rf"using {table}_pkey on {table} (?!later).*\n\s+Index Cond: \(\(instrument_id = "
            )
            assert re.search(by_key, plan), (view, table, plan)
        assert "Seq Scan on " + tables[0] not in plan, plan


def test_the_last_day_of_all_five_logs_newest_first(conn: psycopg.Connection) -> None:
    logs = ["system_logs", "trading_events", "performance_logs", "error_logs", "user_action_logs"]
    for minutes, log in enumerate(logs):
        at = conn.execute("select now() - %s * interval '1 minute'", [minutes]).fetchone()
        assert at
        insert(conn, f"raw_logs.{log}", timestamp=at[0], correlation_id="c-1")
        insert(conn, f"raw_logs.{log}", timestamp="2024-01-02 15:00Z")
    conn.execute("set search_path = marts, raw_market, raw_trading, raw_ml, raw_logs")
    rows = conn.execute(
        "select log, correlation_id, message from recent_system_activity"
    ).fetchall()
    assert [row[:2] for row in rows] == [(log, "c-1") for log in logs]
    assert rows[1][2] == "order_placed buy 1 @ 2"
    by_level = (
        "SELECT COUNT(*), level FROM system_logs"
        " WHERE timestamp >= NOW() - INTERVAL '24 hours' GROUP BY level;"
    )
    assert conn.execute(by_level).fetchall() == [(1, "INFO")]


def test_ticks_of_a_renamed_ticker_land_again(conn: psycopg.Connection) -> None:
    def land(symbol: str, at: str) -> BatchResult:
        row = {"symbol": symbol, "tick_ts": at, "price": 10, "size": 1}
        return land_records("raw_market.ticks", [row], source="feed")

    land("FB", "2022-06-08T15:00:00Z")
    land("META", "2022-06-09T15:00:00Z")  # an instrument of its own, as nobody knew better
    seen = (
        "select symbol, dense_rank() over (order by instrument_id) from raw_market.market_data_hf"
    )
    assert conn.execute(f"{seen} order by 1").fetchall() == [("FB", 1), ("META", 2)]
    rename_symbol("FB", "META", on="2022-06-09")
    assert conn.execute(seen).fetchall() == [("FB", 1)]
    assert land("META", "2022-06-09T15:00:00Z").accepted == 1
    assert conn.execute(f"{seen} order by 1").fetchall() == [("FB", 1), ("META", 1)]
