"""Databases that live longer than one test: the fixture `database` with a scope of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from warehouse import config
from warehouse.config import Home


@contextmanager
def cloned_database(home: Home, name: str, template: str) -> Iterator[str]:
    """Make a database as a copy of another, the one every command goes to meanwhile."""
    url = home.connection.url().rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(url, autocommit=True) as session, pytest.MonkeyPatch.context() as patch:
        session.execute(f"drop database if exists {name} with (force)")
        session.execute(f"create database {name} template {template} strategy file_copy")
        patch.setenv("WAREHOUSE_DATABASE", name)
        yield name
        session.execute(f"drop database {name} with (force)")


@contextmanager
def kept_database() -> Iterator[None]:
    """Put the database in force back afterwards, however it was changed meanwhile."""
    here = config.connection()
    name, kept = here.dbname, f"{here.dbname}_kept"
    with psycopg.connect(replace(here, dbname="postgres").url(), autocommit=True) as session:
        session.execute(f"drop database if exists {kept} with (force)")
        session.execute(f"create database {kept} template {name} strategy file_copy")
        try:
            yield
        finally:
            session.execute(f"drop database {name} with (force)")
            session.execute(f"alter database {kept} rename to {name}")
