"""Logins of one role each, for as long as a test lasts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from warehouse import config, roles

TEAM = "select from pg_roles where rolname = %s"
_numbers = itertools.count(1)


@contextmanager
def login(role: str, tenant: str | None = None) -> Iterator[config.Connection]:
    """Make a login with one role of roles.GROUPS on the database in force."""
    name = f"some_{role}_{next(_numbers)}"
    here = config.connection()
    with TemporaryDirectory() as folder:
        made = roles.add(name, role=role, to=Path(folder) / "env", tenant=tenant)
    yield made
    with psycopg.connect(here.url(), autocommit=True) as session:
        session.execute(f"reassign owned by {name} to warehouse")
        session.execute(f"drop owned by {name}")
        if tenant and session.execute(TEAM, [f"tenant_{tenant}"]).rowcount:
            session.execute(f"drop owned by tenant_{tenant}")
    with psycopg.connect(replace(here, dbname="postgres").url(), autocommit=True) as session:
        session.execute(f"drop role {name}")
        if tenant:
            session.execute(f"drop role if exists tenant_{tenant}")


@contextmanager
def logged_in(role: str) -> Iterator[config.Connection]:
    """Let every command go to the database in force as such a login, over target `server`."""
    with login(role) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_TARGET", "server")
        patch.setenv("WAREHOUSE_HOST", made.host)
        patch.setenv("WAREHOUSE_PORT", str(made.port))
        patch.setenv("WAREHOUSE_USER", made.user)
        patch.setenv("WAREHOUSE_PASSWORD", made.password)
        patch.setenv("DBT_ENV_SECRET_WAREHOUSE_PASSWORD", made.password)
        yield made
