"""`warehouse prop sqlite`: a new file or none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from warehouse import cli
from warehouse.errors import WarehouseError
from warehouse.prop import sqlite_schema

TABLES = {
    "users", "challenges", "challenge_rules", "trades", "challenge_events",
    "challenge_equity_ticks", "payments", "payment_events", "risk_alerts", "write_guard",
}  # fmt: skip


def test_the_command_creates_a_database(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    told = CliRunner().invoke(cli.app, ["prop", "sqlite", str(path)])
    assert told.exit_code == 0
    assert "foreign_keys" in told.stdout
    with closing(sqlite3.connect(path)) as session:
        found = session.execute("select name from sqlite_master where type = 'table'").fetchall()
    assert {name for (name,) in found} == TABLES


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    path.write_text("mine")
    with pytest.raises(WarehouseError, match="exists already"):
        sqlite_schema.create(path)
    assert path.read_text() == "mine"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="folder does not exist"):
        sqlite_schema.create(tmp_path / "no" / "app.db")
