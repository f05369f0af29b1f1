"""The main job on real servers with TimescaleDB: Debian's Apache edition, Community where named.

One history, built three ways: at first, incrementally with late and corrected bars, and whole. What
readers see is a hypertable all along, with its key and indexes, and has the rows of the build.
"""

from __future__ import annotations

import re

import psycopg
import pytest

from dbt_runs import dbt, parsed
from feature_oracles import PRICES, frame_profile
from schedules import real_bars
from warehouse import database, schema
from warehouse.landing.bars import land_frame
from warehouse.landing.records import land_records
from warehouse.physical.apply import apply
from warehouse.physical.plan import differences
from warehouse.physical.wishes import from_manifest

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


TICKS = [
    {"tick_ts": f"{day} 15:00Z", "symbol": "X", "price": 10, "size": 1}
    for day in ("1990-01-02", "2026-01-05", "2026-01-06", "2026-03-02", "2099-01-02")
]
SUM = "select md5(string_agg(t::text, ',' order by t::text)) from raw_market.ticks as t"
MONTH = "explain select price from raw_market.ticks where tick_ts >= %s and tick_ts < %s"


def pack(session: psycopg.Connection) -> None:
    """Compress every chunk of landing tables that may be: all that lands after it is late."""
    tier = session.execute("select ops.physical_tier()").fetchone()
    if tier == ("community",):
        session.execute(
            "select compress_chunk(part.part::regclass, if_not_compressed => true)"
            " from ops.time_parts() as part inner join ops.stored_by_time() as s using (relation)"
            " where s.columnstore is not null"
        )


def check_landing_tables() -> None:
    """Make landing tables hypertables, some with rows; rows of any time land, and queries prune."""
    wishes = from_manifest(parsed())
    assert land_records("raw_market.ticks", TICKS[:3], source="venue").accepted == 3
    with database.connect("tests", autocommit=True) as session:
        before = session.execute(SUM).fetchone()
        assert {each.wish for each in differences(session, wishes)} == {"storage"}
        done = apply(wishes)
        pack(session)
        made = {each.relation for each in done.done if "hypertable_by_time" in each.sql[0]}
        assert {"raw_market.ticks", "raw_market.quotes", "raw_market.option_quotes"} <= made
        # Ticks of 1990 are past what retention keeps: dropped when asked for.
        assert done.left == {"raw_market.ticks: retention": "dropped with --drop-expired only"}
        assert session.execute(SUM).fetchone() == before
        assert land_records("raw_market.ticks", TICKS, source="venue").accepted == 2
        plan = str(session.execute(MONTH, ["2026-01-01", "2026-01-10"]).fetchall())
        assert len(set(re.findall(r"_hyper_\w+chunk\b", plan))) in (1, 2), plan
        assert apply(wishes, drop_expired=True).success
        assert session.execute("select count(*) from raw_market.ticks").fetchone() == (4,)
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            session.execute("update raw_market.ticks set price = 1 where tick_ts > '2098-01-01'")
        session.execute("create index mine on raw_market.ticks (symbol)")
        session.execute("drop index raw_market.ticks_batch_idx")
        assert apply(wishes).success
        assert [each.wish for each in differences(session, wishes)] == ["index mine"]
        session.execute("drop index raw_market.mine")
        weekly = [each | {"chunk_interval": "14 days"} for each in wishes if "compress" in each]
        assert apply(weekly).success
        assert {each.wish for each in differences(session, wishes)} == {"interval"}
        assert apply(wishes).success


@pytest.mark.usefixtures("timescale_database")
def test_the_main_job() -> None:
    assert schema.differences() == []
    check_landing_tables()
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
        assert differences(session, from_manifest(parsed())) == []
        found = session.execute(
            DIFFERING.replace("build.feature_engineered_data", "public.incremental")
        )
        assert found.fetchone() == (0,)
