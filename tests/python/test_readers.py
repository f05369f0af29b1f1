"""Readers who never stop while builds run: they see one complete build or the next."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from databases import cloned_database
from dbt_runs import dbt_failures
from faults import AAPL, IBM, small_history
from mutants import Mutant, planted
from schedules import Schedule, variables
from warehouse import config, database
from warehouse.config import Home

FACTS = {
    "publication": "select max(publication_id) from ops.publication",
    "bars": "select count(*) from marts.feature_engineered_data",
    # As numeric: a sum of floats depends on the order of the rows, and plans change meanwhile.
    "closes": "select sum(close::numeric) from marts.feature_engineered_data",
    "covered": "select sum(bars) from marts.feature_coverage where feature = 'returns'",
    "records": "select sum(total_records) from marts.mv_features_dashboard_summary",
    "window": "select sum(window_bars) from marts.market_overview",
    "theirs": "select sum(bars) from public.theirs",
}
"""What each mart says of the build that it is from; a view of somebody else is one of them."""

ONE_BY_ONE: Mutant = (
    "macros/publication/publish.sql",
    "{{ publish_model(node, state.is_whole) }}",
    "{{ publish_model(node, state.is_whole) }}commit; begin; select pg_sleep(0.5);",
)
Read = tuple[object, ...]
INSTANT = "2001-06-01"
BREAK = """
create or replace function public.broken() returns trigger language plpgsql as $$
begin raise exception 'broken on purpose'; end $$;
create or replace trigger broken before insert on {} for each statement
execute function public.broken();
"""


class Readers:
    """Threads that read all marts again and again and keep what they saw."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.reads: list[tuple[str, Read]] = []
        self.failures: list[BaseException] = []
        self.url = config.connection().url()

    def __enter__(self) -> Readers:
        targets = (self._committed, self._repeatable)
        self.threads = [threading.Thread(target=self._loop, args=(each,)) for each in targets]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _loop(self, read: object) -> None:
        try:
            with psycopg.connect(self.url, autocommit=True) as conn:
                while not self.stop.wait(0.03):
                    read(conn)  # type: ignore[operator]
        except BaseException as error:
            self.failures.append(error)

    def _committed(self, conn: psycopg.Connection) -> None:
        """One statement sees one snapshot."""
        row = conn.execute("select " + ", ".join(f"({query})" for query in FACTS.values()))
        self.reads.append(("read committed", row.fetchone() or ()))

    def _repeatable(self, conn: psycopg.Connection) -> None:
        """So do all statements of a transaction, those that begin during a publication included."""
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read")
            found = [conn.execute(query).fetchone() for query in FACTS.values()]
        self.reads.append(("repeatable read", tuple(row[0] if row else None for row in found)))


@pytest.fixture
def built(home: Home, built_on_nothing: str, tmp_path: Path) -> Iterator[Schedule]:
    """Two series landed and published, and a view of somebody else on them."""
    with cloned_database(home, "test_readers", built_on_nothing):
        schedule = small_history(tmp_path)
        schedule.build(instant=INSTANT)
        with database.connect("somebody else", autocommit=True) as conn:
            conn.execute(
                "create view public.theirs as select symbol, count(*) as bars"
                " from marts.feature_engineered_data group by symbol"
            )
        yield schedule


def failing_build(schedule: Schedule, relation: str) -> None:
    """Build something new while a table refuses its rows."""
    schedule.next(IBM, 5)
    with database.connect("tests", autocommit=True) as conn:
        conn.execute(BREAK.format(relation))
        _, bad = dbt_failures("run", *variables(INSTANT))
        conn.execute("drop function public.broken() cascade")
    assert any("broken on purpose" in each for each in bad), bad


def bad_reads(readers: Readers) -> list[object]:
    """Return what no reader may see: an empty mart, a publication in two states, a mix of two."""
    assert not readers.failures
    reads = [read for _, read in readers.reads]
    seen: dict[object, set[Read]] = defaultdict(set)
    for read in reads:
        seen[read[0]].add(read)
    bars, covered, theirs = (list(FACTS).index(name) for name in ("bars", "covered", "theirs"))
    return [
        *(read for read in reads if None in read or 0 in read),
        *(facts for facts in seen.values() if len(facts) > 1),
        *(read for read in reads if not read[bars] == read[covered] == read[theirs]),
    ]


def test_readers_never_see_a_mix(built: Schedule) -> None:
    with Readers() as readers:
        for _ in range(2):
            built.next(AAPL, 20)
            built.correct(IBM, [100, 101], 0.5)
            built.build(instant=INSTANT)
        failing_build(built, "build.feature_coverage")
        # The first table of the publication is replaced already when the last one refuses.
        failing_build(built, "marts.mv_features_dashboard_summary")
        built.build(instant=INSTANT)
        built.next(AAPL, 20)
        built.build("--full-refresh", instant=INSTANT)
        built.build(instant=INSTANT)
    assert bad_reads(readers) == []
    publications = {read[0] for _, read in readers.reads}
    assert len(publications) >= 5, "some build was never seen"
    for isolation in ("read committed", "repeatable read"):
        count = sum(1 for name, _ in readers.reads if name == isolation)
        print(f"{count} reads in {isolation}, 0 bad, {len(publications)} publications")
        assert count > 200


def test_tables_published_one_by_one_are_noticed(built: Schedule, tmp_path: Path) -> None:
    built.project = planted(ONE_BY_ONE, tmp_path / "mutant")
    with Readers() as readers:
        built.next(AAPL, 20)
        built.build(instant=INSTANT)
    assert bad_reads(readers)
