"""What is declared as config.meta.physical_design: judged before anything runs, and then true."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbt_runs import copied_project, dbt, dbt_failures
from warehouse import database

MODEL = "models/marts/features/feature_engineered_data.sql"
TIME = "'time_column': 'timestamp',"
FIRST_INDEX = "'indexes': [{"

SOURCES = "models/staging/_landing__sources.yml"
FAULTS = {
    TIME: "'time_column': 'bar_time', 'shards': 4,",
    "'chunk_interval': 'auto'": "'chunk_interval': 'a week'",
    FIRST_INDEX: "'indexes': [{'name': 'a', 'columns': ['clsoe'], 'method': 'tree', 'using': 1}, {",
}
OTHER_FAULTS = {
    "time_column: tick_ts\n": "time_column: known_at\n              shards: 4\n",
    '{segment_by: "instrument_id, source", order_by: "tick_ts desc, seq"}': "{segment_by: isin}",
    "timeframe, source, seq, revision": "timeframe, soruce, seq",
    "chunk_interval: 1 day\n": "chunk_interval: 1 day\n"
    "              compress: {segment_by: service, order_by: timestamp}\n",
    "- name: agent_metrics\n": "- name: metrics\n",
    "columns: [batch_id]\n                  method: brin\n"
    "                  why: the rows of a batch, which lie together as they were landed\n"
    "      - name: quotes": "columns: [batch]\n      - name: quotes",
}
SAID = (
    "physical_design of ticks (models/staging/_landing__sources.yml)",
    "'shards': give time_column, chunk_interval, partitions, compress, why or indexes",
    "its unique key must contain time_column 'known_at'",
    "compress: give segment_by and order_by",
    "physical_design of quotes (models/staging/_landing__sources.yml)",
    "compress: 'soruce' is no column of it",
    "compress: end order_by with source, revision of its key",
    "physical_design of performance_logs (models/staging/_landing__sources.yml)",
    "compress: it has row-level security",
    "index ticks_batch_idx lacks why",
    "index ticks_batch_idx: 'batch' is no column of it",
    "there is no table raw_logs.metrics: `warehouse migrate` makes them",
    "physical_design of feature_engineered_data",
    "unknown word 'shards': give time_column, chunk_interval or indexes",
    "time_column 'bar_time' is no column of it",
    "chunk_interval 'a week': give auto, or a whole number of hours or days such as '7 days'",
    "index a lacks why",
    "index a: 'clsoe' is no column of it",
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


def project(
    folder: Path, changes: dict[str, str], of_sources: dict[str, str] | None = None
) -> Path:
    """Copy the project, with another design of the features, and of sources."""
    copied_project(folder)
    for name, wanted in ((MODEL, changes), (SOURCES, of_sources or {})):
        text = (folder / name).read_text()
        for old, new in wanted.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / name).write_text(text)
    return folder


@pytest.mark.usefixtures("fresh")
def test_a_wrong_design_is_refused_by_name(tmp_path: Path) -> None:
    wrong = project(tmp_path, FAULTS, OTHER_FAULTS)
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
