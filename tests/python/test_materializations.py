"""What our materializations leave as it is, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_runs import dbt, dbt_failures, needed_project
from warehouse import database

STOCK_INFO = "models/staging/stg_market__stock_info.sql"
COVERAGE = "models/marts/features/feature_coverage.sql"
PROMISES = "models/marts/features/_coverage__models.yml"
BEFORE = "    counted.present[feature.position]::double precision / counted.bars as coverage\n"


def changed(folder: Path, file: str, right: str, wrong: str) -> Path:
    """Copy the project with another text in a file."""
    project = needed_project(folder, "feature_coverage", "stg_market__stock_info")
    text = (project / file).read_text(encoding="utf-8")
    assert right in text, f"{file} has changed: adapt this test to it"
    (project / file).write_text(text.replace(right, wrong, 1), encoding="utf-8")
    return project


def view() -> tuple[object, ...] | None:
    """Return the identity and the type of a column of a staging view."""
    with database.connect("tests") as conn:
        return conn.execute(
            "select attrelid, format_type(atttypid, null) from pg_attribute"
            " where attrelid = 'staging.stg_market__stock_info'::regclass and attname = 'symbol'"
        ).fetchone()


def test_a_view_stays_while_it_can(fresh: str, tmp_path: Path) -> None:
    """Somebody's view of it stays too, until a column changes its type."""
    only = ("--select", "stg_market__stock_info")
    with database.connect("tests") as conn:
        conn.execute("create view public.theirs as table staging.stg_market__stock_info")
    before = view()
    dbt("run", *only)
    assert view() == before
    project = changed(tmp_path / "more", STOCK_INFO, "select\n", "select 'it''s $$' as note,\n")
    dbt("run", *only, project=project)
    assert view() == before
    project = changed(tmp_path / "typed", STOCK_INFO, "symbol,\n", "symbol::varchar,\n")
    dbt("run", *only, project=project)
    after = view()
    assert before
    assert after
    assert after[1] == "character varying" != before[1]


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        (PROMISES, "data_type: double precision", "data_type: date", "data type mismatch"),
        (PROMISES, "name: coverage\n", "name: share\n", "missing in definition"),
        (COVERAGE, BEFORE, BEFORE.replace("::double precision", ""), "data type mismatch"),
        (COVERAGE, BEFORE, BEFORE[:-1] + ",\n    1 as more\n", "missing in contract"),
    ],
)
def test_a_broken_contract_is_refused(
    fresh: str, tmp_path: Path, file: str, right: str, wrong: str, told: str
) -> None:
    """In an incremental build, as in a full one."""
    project = changed(tmp_path / "project", file, right, wrong)
    for arguments in ([], ["--full-refresh"]):
        _, bad = dbt_failures("run", *arguments, project=project)
        assert "feature_coverage" in "".join(bad)
        assert "enforced contract that failed" in "".join(bad)
        assert told in "".join(bad)


def test_a_promised_column_that_the_table_lacks_is_refused(fresh: str, tmp_path: Path) -> None:
    """What the query and the contract agree on comes by a full refresh only."""
    project = changed(
        tmp_path / "project", COVERAGE, BEFORE, BEFORE[:-1] + ",\n    1 as more\n"
    )  # fmt: skip
    file = project / PROMISES
    text = file.read_text(encoding="utf-8")
    assert text.count("      - name: coverage\n") == 1
    more = "      - name: more\n        data_type: integer\n      - name: coverage\n"
    file.write_text(text.replace("      - name: coverage\n", more), encoding="utf-8")
    _, bad = dbt_failures("run", project=project)
    assert "out of sync" in "".join(bad)
    assert "more integer" in "".join(bad)
    dbt("run", "--full-refresh", project=project)
