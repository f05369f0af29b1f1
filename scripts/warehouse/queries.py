"""The catalogue of published access patterns, docs/queries/*.sql: read, run, timed against budgets.

A query is asked with values drawn from the data: the columns of its sample are its parameters.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import quantiles
from typing import Any

import psycopg
from psycopg import sql

from warehouse import config, database
from warehouse.errors import WarehouseError

FOLDER = config.PROJECT / "docs" / "queries"
PARAMETER = re.compile(r":'(\w+)'")
RELATION = re.compile(r"\b(?:from|join)\s+(\w+\.\w+)")
BUDGET = re.compile(r"(\d+) ms, (.+)")
WORDS = ("why", "asked by", "budget")
SMALL = re.compile(
    r"ref\.\w+|raw_trading\.(accounts|strategies)|raw_signals\.agents|raw_risk\.risk_limits"
    r"|raw_ml\.(models|model_training_runs)|raw_prop\.challenge_rules|raw_backtest\.backtest_runs"
    r"|marts\.(market_overview|mv_features_dashboard_summary)|ops\.tenants"
)
"""Tables that grow with what people register, not with time: to read them whole is no harm."""

FIRST_COLUMN = """
    select
        namespace.nspname || '.' || class.relname,
        trim('"' from pg_get_indexdef(i.indexrelid, 1, true)),
        exists (select from pg_am where oid = named.relam and amname = 'brin')
    from pg_index as i
    inner join pg_class as named on i.indexrelid = named.oid
    inner join pg_class as class on i.indrelid = class.oid
    inner join pg_namespace as namespace on class.relnamespace = namespace.oid
    where named.relname = %s and namespace.nspname not in ('build', 'intermediate')
"""

Values = dict[str, str]
"""Values of the parameters by name; the server takes each for what it is compared with."""


@dataclass(frozen=True)
class Query:
    """A published access pattern."""

    name: str
    file: str
    why: str
    role: str
    """Who asks, as in `warehouse roles add --role`."""
    frequency: str
    budget_ms: float
    """What 95 of 100 answers may take, on the server, once its pages are in memory."""
    kind: str
    """The class of queries that the budget is from."""
    sample: str
    """A query whose columns are the parameters, one set of values a row; empty: there are none."""
    text: str

    @cached_property
    def parameters(self) -> list[str]:
        """Names of the parameters, in the order of their first use."""
        return list(dict.fromkeys(PARAMETER.findall(self.text)))

    @cached_property
    def relations(self) -> list[str]:
        """The tables, views and functions that it reads."""
        return list(dict.fromkeys(RELATION.findall(self.text)))

    def filled(self, values: Values) -> sql.Composed:
        """Return the statement with its values as literals, as psql does it."""
        parts = PARAMETER.split(self.text)
        return sql.Composed(
            [sql.SQL(part) if n % 2 == 0 else sql.Literal(values[part])
             for n, part in enumerate(parts)]
        )  # fmt: skip

    def samples(self, session: psycopg.Connection[Any], most: int = 1) -> list[Values]:
        """Return up to so many sets of values that the data have; NULL would find nothing."""
        if not self.sample:
            return [{}]
        drawn = sql.SQL("select to_jsonb(drawn) from ({}) as drawn limit {}").format(
            sql.SQL(self.sample),
            most,
        )
        return [
            {name: value if isinstance(value, str) else json.dumps(value) for name, value in row}
            for row in (dict(each[0]).items() for each in session.execute(drawn))
            if all(value is not None for _, value in row)
        ]


@dataclass
class Timing:
    """What a query took on the server, in milliseconds, planning included."""

    name: str
    budget_ms: float
    p50_ms: float | None = None
    p95_ms: float | None = None
    rows: int = 0
    values: Values = field(default_factory=dict)

    @property
    def is_within(self) -> bool | None:
        """Whether it keeps its budget; None: there was nothing to ask for."""
        return None if self.p95_ms is None else self.p95_ms <= self.budget_ms


def catalogue(folder: Path = FOLDER) -> list[Query]:
    """Return every published query.

    Raises WarehouseError when a header lacks something or a parameter has no sample.
    """
    found = [query for path in sorted(folder.glob("*.sql")) for query in _queries(path)]
    names = [query.name for query in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WarehouseError(f"Queries share a name: {', '.join(twice)}", where=str(folder))
    return found


def find(name: str) -> Query:
    """Return one published query; raises WarehouseError when there is none of that name."""
    for query in catalogue():
        if query.name == name:
            return query
    raise WarehouseError(f"There is no query {name}", do="see `warehouse queries list`")


def plan(session: psycopg.Connection[Any], query: Query, values: Values) -> dict[str, Any]:
    """Return the plan as EXPLAIN tells it, with what it took."""
    wanted = sql.SQL("explain (analyze, verbose, timing off, format json) {}")
    row = session.execute(wanted.format(query.filled(values))).fetchone()
    return dict(row[0][0]) if row else {}


def milliseconds(told: dict[str, Any]) -> float:
    """Return what the server took to plan and to execute."""
    return float(told["Planning Time"]) + float(told["Execution Time"])


def nodes(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every node of a plan, those above before those below."""
    pending, found = [told["Plan"]], []
    while pending:
        node = pending.pop()
        found.append(node)
        pending += node.get("Plans", [])
    return found


def read_whole(session: psycopg.Connection[Any], told: dict[str, Any]) -> list[str]:
    """Return the big tables of which a plan reads everything, or a whole index.

    An index serves a query when it is entered at its first column.
    """
    found = []
    for node in nodes(told):
        table = f"{node.get('Schema')}.{node.get('Relation Name')}"
        if node["Node Type"] == "Seq Scan" and not SMALL.fullmatch(table):
            found.append(table)
        elif "Index Name" in node:
            row = session.execute(FIRST_COLUMN, [node["Index Name"]]).fetchone()
            table, column, is_brin = row or ("", "", False)
            entered = column in node.get("Index Cond", "")
            if not (entered or is_brin or SMALL.fullmatch(table)):
                found.append(f"{table} by {node['Index Name']}")
    return sorted(set(found))


def measure(query: Query, *, runs: int, given: Values | None = None) -> Timing:
    """Ask so many times, with values drawn from the data or given, and return what it took."""
    timing = Timing(query.name, query.budget_ms)
    with database.connect("warehouse queries", autocommit=True) as session:
        sets = [given] if given else query.samples(session, most=20)
        if not sets:
            return timing
        timing.values = sets[0]
        timing.rows = len(session.execute(query.filled(sets[0])).fetchall())
        spent = [milliseconds(plan(session, query, sets[n % len(sets)])) for n in range(runs)]
    timing.p50_ms, timing.p95_ms = percentiles(spent)
    return timing


def percentiles(spent: list[float]) -> tuple[float, float]:
    """Return the 50th and the 95th percentile."""
    points = quantiles(spent, n=20, method="inclusive") if len(spent) > 1 else spent * 19
    return points[9], points[18]


def answer(query: Query, given: Values | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the names of the columns and the rows."""
    with database.connect("warehouse queries", autocommit=True) as session:
        cursor = session.execute(query.filled(given or _drawn(session, query)))
        return [column.name for column in cursor.description or []], cursor.fetchall()


def explained(query: Query, given: Values | None = None) -> list[str]:
    """Return the plan for people, with buffers."""
    with database.connect("warehouse queries", autocommit=True) as session:
        statement = query.filled(given or _drawn(session, query))
        asked = sql.SQL("explain (analyze, buffers) {}").format(statement)
        return [row[0] for row in session.execute(asked)]


def _drawn(session: psycopg.Connection[Any], query: Query) -> Values:
    """Return values that the data have; raises WarehouseError when nothing has landed."""
    for values in query.samples(session):
        return values
    raise WarehouseError(
        f"Nothing has landed that {query.name} could be asked for",
        do=f"give its parameters: --set {query.parameters[0]}=…",
    )


def _queries(path: Path) -> list[Query]:
    """Read a file: queries that begin with a comment `-- name:`."""
    text = path.read_text(encoding="utf-8")
    return [_query(path, part) for part in re.split(r"^(?=-- name: )", text, flags=re.M)[1:]]


def _query(path: Path, block: str) -> Query:
    """Read a query: comments `-- word: …` first, then one statement."""
    head = re.findall(r"^-- ([a-z ]+): (.*)$", block, flags=re.M)
    words = dict(head)
    where = f"{path.name}: {words['name']}"
    missing = [word for word in WORDS if word not in words]
    if missing:
        raise WarehouseError(f"A query lacks {', '.join(missing)}", where=where)
    role, _, frequency = words["asked by"].partition(", ")
    budget = BUDGET.fullmatch(words["budget"])
    if budget is None:
        raise WarehouseError(f"'{words['budget']}' is no budget", where=where, do="say '5 ms, …'")
    body = re.sub(r"^--.*\n?", "", block, flags=re.M).strip().removesuffix(";")
    sample = " ".join(value for word, value in head if word == "sample")
    query = Query(
        words["name"], path.name, words["why"], role, frequency, float(budget[1]), budget[2],
        sample, body,
    )  # fmt: skip
    if query.parameters and not sample:
        raise WarehouseError("A query with parameters lacks a sample of values", where=where)
    return query
