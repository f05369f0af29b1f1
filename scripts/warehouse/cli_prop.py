"""`warehouse prop …`: the prop-trading application's side of the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from warehouse import output
from warehouse.errors import ExitCode

app = output.group(
    "Help an application of prop trading: docs/prop.md.",
    epilog=output.examples("warehouse prop sqlite app.db"),
)


@app.callback()
def prop() -> None:
    """Help an application of prop trading: docs/prop.md."""


@app.command(epilog=output.examples("warehouse prop sqlite app.db"))
def sqlite(
    path: Annotated[Path, typer.Argument(help="File to create.", show_default=False)],
) -> None:
    """Create a SQLite database with the schema of prop trading, its constraints and triggers."""
    from warehouse.prop import sqlite_schema

    sqlite_schema.create(path)
    output.say(f"created {path}; every connection has to say `pragma foreign_keys = on`")


def forget(
    user_id: Annotated[str, typer.Argument(help="Id of the user, a UUID.", show_default=False)],
    reason: Annotated[
        str, typer.Option(help="Why: the request by its number, no name; kept for good.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be erased.")
    ] = False,
    as_json: output.AsJson = False,
) -> None:
    """Erase the personal data of a user everywhere; ledgers keep a key that leads to nobody."""
    from warehouse.prop.forget import forget as erase

    done = erase(user_id, reason=reason, dry_run=dry_run)
    if as_json:
        output.print_json(done)
    else:
        if done.forgotten_before:
            output.say(f"forgotten already on {done.forgotten_before:%Y-%m-%d %H:%M} UTC")
        verb = "would be erased" if dry_run else "erased"
        for place, rows in done.removed.items():
            output.say(f"{verb}: {place}, {rows:,} row{'s' * (rows != 1)}")
        if not done.removed:
            output.say("nothing to erase")
        for place, rows in done.remaining.items():
            output.say(f"LEFT: {place}, {rows:,} row{'s' * (rows != 1)}: a ledger cannot change")
    if done.remaining:
        raise typer.Exit(ExitCode.FINDINGS)
