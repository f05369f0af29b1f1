"""What is declared as config.meta.physical_design: judged before anything runs, and then true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import cloned_database
from dbt_runs import copied_project, dbt, dbt_failures
from warehouse import database
from warehouse.config import Home

MODEL = "models/marts/features/feature_engineered_data.sql"
TIME = "'time_column': 'timestamp',"
FIRST_INDEX = "'indexes': [{"

FAULTS = {
    TIME: "'time_column': 'bar_time', 'shards': 4,",
    "'chunk_interval': 'auto'": "'chunk_interval': 'a week'",
    FIRST_INDEX: "'indexes': [{'name': 'a', 'columns': ['clsoe'], 'method': 'tree', 'using': 1}, {",
}
SAID = (
    "physical_design of feature_engineered_data",
    "unknown word 'shards': give time_column, chunk_interval or indexes",
    "time_column 'bar_time' is no column of the model",
    "chunk_interval 'a week': give auto, or a whole number of hours or days such as '7 days'",
    "index a lacks why",
    "index a: 'clsoe' is no column of the model",
    "index a: unknown method 'tree': give btree, brin, gin, gist or hash",
    "index a: unknown word 'using': give name, columns, include, where, method or why",
)
ADDED = """'indexes': [{
    'name': 'by_time', 'columns': ['"timestamp"'], 'method': 'brin',
    'where': "timeframe = '1d'", 'why': 'a test',
}, {"""
INDEX = """
    select i.indexrelid, pg_get_indexdef(i.indexrelid) from pg_index as i
    where i.indexrelid = to_regclass('marts.by_time')
"""


@pytest.fixture
def fresh(home: Home, built_on_nothing: str) -> Iterator[str]:
    with cloned_database(home, "test_physical", built_on_nothing) as name:
        yield name


def project(folder: Path, changes: dict[str, str]) -> Path:
    """Copy the project, with another design of the features."""
    model = copied_project(folder) / MODEL
    text = model.read_text()
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    model.write_text(text)
    return folder


@pytest.mark.usefixtures("fresh")
def test_a_wrong_design_is_refused_by_name(tmp_path: Path) -> None:
    wrong = project(tmp_path, FAULTS)
    _, bad = dbt_failures("run", "--select", "int_bars_golden", project=wrong)
    said = "\n".join(bad)
    assert [each for each in SAID if each not in said] == [], said


@pytest.mark.usefixtures("fresh")
def test_an_index_is_made_as_declared_and_stays(tmp_path: Path) -> None:
    changed = project(tmp_path, {FIRST_INDEX: ADDED})
    dbt("run", project=changed)
    with database.connect() as session:
        made = session.execute(INDEX).fetchone()
    assert made is not None
    assert made[1].endswith("USING brin (\"timestamp\") WHERE (timeframe = '1d'::text)")
    dbt("run", "--full-refresh", project=changed)
    with database.connect() as session:
        assert session.execute(INDEX).fetchone() == made
