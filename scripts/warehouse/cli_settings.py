"""`warehouse settings`: the settings of a server or of PgBouncer, sized, each with its reason."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from warehouse import output

EPILOG = output.examples(
    "warehouse settings server --memory 32 --cores 8 > postgresql.conf",
    "warehouse settings server --no-timescale",
    "warehouse settings pgbouncer --host db.firm.example > pgbouncer.ini",
)


class Kind(StrEnum):
    """What the settings are for."""

    SERVER = "server"
    EMBEDDED = "embedded"
    PGBOUNCER = "pgbouncer"


def settings(
    kind: Annotated[Kind, typer.Argument(help="server, embedded or pgbouncer.")],
    memory: Annotated[
        int | None, typer.Option(min=1, help="Memory of its machine in GB (default: this one's).")
    ] = None,
    cores: Annotated[int | None, typer.Option(min=1, help="Its cores (default: ours).")] = None,
    host: Annotated[str, typer.Option(help="With pgbouncer: where the server is.")] = "127.0.0.1",
    timescale: Annotated[bool, typer.Option(help="With server: TimescaleDB is there.")] = True,
) -> None:
    """Print tuned settings, from memory and cores; nothing is changed."""
    from warehouse import server_settings

    here = server_settings.Machine.here(Path.cwd())
    machine = replace(
        here, memory=memory * 1024 if memory else here.memory, cores=cores or here.cores
    )
    if kind is Kind.SERVER:
        text = server_settings.render_server(machine, timescale=timescale)
    elif kind is Kind.EMBEDDED:
        text = server_settings.render(machine, 5432)
    else:
        text = server_settings.render_pgbouncer(machine, host)
    typer.echo(text, nl=False)
