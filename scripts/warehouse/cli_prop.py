"""`warehouse prop …`: the prop-trading application's side of the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from warehouse import output

app = typer.Typer(
    cls=output.Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
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
