"""The main job on a real server with TimescaleDB, the Apache edition of Debian.

One history, built three ways: at first, incrementally with late and corrected bars, and whole. What
readers see is a hypertable all along, with its key and indexes, and has the rows of the build.
"""

from __future__ import annotations

import re

import pytest

from dbt_runs import dbt
from feature_oracles import PRICES, frame_profile
from schedules import real_bars
from warehouse import database, schema
from warehouse.landing.bars import land_frame

NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")

LAYOUT = """
    select
        (
            select time_interval::text from timescaledb_information.dimensions
            where hypertable_name = 'feature_engineered_data'
        ),
        (
            select count(*) from timescaledb_information.chunks
            where hypertable_name = 'feature_engineered_data'
        ) between 2 and 500,
        (
            select array_agg(indexname order by indexname) from pg_indexes
            where schemaname = 'marts' and tablename = 'feature_engineered_data'
        )
"""
DESIGNED = (
    "360 days",
    True,
    [
        "feature_engineered_data_key",
        "idx_features_symbol_version_covering",
        "idx_features_timeseries",
    ],
)
DIFFERING = """
    select count(*) from (
        (table marts.feature_engineered_data except all table build.feature_engineered_data)
        union all
        (table build.feature_engineered_data except all table marts.feature_engineered_data)
    ) as differing
"""
YEAR = """
    explain select symbol, close from marts.feature_engineered_data
    where "timestamp" >= %s and "timestamp" < %s
"""


LATE = 200
"""A bar that lands first with another close and is corrected later."""


def land(rows: range) -> int:
    """Land daily bars by their place in the series; return how many were new or corrected."""
    bars = real_bars()["AAPL", "1d"].iloc[list(rows)]
    frame = bars[[*PRICES, "volume"]].assign(symbol="AAPL", time=bars["session_date"].dt.date)
    if LATE in rows and len(rows) == 1:
        frame["close"] = frame["low"]
    result = land_frame(frame, profile=frame_profile(timeframe="1d", calendar="XNYS"))
    assert result.quarantined == 0, result
    return result.accepted


def check(bars: int) -> None:
    """Compare what readers see with its design, and with the rows that were built."""
    with database.connect() as session:
        assert session.execute(LAYOUT).fetchone() == DESIGNED
        count = session.execute("select count(*) from marts.feature_engineered_data").fetchone()
        assert count == (bars,)
        assert session.execute(DIFFERING).fetchone() == (0,)


@pytest.mark.usefixtures("timescale_database")
def test_the_main_job() -> None:
    assert schema.differences() == []
    # A bar that is corrected later, and a hole that is filled later.
    assert land(range(LATE, LATE + 1)) == 1
    assert land(range(100)) + land(range(LATE + 1, 400)) == 299
    dbt("build", *NO_TESTS)
    check(300)

    assert land(range(420)) == 120 + 1
    dbt("run")
    check(420)
    with database.connect() as session:
        plan = str(session.execute(YEAR, ["2001-02-01", "2001-03-01"]).fetchall())
        session.execute("create table public.incremental as table marts.feature_engineered_data")
    assert len(set(re.findall(r"_hyper_\d+_\d+_chunk", plan))) == 1, plan  # whatever the index

    dbt("run", "--full-refresh")
    check(420)
    with database.connect() as session:
        found = session.execute(
            DIFFERING.replace("build.feature_engineered_data", "public.incremental")
        )
        assert found.fetchone() == (0,)
