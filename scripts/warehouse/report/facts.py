"""Collect what the report shows; a table that does not exist yet leaves its part empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from warehouse.report import queries

Row = dict[str, Any]

LIMITS = {
    **{"quarantine": 40, "series": 40, "gaps": 15, "batches": 30, "runs": 30},
    **{"prices": 4, "points": 260},
}
"""Rows shown: the page stays small on a warehouse of any size."""

MAX_PERIODS = 120
"""Columns of a coverage heatmap: more cannot be told apart on a screen."""

PERIODS = {
    "day": "f.session_date",
    "month": "date_trunc('month', f.session_date)::date",
    "quarter": "date_trunc('quarter', f.session_date)::date",
    "year": "date_trunc('year', f.session_date)::date",
}


@dataclass
class Coverage:
    """How much of each feature is filled, by period, for one timeframe."""

    timeframe: str
    unit: str
    first_day: date
    last_day: date
    periods: list[date]
    features: list[str]
    families: list[str]
    bars: list[int]
    filled: list[list[int]]
    """By feature, then by period."""


@dataclass
class Prices:
    """The latest bars of one series with its indicators."""

    symbol: str
    timeframe: str
    timezone: str
    currency: str | None
    bars: int
    rows: list[Row]


@dataclass
class Facts:
    """Everything the report shows."""

    made_at: datetime
    database: str
    server: str
    missing: list[str] = field(default_factory=list)
    headline: Row = field(default_factory=dict)
    last_build: datetime | None = None
    features: int = 0
    gate: Row | None = None
    health: list[Row] = field(default_factory=list)
    quarantine_rules: list[Row] = field(default_factory=list)
    quarantine_rows: list[Row] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    prices: list[Prices] = field(default_factory=list)
    series: list[Row] = field(default_factory=list)
    gaps: list[Row] = field(default_factory=list)
    batches: list[Row] = field(default_factory=list)
    models: list[Row] = field(default_factory=list)
    runs: list[Row] = field(default_factory=list)


NEEDED = {
    "raw_market.bars": "warehouse migrate",
    "ops.dq_results": "warehouse migrate",
    "ops.model_runs": "warehouse migrate",
    "ref.feature_catalog": "warehouse build",
    "marts.feature_engineered_data": "warehouse build",
}
"""Tables the report reads, and the command that makes them."""


def collect(session: psycopg.Connection[Any]) -> Facts:
    """Ask for everything in one snapshot, so that the numbers agree with each other."""
    session.rollback()
    session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    session.read_only = True
    with session.cursor(row_factory=dict_row) as ask, session.transaction():
        facts = Facts(
            made_at=datetime.now(UTC),
            database=session.info.dbname,
            server=session.info.parameter_status("server_version") or "",
            missing=[name for name in NEEDED if not exists(ask, name)],
        )
        if "raw_market.bars" not in facts.missing:
            _landing_zone(ask, facts)
        if not {"marts.feature_engineered_data", "ref.feature_catalog"} & set(facts.missing):
            _features(ask, facts)
    return facts


def exists(ask: psycopg.Cursor[Row], name: str) -> bool:
    """Say whether a relation exists."""
    answer = one(ask, "select to_regclass(%(name)s) is not null as there", {"name": name})
    return bool(answer["there"])


def every(
    ask: psycopg.Cursor[Row], text: str, values: Mapping[str, Any] | None = None
) -> list[Row]:
    """Return the rows of a statement."""
    return ask.execute(text.encode(), values).fetchall()


def one(ask: psycopg.Cursor[Row], text: str, values: Mapping[str, Any] | None = None) -> Row:
    """Return the only row of a statement."""
    return (every(ask, text, values) or [{}])[0]


def _landing_zone(ask: psycopg.Cursor[Row], facts: Facts) -> None:
    """Collect what landed, what the gate said of it and what was built."""
    facts.headline = one(ask, queries.HEADLINE)
    facts.gate = one(ask, queries.GATE) or None
    facts.health = every(ask, queries.HEALTH)
    facts.quarantine_rules = every(ask, queries.QUARANTINE_RULES)
    limit = {"limit": LIMITS["quarantine"]}
    facts.quarantine_rows = every(ask, queries.QUARANTINE_ROWS, limit)
    facts.series = every(ask, queries.SERIES)
    facts.gaps = every(ask, queries.GAPS, {"limit": LIMITS["gaps"]})
    facts.batches = every(ask, queries.BATCHES, {"limit": LIMITS["batches"]})
    facts.last_build = one(ask, queries.LAST_BUILD)["finished_at"]
    facts.models = every(ask, queries.LATEST_RUN)
    facts.runs = every(ask, queries.RUNS, {"limit": LIMITS["runs"]})[::-1]


def _features(ask: psycopg.Cursor[Row], facts: Facts) -> None:
    """Collect coverage and prices from the published mart."""
    facts.features = one(ask, queries.FEATURE_COUNT)["features"]
    catalogue = every(
        ask,
        """
        select f.name, f.family from ref.feature_catalog as f
        inner join information_schema.columns as c
            on c.table_schema = 'marts' and c.table_name = 'feature_engineered_data'
            and c.column_name = f.name
        order by c.ordinal_position
        """,
    )
    kept = exists(ask, "marts.feature_coverage")
    spans = every(ask, queries.SPANS_KEPT if kept else queries.SPANS_COUNTED)
    facts.coverage = [_coverage(ask, span, catalogue, kept=kept) for span in spans]
    for chosen in every(ask, queries.PRICE_SERIES, {"limit": LIMITS["prices"]}):
        rows = every(ask, queries.PRICES, {**chosen, "limit": LIMITS["points"]})
        facts.prices.append(
            Prices(
                symbol=chosen["symbol"],
                timeframe=chosen["timeframe"],
                timezone=rows[0]["timezone"],
                currency=rows[0]["currency"],
                bars=chosen["bars"],
                rows=rows,
            )
        )


def period_unit(span: Row) -> str:
    """Return the shortest period with which a span still fits into a heatmap."""
    months = (span["last_day"] - span["first_day"]).days / 30.4 + 1
    fits = {"day": span["days"], "month": months, "quarter": months / 3}
    return next((unit for unit, count in fits.items() if count <= MAX_PERIODS), "year")


def _coverage(ask: psycopg.Cursor[Row], span: Row, catalogue: list[Row], *, kept: bool) -> Coverage:
    """Return what is filled, by feature and period, of a timeframe."""
    unit = period_unit(span)
    names = [row["name"] for row in catalogue]
    counts = sql.SQL(", ").join(sql.SQL("count({})").format(sql.Identifier("f", n)) for n in names)
    text = queries.COVERAGE_KEPT if kept else queries.COVERAGE_COUNTED
    statement = sql.SQL(text).format(period=sql.SQL(PERIODS[unit]), counts=counts)
    rows = ask.execute(statement, {"timeframe": span["timeframe"], "names": names}).fetchall()
    return Coverage(
        timeframe=span["timeframe"],
        unit=unit,
        first_day=span["first_day"],
        last_day=span["last_day"],
        periods=[row["period"] for row in rows],
        features=names,
        families=[row["family"] for row in catalogue],
        bars=[row["bars"] for row in rows],
        filled=[[row["filled"][k] for row in rows] for k in range(len(names))],
    )
