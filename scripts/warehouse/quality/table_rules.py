"""Rules for landed rows that are no bars: each is one query over its table."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from uuid import UUID

import psycopg
import yaml
from psycopg import sql
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from warehouse.errors import WarehouseError
from warehouse.quality.findings import SAMPLE, Finding, RuleResult, store, told_time
from warehouse.quality.rules import Severity, Tier

CATALOGUE = Path(__file__).with_name("table_rules.yml")

COLUMNS = """
    select
        array_agg(attname::text order by attnum),
        array_agg(attname::text) filter (where attnum = any(conkey) and attname <> 'revision')
    from pg_attribute
    inner join pg_constraint on conrelid = attrelid and contype = 'p'
    where attrelid = %s::regclass and attnum > 0 and not attisdropped
"""

FIND = """
    insert into ops.dq_findings (
        run_id, scope, rule, source, symbol, instrument_id, timeframe, bar_ts, detail
    )
    select %(run)s, 'table', %(rule)s, landed.source, {symbol}, {instrument}, {timeframe},
        landed.{at}, jsonb_build_object('table', %(table)s::text{shows})
    from {table} as landed
    where {newest} and ({predicate})
"""

ROWS = """
    select source, symbol, timeframe, bar_ts, until_ts, count, detail
    from ops.dq_findings
    where run_id = %(run)s and rule = %(rule)s
    order by symbol, bar_ts, detail::text
    limit %(limit)s
"""


class TableRule(BaseModel):
    """One rule about the rows of a landing table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{2,62}$")
    table: str = Field(pattern=r"^raw_[a-z]+\.[a-z_]+$")
    at: str
    tier: Tier
    severity: Severity
    predicate: str
    shows: tuple[str, ...]
    reason: str = Field(min_length=10)
    why: str = Field(min_length=10)
    example: str = Field(min_length=5)
    remedy: str = Field(min_length=5)


@cache
def load_table_rules() -> tuple[TableRule, ...]:
    """Return the rules, in the order of the catalogue.

    Raises WarehouseError when it is not sound.
    """
    try:
        raw = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
        return tuple(TypeAdapter(list[TableRule]).validate_python(raw))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise WarehouseError(
            f"The catalogue of quality rules is broken: {error}",
            where=str(CATALOGUE),
            do="correct the file; its head says what each key means",
        ) from None


def check_tables(conn: psycopg.Connection, run_id: UUID) -> list[RuleResult]:
    """Evaluate every rule over its table; tables without rows give no result."""
    results = []
    with conn.transaction():
        rules = load_table_rules()
        conn.execute(
            "delete from ops.dq_findings where scope = 'table' and rule = any(%s)",
            [[rule.id for rule in rules]],
        )
        counted: dict[str, int] = {}
        for rule in rules:
            table = sql.Identifier(*rule.table.split("."))
            columns, newest = _shape(conn, rule)
            if rule.table not in counted:
                count = sql.SQL("select count(*) from {} as landed where {}").format(table, newest)
                row = conn.execute(count).fetchone()
                counted[rule.table] = int(row[0]) if row else 0
            if counted[rule.table]:
                results.append(_check(conn, rule, run_id, columns, newest, counted[rule.table]))
        store(conn, run_id, results)
    return results


def _shape(conn: psycopg.Connection, rule: TableRule) -> tuple[set[str], sql.Composable]:
    """Return the columns of a table, and the condition that a row is the newest of its key."""
    row = conn.execute(COLUMNS, [rule.table]).fetchone()
    columns, key = (set(row[0]), row[1]) if row and row[0] else (set(), [])
    newest: list[sql.Composable] = [sql.SQL("true")]
    if "revision" in columns:
        same = [sql.SQL("later.{0} = landed.{0}").format(sql.Identifier(name)) for name in key]
        newest = [
            sql.SQL(
                "not exists (select from {} as later where {} and later.revision > landed.revision)"
            ).format(sql.Identifier(*rule.table.split(".")), sql.SQL(" and ").join(same))
        ]
    if "is_withdrawn" in columns:
        newest.append(sql.SQL("not landed.is_withdrawn"))
    return columns, sql.SQL(" and ").join(newest)


def _check(
    conn: psycopg.Connection,
    rule: TableRule,
    run_id: UUID,
    columns: set[str],
    newest: sql.Composable,
    evaluated: int,
) -> RuleResult:
    def column(name: str, absent: str) -> sql.Composable:
        return sql.Identifier("landed", name) if name in columns else sql.SQL(absent)

    shows = [
        sql.SQL(", {}, {}").format(sql.Literal(name), sql.Identifier("landed", name))
        for name in rule.shows
    ]
    facts = {"run": run_id, "rule": rule.id, "table": rule.table, "limit": SAMPLE}
    query = sql.SQL(FIND).format(
        table=sql.Identifier(*rule.table.split(".")),
        symbol=column("symbol", "''"),
        instrument=column("instrument_id", "null"),
        timeframe=column("timeframe", "''"),
        at=sql.Identifier(rule.at),
        shows=sql.Composed(shows),
        newest=newest,
        predicate=sql.SQL(rule.predicate),  # a rule of our own
    )
    try:
        found = conn.execute(query, facts).rowcount
    except psycopg.Error as error:
        raise WarehouseError(
            f"The rule {rule.id} cannot be evaluated: {str(error).splitlines()[0]}",
            where=str(CATALOGUE),
            do="correct its predicate; `warehouse migrate` if the table is not there yet",
        ) from None
    rows = []
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(ROWS, facts):
            rows.append(Finding(**{**row, "bar_ts": told_time(row["bar_ts"])}))
    return RuleResult("table", None, rule.id, rule.tier, rule.severity, evaluated, found, 0, rows)
