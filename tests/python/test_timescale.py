"""The whole path on a real server with TimescaleDB, the Apache edition of Debian."""

from __future__ import annotations

import pytest

from dbt_runs import dbt
from warehouse import database, schema
from warehouse.landing.bars import land_bars
from warehouse.landing.profile import load_profile
from warehouse.landing.samples import BARS, sample_file


@pytest.mark.usefixtures("timescale_database")
def test_it_is_the_apache_edition() -> None:
    with database.connect() as session:
        row = session.execute("select current_setting('timescaledb.license')").fetchone()
    assert row == ("apache",)


@pytest.mark.usefixtures("timescale_database")
def test_the_whole_path() -> None:
    assert schema.differences() == []
    profile, package, name = BARS[0]
    landed = land_bars([sample_file(package, name)], profile=load_profile(profile))
    assert sum(batch.quarantined for batch in landed) == 0
    dbt("build", *("--exclude-resource-type", "test"), *("--exclude-resource-type", "unit_test"))
    with database.connect() as session:
        row = session.execute("select count(*) from marts.feature_engineered_data").fetchone()
    assert row == (sum(batch.accepted for batch in landed),)
