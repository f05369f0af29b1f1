"""The gate: OHLCV integrity of what arrived and of what is landed, before anything is built."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from warehouse import database
from warehouse.config import Home
from warehouse.errors import WarehouseError
from warehouse.quality import context, suite
from warehouse.quality.findings import RuleResult, record
from warehouse.quality.rules import load_rules, verify
from warehouse.quality.table_rules import check_tables

UNCHECKED = """
    select b.batch_id
    from ops.batches as b
    where
        b.dataset = 'bars'
        and not exists (
            select from ops.dq_results as r
            where r.batch_id = b.batch_id and r.scope = 'batch'
        )
    order by b.batch_id
"""


@dataclass(frozen=True)
class GateResult:
    """What a run of the gate found."""

    run_id: uuid.UUID
    batches: list[int]
    results: list[RuleResult] = field(default_factory=list)
    seconds: float = 0.0
    data_docs: Path | None = None
    message: str = ""

    @property
    def failures(self) -> list[RuleResult]:
        """Rules of severity error that rows in the landing table break; their rows are named."""
        return [each for each in self.results if each.failed]

    @property
    def warnings(self) -> list[RuleResult]:
        """Rules of severity warning that found something."""
        return [each for each in self.results if each.severity == "warning" and each.found]

    @property
    def success(self) -> bool:
        """True when the build may go on."""
        return not self.failures


def check(
    batches: Sequence[int] | None = None, *, docs: bool = True, table: bool | None = None
) -> GateResult:
    """Hold batches, and the landing table, to the catalogue of rules.

    Without `batches`: all that were not checked yet, and the table. With them: only those, unless
    `table` asks for it. Raises WarehouseError when a batch does not exist, or when the catalogue or
    the server is broken.
    """
    began = time.monotonic()
    run_id = uuid.uuid4()
    with database.connect("warehouse check", autocommit=True) as conn:
        wanted = _batches(conn, batches)
        tables_wanted = batches is None if table is None else table
        others = check_tables(conn, run_id) if tables_wanted else []
        if tables_wanted and not _any_bars(conn):
            tables_wanted = False
        if not wanted and not tables_wanted:
            none = "There are no bars to check: land some first."
            return GateResult(run_id, [], others, message=_summary(others) if others else none)
        importing = suite.warm_up()
        rules = load_rules()
        verify(conn, rules)
        context.drop_stale(conn)
        scopes: dict[str, list[int] | None] = {}
        if wanted:
            scopes["batch"] = wanted
        if tables_wanted:
            scopes["table"] = None
        names = {scope: context.table_name(run_id, scope) for scope in scopes}
        results: list[RuleResult] = []
        try:
            for scope, ids in scopes.items():
                context.build(conn, names[scope], batches=ids)
            importing.join()
            verdicts = suite.run_checkpoint(names, rules, Home.current(), docs=docs)
            for scope, ids in scopes.items():
                results += record(conn, names[scope], rules, run_id=run_id, batches=ids)
        finally:
            _drop(names.values())
    _agree(results, verdicts)
    results += others
    return GateResult(
        run_id,
        wanted,
        results,
        seconds=round(time.monotonic() - began, 3),
        data_docs=verdicts.data_docs,
        message=_summary(results),
    )


def _batches(conn: psycopg.Connection, batches: Sequence[int] | None) -> list[int]:
    """Return the batches to check.

    Raises WarehouseError naming those that do not exist.
    """
    try:
        if batches is None:
            return [int(row[0]) for row in conn.execute(UNCHECKED).fetchall()]
        known = conn.execute(
            "select batch_id from ops.batches where dataset = 'bars' and batch_id = any(%s)",
            [list(batches)],
        ).fetchall()
    except psycopg.errors.UndefinedTable:
        raise WarehouseError(
            "The warehouse has no landing zone yet.", do="run `warehouse migrate`"
        ) from None
    missing = sorted(set(batches) - {int(row[0]) for row in known})
    if missing:
        raise WarehouseError(
            f"There is no batch of bars {', '.join(map(str, missing))}.",
            where="ops.batches",
            do="leave the batch out to check all that were not checked yet",
        )
    return sorted(set(batches))


def _any_bars(conn: psycopg.Connection) -> bool:
    row = conn.execute("select exists (select from raw_market.bars)").fetchone()
    return bool(row and row[0])


def _drop(names: Iterable[str]) -> None:
    """Drop the tables of the run, on a session of their own: the first may have broken off."""
    with database.connect("warehouse check", autocommit=True) as conn:
        for name in names:
            context.drop(conn, name)


def _agree(results: Sequence[RuleResult], verdicts: suite.Verdicts) -> None:
    """Compare the checkpoint's verdicts with the counts.

    Raises WarehouseError when they differ, which would be a fault of the gate itself.
    """
    counted: dict[tuple[str, str], bool] = {}
    for each in results:
        key = (each.scope, each.rule)
        met = each.success if each.severity == "error" else each.found == 0
        counted[key] = counted.get(key, True) and met
    for (scope, rule), met in verdicts.met.items():
        if counted.get((scope, rule), True) != met:
            raise WarehouseError(
                f"Great Expectations and the counts of the gate differ on {rule} ({scope}).",
                where="ops.dq_results",
                do="run `warehouse check` again; if it stays, please report it",
            )


def _summary(results: Sequence[RuleResult]) -> str:
    """Say in a line what was found, and name the first rows that fail the gate."""
    failures = [each for each in results if each.failed]
    warnings = sum(each.found for each in results if each.severity == "warning")
    if not failures:
        return f"The gate is open: no bar in the landing table is broken; {warnings} are flagged."
    lines = ["The gate is closed:"]
    for each in failures:
        where = f"batch {each.batch_id}" if each.batch_id is not None else "landing table"
        lines.append(f"{each.rule} ({where}): {each.found - each.quarantined} rows")
        harmful = [row for row in each.rows if not row.detail.get("quarantined")]
        lines += [f"  {row}" for row in harmful[:5]]
    return "\n".join(lines)
