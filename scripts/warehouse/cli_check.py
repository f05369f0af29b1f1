"""`warehouse check`: what the gate found, for people and for programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warehouse import output

if TYPE_CHECKING:
    from warehouse.quality.gate import GateResult

ROWS = 200
"""Rows of a rule in the JSON, as many as ops.dq_results keeps; ops.dq_findings has them all."""


def print_gate_json(result: GateResult) -> None:
    """Print the result for a program."""
    results = [replace(each, rows=each.rows[:ROWS]) for each in result.results]
    output.print_json(replace(result, results=results))


def print_gate(result: GateResult) -> None:
    """Print the rules that found something, worst first, and the verdict."""
    found = [each for each in result.results if each.found]
    found.sort(key=lambda each: (not each.failed, each.severity, -each.found))
    if found:
        output.table(
            ("verdict", "scope", "rule", "tier", "found", "quarantined"),
            [
                (
                    "FAILED" if r.failed else "harmless" if r.severity == "error" else "flagged",
                    r.scope if r.batch_id is None else f"{r.scope} {r.batch_id}",
                    r.rule,
                    r.tier,
                    r.found,
                    r.quarantined,
                )
                for r in found
            ],
        )
    output.say(result.message)
    if found:
        query = "select rule, symbol, bar_ts, detail from ops.dq_findings where run_id ="
        output.say(f"every row: {query} '{result.run_id}';")
    if result.data_docs:
        output.say(f"data docs: {result.data_docs}")
