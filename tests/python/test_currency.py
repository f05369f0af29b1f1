"""`warehouse build` does nothing when nothing would change, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from quality_bars import clean, land, sessions
from warehouse import build, config, currency
from warehouse import database as db
from warehouse.landing.reference import land_table


def do(statement: str) -> None:
    """Run a statement."""
    with db.connect("tests", autocommit=True) as session:
        session.execute(statement.encode())


@pytest.fixture
def built(database: str) -> str:
    """A warehouse with one series, built."""
    land(clean(sessions("2024-01-02", "2024-02-12"), "GOOD"))
    assert build.build().success
    return database


def is_current() -> bool:
    """Say whether the next build has nothing to do."""
    return build.build(if_needed=True).current_since is not None


def test_only_what_changes_a_mart_is_built(built: str, tmp_path: Path) -> None:
    assert is_current()
    info = tmp_path / "info.csv"
    info.write_text("symbol,company_name\nGOOD,Good Inc\n")
    land_table("stock_info", [info], source="vendor")
    assert not is_current()
    assert is_current()
    land(clean(sessions("2024-01-02", "2024-02-13"), "GOOD"))
    assert not is_current()
    assert is_current()
    # A day of the dashboards' window has passed since.
    do(
        "update ops.publication set dashboard_until ="
        " (select max(timestamp) from marts.feature_engineered_data)"
    )
    assert not is_current()
    assert is_current()


def test_other_files_are_other_code(
    built: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = currency.fingerprint()
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text((config.PROJECT / "dbt_project.yml").read_text())
    monkeypatch.setattr(config, "PROJECT", tmp_path)
    assert currency.fingerprint() != before
    assert currency.current_since(currency.fingerprint()) is None
    assert currency.current_since(before) is not None


def test_nothing_published_is_never_current(database: str) -> None:
    assert currency.current_since(currency.fingerprint()) is None


def test_without_a_schema(empty_database: str) -> None:
    assert currency.current_since(currency.fingerprint()) is None
