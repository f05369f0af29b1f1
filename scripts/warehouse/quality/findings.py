"""What the gate found, in ops.dq_findings and ops.dq_results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from warehouse.quality.rules import Rule

SAMPLE = 200
"""Rows of a rule that ops.dq_results repeats."""

UNREADABLE = """
    select q.batch_id, broken.rule, count(*) as rows
    from ops.quarantine as q
    cross join lateral unnest(q.rules) as broken (rule)
    where
        q.batch_id = any(%(batches)s)
        and q.dataset = 'bars'
        and q.replayed_at is null
        and (q.symbol is null or q.timeframe is null or q.bar_ts is null)
    group by 1, 2
"""
"""Quarantined rows that have no place in the context, because their key could not be read."""

RATE = """
    select
        b.batch_id,
        b.landed,
        count(q.quarantine_id) as quarantined,
        count(q.quarantine_id) filter (
            where q.symbol is null or q.timeframe is null or q.bar_ts is null
        ) as unreadable,
        b.file
    from ops.batches as b
    left join ops.quarantine as q on q.batch_id = b.batch_id and q.replayed_at is null
    where b.batch_id = any(%(batches)s)
    group by b.batch_id
    order by b.batch_id
"""

FOUND = """
    select
        batch_id,
        rule,
        sum(count)::bigint as found,
        coalesce(sum(count) filter (where detail @> '{"quarantined": true}'), 0)::bigint as held
    from ops.dq_findings
    where run_id = %(run)s and scope = %(scope)s
    group by 1, 2
"""

ROWS = """
    select source, symbol, timeframe, bar_ts, until_ts, count, detail
    from ops.dq_findings
    where
        run_id = %(run)s
        and scope = %(scope)s
        and rule = %(rule)s
        and batch_id is not distinct from %(batch)s
    order by detail @> '{"quarantined": true}', symbol, timeframe, bar_ts
    limit %(limit)s
"""

STORE = """
    insert into ops.dq_results (
        run_id, scope, batch_id, rule, tier, severity, evaluated, found, quarantined, success,
        sample
    )
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class Finding:
    """One bar, or one gap, that breaks a rule."""

    source: str
    symbol: str
    timeframe: str
    bar_ts: str
    until_ts: str | None
    count: int
    detail: dict[str, Any]

    def __str__(self) -> str:
        """Name the bar as people write it."""
        values = ", ".join(f"{name} {value}" for name, value in self.detail.items())
        until = f" to {self.until_ts}, {self.count} in all" if self.until_ts else ""
        return f"{self.symbol} {self.timeframe} {self.bar_ts}{until} ({self.source}): {values}"


@dataclass(frozen=True)
class RuleResult:
    """One rule on one batch, or on the landing table."""

    scope: str
    batch_id: int | None
    rule: str
    tier: str
    severity: str
    evaluated: int
    found: int
    quarantined: int
    rows: list[Finding] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """True when no row that breaks the rule is in the landing table."""
        return self.found <= self.quarantined

    @property
    def failed(self) -> bool:
        """True when the rule stops the build."""
        return self.severity == "error" and not self.success


def _by_rule(rules: Sequence[Rule], pick: str, default: str) -> str:
    """Return SQL that takes another column for some of the rules."""
    cases = {rule.id: _picked(rule, pick) for rule in rules}
    whens = [f"when '{rule}' then g.{column}" for rule, column in cases.items() if column]
    return f"case r.rule {' '.join(whens)} else {default} end" if whens else default


def _picked(rule: Rule, pick: str) -> str | None:
    if pick == "count" or rule.gap is None:
        return rule.count if pick == "count" else None
    return rule.gap[0] if pick == "from" else rule.gap[1]


def _detail(rules: Sequence[Rule]) -> str:
    """Return SQL for the columns that a rule shows."""
    shown: dict[tuple[str, ...], list[str]] = {}
    for rule in rules:
        shown.setdefault(rule.shows, []).append(f"'{rule.id}'")
    whens = [
        f"when r.rule in ({', '.join(ids)}) then jsonb_build_object("
        + ", ".join(f"'{name}', g.{name}" for name in columns)
        + ")"
        for columns, ids in shown.items()
    ]
    return "case " + " ".join(whens) + " end"


def insert_sql(table: str, rules: Sequence[Rule], scope: str) -> str:
    """Return the one statement that writes every finding of a scope."""
    batch = "g.batch_id" if scope == "batch" else "null"
    return f"""
        insert into ops.dq_findings (
            run_id, scope, batch_id, rule, source, symbol, instrument_id, timeframe,
            bar_ts, until_ts, count, detail
        )
        select
            %(run)s, %(scope)s, {batch}, r.rule, g.source, g.symbol, nullif(g.instrument_id, 0),
            g.timeframe,
            {_by_rule(rules, "from", "g.bar_ts")},
            {_by_rule(rules, "until", "null")},
            {_by_rule(rules, "count", "1")},
            {_detail(rules)}
            || case when g.in_quarantine then '{{"quarantined": true}}' else '{{}}' end::jsonb
        from ops.{table} as g
        cross join lateral unnest(g.broken) as r (rule)
        where g.broken is not null
    """  # noqa: S608 (names and rules of our own)


def record(
    conn: psycopg.Connection,
    table: str,
    rules: Sequence[Rule],
    *,
    run_id: UUID,
    batches: Sequence[int] | None,
) -> list[RuleResult]:
    """Write the findings and results of one scope; return the results.

    Findings are kept of the newest run only, for the table and for each batch: a table of a million
    bars has the same zero volumes every night. ops.dq_results keeps the counts of every run.
    """
    scope = "table" if batches is None else "batch"
    facts = {"run": run_id, "scope": scope, "batches": list(batches or ())}
    with conn.transaction():
        conn.execute(
            "delete from ops.dq_findings where scope = %(scope)s and run_id <> %(run)s"
            " and (batch_id is null or batch_id = any(%(batches)s))",
            facts,
        )
        conn.execute(insert_sql(table, rules, scope), facts)
        found = {
            (batch, rule): (int(rows), int(bad))
            for batch, rule, rows, bad in conn.execute(FOUND, facts).fetchall()
        }
        evaluated = _evaluated(conn, table, facts)
        results = []
        if batches is not None:
            for batch, rule, rows in conn.execute(UNREADABLE, facts).fetchall():
                before = found.get((batch, rule), (0, 0))
                found[batch, rule] = (before[0] + rows, before[1] + rows)
            results.extend(_rate(conn, rules, facts))
        for batch, rows in evaluated.items():
            for rule in rules:
                if rule.id == "quarantine_rate" or (batches is None and rule.scope == "parse"):
                    continue
                total, bad = found.get((batch, rule.id), (0, 0))
                results.append(_result(conn, rule, facts, batch, rows, total, bad))
        store(conn, run_id, results)
    return results


def _evaluated(
    conn: psycopg.Connection, table: str, facts: dict[str, Any]
) -> dict[int | None, int]:
    """Return how many rows each batch, or the table, was judged by."""
    if facts["scope"] == "table":
        row = conn.execute(f"select count(*) from ops.{table}").fetchone()  # noqa: S608
        return {None: int(row[0]) if row else 0}
    counted: dict[int, int] = dict(
        conn.execute(f"select batch_id, count(*) from ops.{table} group by 1").fetchall()  # noqa: S608
    )
    return {
        batch: int(counted.get(batch, 0)) + int(unreadable)
        for batch, _, _, unreadable, _ in conn.execute(RATE, facts).fetchall()
    }


def _result(
    conn: psycopg.Connection,
    rule: Rule,
    facts: dict[str, Any],
    batch: int | None,
    evaluated: int,
    found: int,
    quarantined: int,
) -> RuleResult:
    rows: list[Finding] = []
    if found:
        asked = {**facts, "rule": rule.id, "batch": batch, "limit": SAMPLE}
        with conn.cursor(row_factory=dict_row) as cursor:
            for row in cursor.execute(ROWS, asked):
                row["bar_ts"] = told_time(row["bar_ts"])
                row["until_ts"] = told_time(row["until_ts"]) if row["until_ts"] else None
                rows.append(Finding(**row))
    return RuleResult(
        scope=facts["scope"],
        batch_id=batch,
        rule=rule.id,
        tier=rule.tier,
        severity=rule.severity,
        evaluated=evaluated,
        found=found,
        quarantined=quarantined,
        rows=rows,
    )


def told_time(value: Any) -> str:  # noqa: ANN401 (a datetime of psycopg)
    """Return a time as people write it: a day alone when it is midnight UTC."""
    text = f"{value:%Y-%m-%d %H:%M:%S}"
    return text.removesuffix(" 00:00:00") if text.endswith(" 00:00:00") else f"{text}Z"


def _rate(
    conn: psycopg.Connection, rules: Sequence[Rule], facts: dict[str, Any]
) -> list[RuleResult]:
    """Judge each batch as a whole: more than half in quarantine is a wrong file or profile."""
    results = []
    rule = next(rule for rule in rules if rule.id == "quarantine_rate")
    for batch, landed, quarantined, _, file in conn.execute(RATE, facts).fetchall():
        over = quarantined * 2 > landed
        told = Finding("", file, "", f"batch {batch}", None, quarantined,
                       {"landed": landed, "quarantined": quarantined})  # fmt: skip
        results.append(
            RuleResult(
                scope="batch",
                batch_id=batch,
                rule=rule.id,
                tier=rule.tier,
                severity=rule.severity,
                evaluated=landed,
                found=quarantined if over else 0,
                quarantined=0,
                rows=[told] if over else [],
            )
        )
    return results


def store(conn: psycopg.Connection, run_id: UUID, results: Sequence[RuleResult]) -> None:
    """Write the results."""
    with conn.cursor() as cursor:
        cursor.executemany(
            STORE,
            [
                (
                    run_id,
                    each.scope,
                    each.batch_id,
                    each.rule,
                    each.tier,
                    each.severity,
                    each.evaluated,
                    each.found,
                    each.quarantined,
                    each.success,
                    Jsonb([vars(row) for row in each.rows]),
                )
                for each in results
            ],
        )
