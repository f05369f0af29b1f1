"""The full build of the feature mart against the same table made by other tools."""

from __future__ import annotations

from pathlib import Path

from benchmarks import landing, workspace
from benchmarks.data import Bars
from benchmarks.peers import writers
from benchmarks.peers.formulas import check_complete
from benchmarks.peers.prepare import write_input
from benchmarks.peers.ways import PEERS, Columns
from benchmarks.results import Section, seconds
from benchmarks.workspace import Workspace, connect, dbt_build, model_seconds, say, timed

MART = "marts.feature_engineered_data"
MODELS = ("+feature_engineered_data", "+int_indicator_checkpoints")
"""The table and the state that lets the next build continue it; the peers make the table."""
TOLERANCE = 1e-4
"""Relative. DuckDB computes skewness from raw moments, which costs it that many digits."""
LIMITS = {"pandas": 0.15, "polars": 0.8, "duckdb": 0.8, "polars2": 2.0}
"""Most that the build may take, as a multiple of the peer."""

FAIRNESS = (
    "The build reads the landing zone and decides sources, adjustments and sessions in the measured"
    " time, dbt's own start included; the peers start from a Parquet file in which all that is"
    " done. Every way ends with the same columns, key and indexes, and its features are"
    " compared with the mart's late in one series, because polars and DuckDB seed averages with"
    " the first value instead of TA-Lib's mean. DuckDB's postgres extension is not in its wheel,"
    " so its result goes over Arrow to ADBC."
)


def run(space: Workspace, bars: Bars, peers: list[str]) -> list[Section]:
    """Build with dbt, then with every peer, into the same server."""
    section = Section("Full build")
    with space.fresh("bench_features"):
        landing.land(bars.history, space.folder / "features.csv")
        say("features: dbt, full build")
        workspace.settle()
        ours = dbt_build(*MODELS, full_refresh=True)
        models = model_seconds()
        columns = mart_columns()
        rows = count(MART)
        floats = sum(kind == "double precision" for kind in columns.values())
        size = f"{rows:,} rows, {len(columns)} columns, {floats} of them float8"
        section.add(f"dbt, two threads ({size})", seconds(ours))
        say(f"features: {seconds(ours)}; dbt again over one connection")
        workspace.settle()
        alone = dbt_build(*MODELS, full_refresh=True, threads=1)
        section.add("dbt, one thread against two", seconds(alone), ratio=alone / ours, least=1.7)
        say("features: CREATE TABLE AS of the finished table")
        workspace.settle()
        limit = timed(lambda: _run(f"create table write_limit as select * from {MART}"))
        _run("drop table write_limit")
        section.add(
            "dbt against CREATE TABLE AS of the finished table (write limit)",
            seconds(limit),
            ratio=ours / limit,
            most=6,
        )
        check_complete(feature_names())
        path = write_input(space.folder / "bars.parquet")
        for name in peers:
            _peer(section, name, path, columns, ours, rows)
        slowest = ", ".join(f"{model} {spent:g} s" for model, spent in list(models.items())[:8])
        section.notes.append(f"Models of the full build, slowest first: {slowest}.")
        section.notes.append(FAIRNESS)
    return [section]


def _peer(
    section: Section, name: str, path: Path, columns: Columns, ours: float, rows: int
) -> None:
    """Let one peer make the table and compare it."""
    title, way = PEERS[name]
    say(f"features: {title}")
    target = f"{writers.SCHEMA}.{writers.TABLE}"
    _run(f"create schema if not exists {writers.SCHEMA}")
    _run(f"drop table if exists {target}")
    _run(f"create table {target} (like {MART})")
    workspace.settle()
    spent = way(path, columns)
    indexing = timed(lambda: _run("; ".join(index_statements(target))))
    total = spent.compute + spent.write + indexing
    if (found := count(target)) != rows:
        raise RuntimeError(f"{title} wrote {found} rows instead of {rows}")
    same, compared = agreement(target, columns)
    parts = f"compute {spent.compute:.1f}, write {spent.write:.1f}, index {indexing:.1f}"
    section.add(
        f"dbt against {title} ({parts}; {same} of {compared} features agree)",
        seconds(total),
        ratio=ours / total,
        most=LIMITS[name],
    )
    _run(f"drop table {target}")


def mart_columns() -> Columns:
    """Return name and type of every column of the mart."""
    with connect() as session:
        rows = session.execute(
            "select column_name, data_type from information_schema.columns"
            " where table_schema = 'marts' and table_name = 'feature_engineered_data'"
            " order by ordinal_position"
        ).fetchall()
    return {str(name): str(kind) for name, kind in rows}


def feature_names() -> set[str]:
    """Return the features of the catalogue."""
    with connect() as session:
        return {str(name) for (name,) in session.execute("select name from ref.feature_catalog")}


def index_statements(target: str) -> list[str]:
    """Return the statements that give a table the same indexes as the mart."""
    with connect() as session:
        rows = session.execute(
            "select indexname, indexdef from pg_indexes"
            " where schemaname = 'marts' and tablename = 'feature_engineered_data'"
        ).fetchall()
    return [
        text.replace(f" {name} ", f" peer_{name} ").replace(MART, target) for name, text in rows
    ]


def agreement(target: str, columns: Columns) -> tuple[int, int]:
    """Return how many features agree with the mart late in one series, and how many were compared.

    Late: averages that start differently have forgotten it by then.
    """
    names = [name for name, kind in columns.items() if kind == "double precision"]
    differences = ", ".join(
        f'max(abs(m."{n}" - p."{n}") / greatest(abs(m."{n}"), abs(p."{n}"), 1e-9))'
        f' filter (where m."{n}" is not null), count(m."{n}") - count(p."{n}")'
        for n in names
    )
    key = 'm.instrument_id = p.instrument_id and m."timestamp" = p."timestamp"'
    with connect() as session:
        row = session.execute(
            f"select {differences} from {MART} as m inner join {target} as p on {key}"
            " where m.symbol = 'AAPL' and m.bar_number > 1700"
        ).fetchone()
    assert row is not None  # noqa: S101 (an aggregate has a row)
    wrong = [
        f"{name} {gap}"
        for name, gap, missing in zip(names, row[::2], row[1::2], strict=True)
        if gap is None or gap > TOLERANCE or missing
    ]
    if wrong:
        say(f"features: not equal: {'; '.join(wrong)}")
    return len(names) - len(wrong), len(names)


def count(table: str) -> int:
    """Return the number of rows."""
    with connect() as session:
        row = session.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def _run(statement: str) -> None:
    """Run one statement."""
    with connect() as session:
        session.execute(statement)
