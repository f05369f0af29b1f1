"""The columnstore, on a server of the Community edition: WAREHOUSE_TEST_COMMUNITY_URL names it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

import timescale
from dbt_runs import parsed
from warehouse import config, database, migrate
from warehouse.landing.records import land_records
from warehouse.physical.apply import apply
from warehouse.physical.plan import differences
from warehouse.physical.wishes import from_manifest

# Read now: the tests' environment is cleared of the user's own settings.
URL = os.environ.get("WAREHOUSE_TEST_COMMUNITY_URL")
NAME = "warehouse_community_test"


@pytest.fixture
def community(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _clean_environment: None
) -> Iterator[None]:
    """A fresh, migrated database on the server that is named."""
    if not URL:
        pytest.skip("no TimescaleDB Community: WAREHOUSE_TEST_COMMUNITY_URL names none")
    parts = urlsplit(URL)
    where = config.Connection(
        parts.hostname or "127.0.0.1",
        parts.port or 5432,
        unquote(parts.username or "postgres"),
        unquote(parts.password or ""),
    )
    instance = config.Home(tmp_path / "home")
    instance.store(where)
    instance.logs.mkdir(exist_ok=True)
    with timescale.maintenance(where) as session:
        session.execute(f"drop database if exists {NAME} with (force)")
        session.execute(f"create database {NAME}")
        monkeypatch.setenv("WAREHOUSE_HOME", str(instance.path))
        monkeypatch.setenv("WAREHOUSE_DATABASE", NAME)
        with psycopg.connect(config.connection().url()) as first:
            first.execute("create extension if not exists timescaledb")
        migrate.migrate()
        yield
        session.execute(f"drop database {NAME} with (force)")


@pytest.mark.usefixtures("community")
def test_old_chunks_are_compressed_and_late_rows_land() -> None:
    wishes = [each for each in from_manifest(parsed()) if each["relation"] == "raw_market.ticks"]
    ticks = [
        {"tick_ts": f"2026-01-0{day} 15:00Z", "symbol": "X", "price": 10, "size": 1}
        for day in range(2, 9)
    ]
    land_records("raw_market.ticks", ticks, source="venue")
    done = apply(wishes)
    assert done.success, done.left
    assert "columnstore" in [each.wish for each in done.done]
    with database.connect("tests", autocommit=True) as session:
        assert differences(session, wishes) == []
        session.execute("select compress_chunk(chunk) from show_chunks('raw_market.ticks') chunk")
    late = {"tick_ts": "2026-01-03 16:00Z", "symbol": "X", "price": 11, "size": 1}
    assert land_records("raw_market.ticks", [*ticks, late], source="venue").accepted == 1
    with database.connect("tests", autocommit=True) as session:
        assert session.execute("select count(*) from raw_market.ticks").fetchone() == (8,)
