"""`warehouse physical …`: how tables are stored, compared with what is declared, and made so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse import output
from warehouse.errors import ExitCode

if TYPE_CHECKING:
    from warehouse.physical.plan import Difference

app = output.group(
    "How tables are stored: chunks, partitions and indexes, as declared in dbt.",
    epilog=output.examples(
        "warehouse physical plan",
        "warehouse physical apply",
        "warehouse physical drift --json",
    ),
)


@app.command(
    epilog=output.examples("warehouse physical plan", "warehouse physical plan --json")
    + "\n\nExit codes: 0 everything is as declared; 1 something differs; 2 error.",
)
def plan(as_json: output.AsJson = False) -> None:
    """Show what differs from the declared design, and the SQL that makes it true."""
    found = _found()
    differing = [each for each in found if each.kind != "finding"]
    findings = [each for each in found if each.kind == "finding"]
    if as_json:
        output.print_json({"differences": differing, "findings": findings})
    else:
        for each in [*differing, *findings]:
            _show(each)
        names = f"{len(differing)} differences" if differing else "everything is as declared"
        output.say(f"{names}; {len(findings)} findings for people to judge" if findings else names)
    if differing:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command(
    epilog=output.examples(
        "warehouse physical apply",
        "warehouse physical apply --rewrite",
        "warehouse physical apply --drop-expired",
    )
    + "\n\nExit codes: 0 everything is as declared; 1 something was left, with why; 2 error.",
)
def apply(
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Also what locks a table above 100 MB for long.")
    ] = False,
    drop_expired: Annotated[
        bool, typer.Option("--drop-expired", help="Also drop what ops.retention_policy lets go.")
    ] = False,
    as_json: output.AsJson = False,
) -> None:
    """Make the declared design true, one statement at a time; safe to repeat."""
    from warehouse.physical import apply as applying
    from warehouse.physical import wishes

    def tell(step: Difference) -> None:
        if not as_json:
            _show(step)

    result = applying.apply(
        wishes.declared(), rewrite=rewrite, drop_expired=drop_expired, tell=tell
    )
    if as_json:
        output.print_json(result)
    else:
        for name, why in result.left.items():
            output.say(f"left: {name}, {why}")
        output.say(f"{len(result.done)} made true, {len(result.left)} left")
    if result.left:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command(
    epilog=output.examples("warehouse physical drift", "warehouse physical drift --json")
    + "\n\nExit codes: 0 nothing; 1 something drifted; 2 error.",
)
def drift(as_json: output.AsJson = False) -> None:
    """Check every night: differences, and what no declaration says but somebody should know.

    Undeclared indexes, more than 500 parts, parts that outgrew memory, rows without a partition.
    """
    found = _found()
    if as_json:
        output.print_json({"drift": found})
    else:
        output.table(
            ("table", "wish", "is", "should be", "why"),
            [(e.relation, e.wish, e.is_now, e.should_be, e.why) for e in found],
        )
    if found:
        raise typer.Exit(ExitCode.FINDINGS)


def _found() -> Sequence[Difference]:
    from warehouse import database
    from warehouse.physical import wishes
    from warehouse.physical.plan import differences

    declared = wishes.declared()
    with database.connect("warehouse physical") as session:
        return differences(session, declared)


def _show(each: Difference) -> None:
    """Print one difference with its SQL, to be read or copied."""
    mark = {"difference": "~", "expired": "-", "finding": "?"}[each.kind]
    output.say(f"{mark} {each.relation}, {each.wish}: is {each.is_now}, should be {each.should_be}")
    output.say(f"    because: {each.why}")
    for statement in each.sql:
        output.say(f"    {'perhaps: ' if each.kind == 'finding' else ''}{statement};")
