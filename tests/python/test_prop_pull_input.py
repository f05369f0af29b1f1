"""`warehouse land --from` with bad input: named, and no password shown."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prop_backends import ask
from warehouse import cli, config


def refused_by(url: str) -> str:
    told = CliRunner().invoke(cli.app, ["land", "--from", url])
    assert told.exit_code == 2
    return told.output


@pytest.mark.parametrize("url", ["mysql://u:s3cret@h/db", "app.db", "", "/srv/app.db", "http://x"])
def test_another_kind_of_url_is_refused(database: str, url: str) -> None:
    told = refused_by(url)
    assert "postgresql://" in told
    assert "sqlite:///" in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:s3cret@127.0.0.1:1/app",
        "postgresql://reader:s3cret@127.0.0.1:port/app",
        "postgresql://reader:pa@s3cret@127.0.0.1:1/app",
        "postgresql://reader:pa/s3cret@127.0.0.1:1/app",
        "postgresql://reader@127.0.0.1:1/app?password=s3cret",
        "postgresql://reader:s3cret@127.0.0.1:1/app?nonsense=s3cret",
        "postgresql://reader:s%33cret@127.0.0.1:1/app",
    ],
)
def test_a_database_that_does_not_answer_shows_no_password(database: str, url: str) -> None:
    told = refused_by(url)
    assert "does not answer" in told
    assert "s3cret" not in told
    assert "s%33cret" not in told


def test_a_wrong_password_is_not_shown(database: str) -> None:
    here = replace(config.connection(), **{"password": "wr0ng"})
    told = refused_by(here.url())
    assert "password authentication failed" in told
    assert "wr0ng" not in told


def test_files_that_are_no_database(database: str, tmp_path: Path) -> None:
    assert "does not exist" in refused_by(f"sqlite:///{tmp_path / 'no.db'}")
    other = tmp_path / "text.db"
    other.write_text("not a database, but long enough to have a header of a hundred bytes" * 4)
    assert "cannot be read" in refused_by(f"sqlite:///{other}")


def test_missing_tables_and_columns_are_named(database: str, tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    session = sqlite3.connect(path)
    session.execute("create table users (id, email)")
    session.commit()
    told = refused_by(f"sqlite:///{path}")
    assert "no table challenges" in told
    session.execute("create table challenges (id, user_id, challenge_type)")
    session.commit()
    told = refused_by(f"sqlite:///{path}")
    assert "Table challenges has no column initial_balance" in told
    assert ask("select count(*) from ops.batches") == [(0,)]
    session.close()
