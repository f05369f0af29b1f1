"""The catalogue of published queries, asked as who asks them, and the indexes that serve them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from benchmarks.query_rows import fill
from typer.testing import CliRunner

from conftest import TEMPLATE
from databases import cloned_database
from dbt_runs import dbt
from test_simulation_landing import land_daily_bars
from warehouse import database as db
from warehouse import queries, query_docs, roles
from warehouse.cli import app
from warehouse.config import Home
from warehouse.errors import WarehouseError
from warehouse.simulation.run import simulate

CATALOGUE = queries.catalogue()
SCHEMAS = "'^(raw_.*|marts|ops|audit|ref)$'"
WITHOUT_ROWS = {"open_payments"}
"""What a day may not have: payments still under way."""

UNUSED = f"""
    select s.indexrelname from pg_stat_user_indexes as s
    inner join pg_index as i on s.indexrelid = i.indexrelid
    where
        s.schemaname ~ {SCHEMAS} and s.idx_scan = 0 and not i.indisunique
        and obj_description(s.indexrelid, 'pg_class') is null
    order by 1
"""
PREFIXES = f"""
    with keys as (
        select
            i.indexrelid, i.indexrelid::regclass::text as name, i.indrelid, i.indisunique,
            class.relam,
            coalesce(pg_get_expr(i.indpred, i.indrelid), '') as predicate,
            array(
                select concat_ws(
                    ' ', pg_get_indexdef(i.indexrelid, n, false), i.indoption[n - 1],
                    i.indclass[n - 1]
                )
                from generate_series(1, i.indnkeyatts) as n order by n
            ) as columns,
            array(
                select pg_get_indexdef(i.indexrelid, n, false)
                from generate_series(1, i.indnatts) as n
            ) as carried
        from pg_index as i
        inner join pg_class as class on i.indexrelid = class.oid
        where class.relnamespace::regnamespace::text ~ {SCHEMAS}
    )

    select short.name, long.name
    from keys as short
    inner join keys as long using (indrelid, relam)
    where
        short.indexrelid <> long.indexrelid
        and not short.indisunique
        and short.predicate = long.predicate
        and short.columns = long.columns[:cardinality(short.columns)]
        and short.carried <@ long.carried
"""


@dataclass
class Asked:
    """What came of asking every query once."""

    rows: dict[str, int] = field(default_factory=dict)
    whole: dict[str, list[str]] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def built(home: Home) -> Iterator[str]:
    """A simulated firm with its marts, and rows for what the simulation leaves empty."""
    with cloned_database(home, "test_queries", TEMPLATE) as name:
        land_daily_bars()
        simulate(days=30, seed=7)
        with db.connect(autocommit=True) as session:
            fill(session, rows=200)
        dbt(
            *("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            *("--vars", "{dashboard_as_of: '2013-03-01T00:00:00Z'}"),
        )
        with db.connect(autocommit=True) as session:
            session.execute("analyze")
        yield name


@pytest.fixture(scope="module")
def asked(built: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Ask everything, with what is good for small tables forbidden."""
    folder = tmp_path_factory.mktemp("roles")
    roles.add("queries_reader", role="reader", tenant="house", to=folder / "reader.env")
    with db.connect(autocommit=True) as session:
        session.execute("select pg_stat_reset()")
        for kind in ("seqscan", "hashjoin", "mergejoin"):
            session.execute(f"set enable_{kind} = off".encode())
        yield ask(session)
        session.execute("drop role queries_reader")


def ask(session: psycopg.Connection[Any]) -> Asked:
    """Ask every query as its role."""
    found = Asked()
    for query in CATALOGUE:
        session.execute("reset role")
        values = next(iter(query.samples(session)), None)
        found.rows[query.name] = 0
        if values is None:
            continue
        assert set(values) == set(query.parameters), query.name
        login = "queries_reader" if query.role == "reader" else roles.GROUPS[query.role]
        session.execute(f"set role {login}".encode())
        found.rows[query.name] = len(session.execute(query.filled(values)).fetchall())
        told = queries.plan(session, query, values)
        session.execute("reset role")
        if whole := queries.read_whole(session, told):
            found.whole[query.name] = whole
    session.execute("select pg_stat_force_next_flush()")
    found.unused = [row[0] for row in session.execute(UNUSED.encode())]
    return found


def test_every_query_answers(asked: Asked) -> None:
    assert len(asked.rows) == len(CATALOGUE) > 80
    assert {name for name, rows in asked.rows.items() if not rows} <= WITHOUT_ROWS


def test_every_index_serves_a_query_or_says_what_else(asked: Asked) -> None:
    assert asked.unused == []


def test_no_big_table_is_read_as_a_whole(asked: Asked) -> None:
    assert asked.whole == {}


@pytest.mark.usefixtures("built")
def test_no_index_is_the_beginning_of_another() -> None:
    with db.connect(autocommit=True) as session:
        assert session.execute(PREFIXES.encode()).fetchall() == []
        # The test notices one.
        session.execute("create index twin on raw_trading.fills (account_id, symbol)")
        assert session.execute(PREFIXES.encode()).fetchall() == [
            ("raw_trading.twin", "raw_trading.fills_position_idx")
        ]
        session.execute("drop index raw_trading.twin")


@pytest.mark.usefixtures("asked")
def test_a_scan_of_a_whole_table_or_index_is_noticed() -> None:
    with db.connect(autocommit=True) as session:

        def whole(text: str) -> list[str]:
            query = queries.Query("q", "f", "w", "reader", "", 1, "k", "", text)
            return queries.read_whole(session, queries.plan(session, query, {}))

        assert whole("select count(*) from raw_trading.fills where price > 0") == [
            "raw_trading.fills"
        ]
        session.execute("set enable_seqscan = off")
        found = whole("select seq from raw_trading.fills where seq = 3")
        assert [each.split(" by ")[0] for each in found] == ["raw_trading.fills"]
        assert whole("select count(*) from raw_trading.accounts") == []


def test_budgets_of_one_kind_are_one() -> None:
    kinds = {query.kind: query.budget_ms for query in CATALOGUE}
    assert all(query.budget_ms == kinds[query.kind] for query in CATALOGUE)


def test_the_page_has_what_the_headers_say() -> None:
    page = query_docs.PAGE.read_text(encoding="utf-8")
    assert page == query_docs.described(), "run python -m warehouse.query_docs"


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (("-- why: c\n", ""), "lacks why"),
        (("5 ms, k", "fast"), "'fast' is no budget"),
        (("-- sample: select 1 as a\n", ""), "lacks a sample"),
    ],
)
def test_a_header_without_something_is_refused(
    tmp_path: Path, spoilt: tuple[str, str], said: str
) -> None:
    text = (
        "-- name: n\n-- why: c\n-- asked by: reader, 1 a day\n-- budget: 5 ms, k\n"
        "-- sample: select 1 as a\nselect :'a';\n"
    )
    (tmp_path / "a.sql").write_text(text)
    (query,) = queries.catalogue(tmp_path)
    assert (query.parameters, query.budget_ms, query.text) == (["a"], 5, "select :'a'")
    (tmp_path / "a.sql").write_text(text.replace(*spoilt))
    with pytest.raises(WarehouseError, match=said):
        queries.catalogue(tmp_path)
    (tmp_path / "a.sql").write_text(text)
    (tmp_path / "b.sql").write_text(text)
    with pytest.raises(WarehouseError, match="share a name: n"):
        queries.catalogue(tmp_path)


@pytest.mark.usefixtures("built")
def test_the_command() -> None:
    def say(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["queries", *words])
        assert done.exit_code == code, done.output
        return done.output

    listed = json.loads(say("list", "--json"))
    assert [each["name"] for each in listed] == [query.name for query in CATALOGUE]
    assert "daily_bars" in say("list")
    given = ("--set", "symbol=AAPL", "--set", "until=2013-03-01")
    bars = json.loads(say("run", "daily_bars", *given, "--json"))
    assert bars[-1]["timestamp"].startswith("2013-03-01")
    assert bars[-1]["close"] == "430.4700000000"
    assert "Execution Time" in say("run", "daily_bars", "--explain")
    (timed,) = json.loads(say("time", "company", "--runs", "2", "--json"))
    assert timed["p50_ms"] <= timed["p95_ms"]
    assert "There is no query dayly" in say("run", "dayly", code=2)
    assert "The parameters are symbol, until" in say("run", "daily_bars", *given[:2], code=2)


@pytest.mark.usefixtures("database")
def test_nothing_to_ask_for() -> None:
    done = CliRunner().invoke(app, ["queries", "run", "daily_bars"])
    assert done.exit_code == 2
    assert "Nothing has landed that daily_bars could be asked for" in done.output
    done = CliRunner().invoke(app, ["queries", "time", "daily_bars"])
    assert "nothing landed" in done.output
