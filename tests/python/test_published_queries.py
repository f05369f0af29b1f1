"""The statements that the design quotes run as they stand, and use their index."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import psycopg
import pytest

from conftest import TEMPLATE
from databases import cloned_database
from dbt_runs import dbt
from feature_oracles import PRICES, frame_profile
from schedules import real_bars
from warehouse import database
from warehouse.config import Home
from warehouse.landing.bars import land_frame

FEATURES_OF_30_DAYS = """
SELECT symbol, timestamp, close, rsi_1d, price_ma_short
FROM feature_engineered_data
WHERE symbol = 'AAPL'
AND feature_version = '3.0'
AND timestamp >= NOW() - INTERVAL '30 days'
ORDER BY timestamp DESC;
"""
INDEX_USAGE = """
SELECT schemaname, tablename, indexname, idx_scan, idx_tup_read
FROM pg_stat_user_indexes WHERE tablename = 'feature_engineered_data' ORDER BY idx_scan DESC;
"""
DASHBOARD_SUMMARY = """
SELECT
    symbol,
    MAX(timestamp) as latest_timestamp,
    COUNT(*) as total_records,
    MAX(feature_version) as latest_version,
    COUNT(CASE WHEN rsi_1d IS NOT NULL THEN 1 END)::float / COUNT(*)::float as rsi_coverage,
    COUNT(CASE WHEN price_ma_short IS NOT NULL THEN 1 END)::float / COUNT(*)::float as ma_coverage
FROM feature_engineered_data
WHERE timestamp >= NOW() - INTERVAL '90 days'
GROUP BY symbol;
"""


@pytest.fixture(scope="module")
def built(home: Home) -> Iterator[str]:
    """Real bars, moved: one symbol traded an hour ago, another stopped 60 days ago."""
    hourly = next(bars for (_, timeframe), bars in real_bars().items() if timeframe == "1h")
    with cloned_database(home, "test_published", TEMPLATE) as name:
        now = pd.Timestamp.now(tz="UTC").floor("h")
        parts = []
        for symbol, last in (("AAPL", now), ("GONE", now - pd.Timedelta(days=60))):
            # One bar every twelve hours, so that 280 of them reach 140 days back.
            clock = last - pd.to_timedelta(range(12 * len(hourly), 0, -12), unit="h")
            frame = hourly[[*PRICES, "volume"]].assign(time=clock, symbol=symbol)
            parts.append(frame)
        profile = frame_profile(timeframe="1h", calendar="24/7")
        result = land_frame(pd.concat(parts), profile=profile)
        assert result.quarantined == 0, result
        dbt("build")
        yield name


@pytest.fixture
def session(built: str) -> Iterator[psycopg.Connection]:
    """A session with the documented search_path of a reader."""
    with database.connect("tests", autocommit=True) as conn:
        conn.execute("set search_path = marts, raw_market")
        yield conn


def test_features_of_30_days(session: psycopg.Connection) -> None:
    rows = session.execute(FEATURES_OF_30_DAYS).fetchall()
    assert 55 < len(rows) <= 60
    assert rows == sorted(rows, key=lambda row: row[1], reverse=True)
    assert all(row[0] == "AAPL" and None not in row for row in rows)
    first = session.execute(
        "select close::float8 from raw_market.bars order by bar_ts desc limit 1"
    )
    assert rows[0][2] == first.fetchone()[0]  # type: ignore[index]


def test_features_of_30_days_reads_only_the_covering_index(session: psycopg.Connection) -> None:
    session.execute("vacuum analyze marts.feature_engineered_data")
    plan = "\n".join(row[0] for row in session.execute("explain " + FEATURES_OF_30_DAYS))
    assert "Index Only Scan using idx_features_symbol_version_covering" in plan, plan


def test_dashboard_summary_is_the_view_of_the_design(session: psycopg.Connection) -> None:
    theirs = session.execute(DASHBOARD_SUMMARY).fetchall()
    ours = session.execute("select * from mv_features_dashboard_summary").fetchall()
    assert sorted(ours) == sorted(theirs)
    assert {row[0] for row in ours} == {"AAPL", "GONE"}


def test_dashboard_window_expires_without_a_new_bar(session: psycopg.Connection) -> None:
    later = (pd.Timestamp.now(tz="UTC") + pd.Timedelta(days=40)).strftime("%Y-%m-%dT%H:%M:%SZ")
    dbt("build", "--vars", f"{{dashboard_as_of: '{later}'}}")
    theirs = session.execute(
        DASHBOARD_SUMMARY.replace("NOW()", f"timestamptz '{later}'")
    ).fetchall()
    ours = session.execute("select * from mv_features_dashboard_summary").fetchall()
    assert [row[0] for row in ours] == ["AAPL"]
    assert ours == theirs
    markets = session.execute("select symbol from market_overview").fetchall()
    assert markets == [("AAPL",)]
    dbt("build")
    assert {row[0] for row in session.execute("select symbol from market_overview")} == {
        "AAPL",
        "GONE",
    }


def test_index_usage_runs_with_the_names_of_the_catalogue(session: psycopg.Connection) -> None:
    """The design names columns that pg_stat_user_indexes does not have: relname, indexrelname."""
    with pytest.raises(psycopg.errors.UndefinedColumn):
        session.execute(INDEX_USAGE)
    named = INDEX_USAGE.replace("tablename", "relname").replace("indexname", "indexrelname")
    assert "idx_features_symbol_version_covering" in [row[2] for row in session.execute(named)]
