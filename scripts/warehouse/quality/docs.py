"""docs/data_quality.md, written from the catalogue (`python -m warehouse.quality.docs`)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from warehouse.config import PROJECT
from warehouse.errors import ExitCode
from warehouse.quality.rules import GATE_CONTEXT, LOADER_CONTEXT, Rule, load_rules
from warehouse.quality.table_rules import TableRule, load_table_rules

DOCUMENT = PROJECT / "docs" / "data_quality.md"

HEAD = """\
<!-- Written by `python -m warehouse.quality.docs` from scripts/warehouse/quality/rules.yml
and table_rules.yml. -->

# Data quality of bars

Every bar is held to one catalogue of rules, `scripts/warehouse/quality/rules.yml`. From it are
made the expression by which the loader quarantines rows, the suites of Great Expectations and
this page; a test proves that the constraint of `raw_market.bars` gives the same verdicts.

## What happens to a bad bar

A row that breaks a rule of severity **error** never reaches `raw_market.bars`. It lies whole in
`ops.quarantine`, with every rule that it breaks. Repair its payload and move it:

```sql
update ops.quarantine set payload = payload || '{"open": "88.25"}' where quarantine_id = 17;
```

```console
$ warehouse land --replay
```

Rules of severity **warning** only flag: the bar is landed, features are built from it, and
`ops.dq_findings` tells which it is.

## The gate

`warehouse check` looks at two scopes, in one checkpoint of Great Expectations. Its pages are
under `reports/data_docs/` in the home of the warehouse.

- **batch**, each that was not checked yet: all that arrived, accepted rows and quarantined ones
  whose symbol and time can be read. The gate is closed when an accepted row breaks a rule of
  severity error, or when more than half of the batch is in quarantine. Rows in quarantine are
  counted, but harm nobody.
- **table**: the latest revision of every landed bar. The gate is closed when one of them breaks
  a rule of severity error, however it got there.

Exit code 0: open. 1: closed, and the message names the rows. 2: the check itself did not run.

`ops.dq_results` has one row per run, scope and rule, with the number of rows looked at, found,
and in quarantine. `ops.dq_findings` has every row found by the newest run over a batch or over
the table. What is absent is told as ranges: one row with the first missing time, the end
(exclusive) and the count.

A series, for the rules that need neighbours, is one instrument, timeframe, source and
adjustment. The bars of a batch are seen among those landed before it, so one new day is compared
with the day before. Bars are expected where the grid of the timeframe overlaps a session of the
exchange's calendar, breaks excepted. With the calendar 24/7, a gap of more than a day counts as
a weekend and not as missing bars.

"""

CONTEXT = """
## Columns that predicates may use

A predicate is true for a bad bar; false and NULL are good. NaN is greater than every number in
PostgreSQL, so it passes `> 0`: the rules say so where it matters. Rules of scope row and severity
error are evaluated by the loader and use only the columns marked so.

| column | type | known to the loader |
|---|---|---|
"""


OTHERS = """
## Rules for other landing tables

What the constraints of a table refuse is in the table itself, with the sentence that
`ops.quarantine` shows. These rules, of `scripts/warehouse/quality/table_rules.yml`, are for what
must land, because it is what was sent, and must be seen. `warehouse check` evaluates them over the
newest revision of every row; `ops.dq_findings` names the rows, with their table in `detail`.
"""


def render(rules: Sequence[Rule], others: Sequence[TableRule]) -> str:
    """Return the page."""
    parts = [HEAD, "## Rules\n\n| rule | tier | severity | scope |\n|---|---|---|---|\n"]
    parts += [
        f"| [{rule.id}](#{rule.id}) | {rule.tier} | {rule.severity} | {rule.scope} |\n"
        for rule in rules
    ]
    for tier in ("structural", "logical", "analytical"):
        parts.append(f"\n## Tier: {tier}\n")
        parts += [_section(rule) for rule in rules if rule.tier == tier]
    parts.append(CONTEXT)
    parts += [
        f"| `{name}` | {kind} | {'yes' if name in LOADER_CONTEXT else ''} |\n"
        for name, kind in GATE_CONTEXT.items()
    ]
    parts.append(OTHERS)
    parts += [_other(rule) for rule in others]
    return "".join(parts)


def _section(rule: Rule) -> str:
    how = f"```sql\n{rule.predicate}\n```" if rule.predicate else HOW[rule.scope]
    return (
        f"\n### {rule.id}\n\n"
        f"Severity: {rule.severity}. Scope: {rule.scope}.\n\n"
        f"#### What it shows\n\n{rule.reason}\n\n{how}\n\n"
        f"#### Example\n\n{rule.example}\n\n"
        f"#### Reason\n\n{rule.why}\n\n"
        f"#### Remedy\n\n{rule.remedy}\n"
    )


def _other(rule: TableRule) -> str:
    return (
        f"\n### {rule.id}\n\n"
        f"Table: `{rule.table}`. Severity: {rule.severity}. Tier: {rule.tier}.\n\n"
        f"{rule.reason}\n\n```sql\n{rule.predicate}\n```\n\n"
        f"- Example: {rule.example}\n- Reason: {rule.why}\n- Remedy: {rule.remedy}\n"
    )


HOW = {
    "parse": "Decided by the loader while it reads the file.",
    "cross": "Decided by the gate from the counts of the batch.",
}


def main(arguments: Sequence[str], document: Path = DOCUMENT) -> ExitCode:
    """Write the page, or with --check say whether it is what the catalogue gives."""
    page = render(load_rules(), load_table_rules())
    if "--check" not in arguments:
        document.parent.mkdir(parents=True, exist_ok=True)
        document.write_text(page, encoding="utf-8")
        return ExitCode.OK
    if document.exists() and document.read_text(encoding="utf-8") == page:
        return ExitCode.OK
    print(
        f"{document} is not what the catalogue gives.\n"
        "what to do: run `python -m warehouse.quality.docs` and commit the page",
        file=sys.stderr,
    )
    return ExitCode.FINDINGS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
