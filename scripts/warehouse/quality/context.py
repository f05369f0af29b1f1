"""The table a run of the gate works on: the bars in scope, with all that the rules ask about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

from warehouse.quality.rules import any_broken_sql, broken_rules_sql, load_rules

STATEMENTS = Path(__file__).with_name("sql")
"""The statements, one file per step; {names} in them are filled in here."""
PREFIX = "gate_bars_"
TWINS_SAMPLED_ABOVE = 200_000
"""Above so many rows, twins are looked for among every sixteenth of the times."""


def _broken_sql() -> str:
    """Return SQL for the rules a bar breaks, NULL for a good one."""
    rules = [rule for rule in load_rules() if rule.predicate]
    warnings = [rule for rule in rules if rule.severity == "warning"]
    return (
        f"case when in_quarantine then rejected_for || {broken_rules_sql(warnings)}"
        f" when {any_broken_sql(rules)} then {broken_rules_sql(rules)} end"
    )


def table_name(run_id: UUID, scope: str) -> str:
    """Return the name of the table of one scope of a run, in schema ops."""
    return f"{PREFIX}{scope}_{run_id.hex[:16]}"


def drop_stale(conn: psycopg.Connection) -> None:
    """Drop what earlier runs left behind: a run that lives holds a lock on its table's name."""
    names = conn.execute(
        "select relname from pg_class where relnamespace = 'ops'::regnamespace"
        " and relkind = 'r' and starts_with(relname, %s)",
        [PREFIX],
    ).fetchall()
    for (name,) in names:
        free = conn.execute("select pg_try_advisory_lock(hashtext(%s))", [name]).fetchone()
        if free and free[0]:
            drop(conn, name)
            conn.execute("select pg_advisory_unlock(hashtext(%s))", [name])


def drop(conn: psycopg.Connection, name: str) -> None:
    """Drop the table of a run."""
    conn.execute(sql.SQL("drop table if exists ops.{}").format(sql.Identifier(name)))


def build(conn: psycopg.Connection, name: str, *, batches: Sequence[int] | None) -> int:
    """Fill a table with the bars of some batches, or of the landing table; return their number.

    The table is visible to other sessions, because Great Expectations opens its own. The session
    must be in autocommit; it holds a lock until it ends, by which others know that the run lives.
    """
    conn.execute("select pg_advisory_lock(hashtext(%s))", [name])
    filled_in = {
        "{table}": f"ops.{name}",
        "{batches}": "array[" + ", ".join(str(int(id_)) for id_ in batches or ()) + "]::bigint[]",
        "{broken}": _broken_sql(),
    }

    def run(part: str, sample: int = 1) -> None:
        text = (STATEMENTS / f"{part}.sql").read_text(encoding="utf-8")
        for mark, value in {**filled_in, "{sample}": str(sample)}.items():
            text = text.replace(mark, value)
        conn.execute(text)

    with conn.transaction():
        conn.execute("set local work_mem = '256MB'")
        scope = "table" if batches is None else "batch"
        for part in ("functions", "days", scope, "facts", "bars"):
            run(part)
        counted = conn.execute(f"select count(*) from ops.{name}").fetchone()  # noqa: S608
        rows = int(counted[0]) if counted else 0
        run("finish")
        run("twins", 16 if rows > TWINS_SAMPLED_ABOVE else 1)
        _forget(conn)
    return rows


def _forget(conn: psycopg.Connection) -> None:
    """Drop the temporary relations, so that the session can build the next scope."""
    conn.execute("discard temp")
