"""`warehouse migrate`: the schema by versions, rehearsed, compared, taken back."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from warehouse import output
from warehouse.errors import ExitCode, WarehouseError


def migrate(
    status: Annotated[bool, typer.Option("--status", help="Only say what was run.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the SQL and try it on a clone.")
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare the schema with what the versions declare.")
    ] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Take back the last one.")] = False,
    steps: Annotated[int, typer.Option(min=1, help="With --rollback: how many.")] = 1,
    as_json: output.AsJson = False,
) -> None:
    """Run the pending migrations, each in a transaction of its own."""
    from warehouse import migrate as migrations

    if status + dry_run + compare + rollback > 1:
        raise WarehouseError(
            "--status, --dry-run, --compare and --rollback exclude each other.", do="pick one"
        )
    if dry_run:
        printed = migrations.dry_run()
        sys.stdout.write(
            f"{printed}-- ran on a clone of the schema without an error\n"
            if printed
            else "-- nothing is pending\n"
        )
        return
    if compare:
        _compare(as_json)
        return
    if not status:
        done = migrations.rollback(steps) if rollback else migrations.migrate()
        verb = "taken back" if rollback else "applied"
        if not as_json:
            output.say(f"{verb}: {', '.join(done)}" if done else "nothing to do")
            return
    states = migrations.status()
    if as_json:
        output.print_json({"migrations": states})
        return
    output.table(
        ("version", "name", "state", "applied", "seconds", "sha256", "last error"),
        [
            (s.version, s.name, s.state, s.applied_at, s.seconds, s.checksum[:12], s.last_error)
            for s in states
        ],
    )


def _compare(as_json: bool) -> None:
    """Print what is not as declared; exit 1 when something is not."""
    from warehouse import schema

    found = schema.differences()
    if as_json:
        output.print_json({"differences": found})
    elif found:
        output.table(("found", "kind", "name"), [(d.found, d.kind, d.name) for d in found])
        output.say(f"{len(found)} objects are not as the migrations declare them")
    else:
        output.say("the schema is what the migrations declare")
    if found:
        raise typer.Exit(ExitCode.FINDINGS)
