"""Fixtures: one embedded server for the session, one cloned database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import timescale
from databases import cloned_database
from warehouse import config, migrate, server

TEMPLATE = "warehouse_template"
# The tests may throw everything away; what they measure is not durability.
FAST = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Keep the tests away from the user's own instance and server."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith(("WAREHOUSE_", "DBT_"))]:
            patch.delenv(name)
        patch.setenv("GX_ANALYTICS_ENABLED", "false")
        yield


@pytest.fixture(scope="session")
def spare_folder() -> Iterator[Path]:
    """A folder that the server's user can walk into, unlike pytest's own (0700)."""
    path = Path(tempfile.mkdtemp(prefix="warehouse-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def home(spare_folder: Path, _clean_environment: None) -> Iterator[config.Home]:
    """A started embedded server in a temporary WAREHOUSE_HOME, migrated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_HOME", str(spare_folder / "home"))
        instance = config.Home.current()
        server.up(instance)
        (instance.data / "postgresql.local.conf").write_text(FAST)
        server.down(instance)
        server.up(instance)
        with _maintenance(instance) as session:
            # dbt logs in for each model: 4,096 rounds of a hash, on both sides, a tenth of a build.
            session.execute("set scram_iterations = 1")
            name = sql.Identifier(instance.connection.user)
            secret = sql.Literal(instance.connection.password)
            session.execute(sql.SQL("alter role {} password {}").format(name, secret))
        migrate.migrate()
        with _maintenance(instance) as session:
            session.execute(f"create database {TEMPLATE} template {config.DATABASE}")
        yield instance
        server.down(instance)


@pytest.fixture(scope="session")
def built_on_nothing(home: config.Home) -> Iterator[str]:
    """The name of a database with everything built on nothing landed, to be copied."""
    from dbt_runs import dbt  # dbt takes two seconds to import

    name = "built_on_nothing"
    with _maintenance(home) as session:
        session.execute(f"create database {name} template {TEMPLATE}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_DATABASE", name)
        dbt("build")
    yield name
    with _maintenance(home) as session:
        session.execute(f"drop database {name} with (force)")


@pytest.fixture
def fresh(home: config.Home, built_on_nothing: str) -> Iterator[str]:
    """A copy of it; always by the same name, so that dbt parses the project once."""
    with cloned_database(home, "test_schedule", built_on_nothing) as name:
        yield name


@pytest.fixture
def database(home: config.Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a fresh, migrated database, the one every command goes to meanwhile."""
    name = f"test_{next(_numbers)}"
    with _maintenance(home) as session:
        session.execute(f"create database {name} template {TEMPLATE}")
    monkeypatch.setenv("WAREHOUSE_DATABASE", name)
    yield name
    with _maintenance(home) as session:
        session.execute(f"drop database {name} with (force)")


@pytest.fixture
def empty_database(home: config.Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a database with no migration run."""
    name = f"empty_{next(_numbers)}"
    with _maintenance(home) as session:
        session.execute(f"create database {name}")
    monkeypatch.setenv("WAREHOUSE_DATABASE", name)
    yield name
    with _maintenance(home) as session:
        session.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def community_home(spare_folder: Path, _clean_environment: None) -> Iterator[config.Home]:
    """A home whose server is the named one of the Community edition, migrated."""
    try:
        where = timescale.community()
    except timescale.Missing as missing:
        pytest.skip(f"no TimescaleDB Community: {missing}")
    yield from _timescale_home(where, spare_folder / "community")


@pytest.fixture(
    scope="session",
    params=[*timescale.SUITES, "community"],
    ids=lambda each: each if isinstance(each, str) else f"postgresql_{each}",
)
def timescale_home(
    request: pytest.FixtureRequest, spare_folder: Path, _clean_environment: None
) -> Iterator[config.Home]:
    """A home whose server is a real one with TimescaleDB, migrated.

    Tests that use it run once on each version of PostgreSQL that Debian has the Apache edition
    for, and on the Community edition where a server is named.
    """
    if request.param == "community":
        yield request.getfixturevalue("community_home")
        return
    with ExitStack() as stack:
        try:
            where = stack.enter_context(timescale.running(request.param))
        except timescale.Missing as missing:
            (pytest.fail if timescale.IS_REQUIRED else pytest.skip)(f"no TimescaleDB: {missing}")
        yield from _timescale_home(where, spare_folder / f"timescale{request.param}")


@pytest.fixture
def timescale_database(
    timescale_home: config.Home, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The name of a fresh, migrated database with TimescaleDB, the one every command goes to."""
    yield from _timescale_database(timescale_home, monkeypatch)


@pytest.fixture
def community_database(
    community_home: config.Home, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The same on the Community edition alone."""
    yield from _timescale_database(community_home, monkeypatch)


def _timescale_home(where: config.Connection, folder: Path) -> Iterator[config.Home]:
    instance = config.Home(folder)
    instance.store(where)
    instance.logs.mkdir()
    with timescale.maintenance(where) as session:
        session.execute(f"drop database if exists {TEMPLATE} with (force)")
        session.execute(f"create database {TEMPLATE}")
    # Only meanwhile: the tests after these belong to the embedded server again.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_HOME", str(instance.path))
        patch.setenv("WAREHOUSE_DATABASE", TEMPLATE)
        with psycopg.connect(config.connection().url(), autocommit=True) as session:
            session.execute("create extension if not exists timescaledb")
        migrate.migrate()
    with timescale.maintenance(where) as session:
        # A scheduler of TimescaleDB would sit in it, and a database in use cannot be copied.
        session.execute(f"alter database {TEMPLATE} with allow_connections false")
    yield instance
    # The named server is not ours to leave anything on.
    with timescale.maintenance(where) as session:
        session.execute(f"drop database {TEMPLATE} with (force)")


def _timescale_database(instance: config.Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with timescale.maintenance(instance.connection) as session:
        session.execute(f"drop database if exists {name} with (force)")
        timescale.copy(session, TEMPLATE, name)
        monkeypatch.setenv("WAREHOUSE_HOME", str(instance.path))
        monkeypatch.setenv("WAREHOUSE_DATABASE", name)
        yield name
        session.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real market data that lies beside the project on some machines."""
    path = config.PROJECT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip(f"compares with the files of {path}, which this machine does not have")
    return path


def _maintenance(home: config.Home) -> psycopg.Connection:
    url = home.connection.url().rsplit("/", 1)[0] + "/postgres"
    return psycopg.connect(url, autocommit=True)
