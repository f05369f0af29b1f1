"""What the commands print: tables and JSON on stdout, progress and errors on stderr."""

from __future__ import annotations

import dataclasses
import errno
import json
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from typer.core import TyperGroup

from warehouse.errors import ExitCode, WarehouseError

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
"""Option of every command whose answer a program might read."""

PIPED_WIDTH = 160
"""Width of tables that go to a file or a pipe, where rich would assume 80 and break lines."""


def console(*, stderr: bool = False) -> Console:
    """Return the console of stdout or stderr."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr,
        highlight=False,
        width=None if stream.isatty() else PIPED_WIDTH,
        soft_wrap=False,
    )


def say(text: str) -> None:
    """Print one line for people."""
    console().print(text, markup=False, soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print rows under headings; numbers to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    body = [list(row) for row in rows]
    shown = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numbers = bool(body) and all(isinstance(row[index], int | float) for row in body)
        shown.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in body:
        shown.add_row(*[Text(readable(value)) for value in row])
    console().print(shown)


def readable(value: object) -> str:
    """Return a value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}" if value >= 1 else f"{value:.2f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    return str(value)


def print_json(value: object) -> None:
    """Print a value, dataclasses included, as JSON on stdout."""
    sys.stdout.write(json.dumps(plain(value), indent=2) + "\n")


def plain(value: object) -> Any:  # noqa: ANN401 (what json.dumps takes)
    """Return a value made of what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        if hasattr(value, "success"):  # a property of builds and of the gate
            fields["success"] = plain(value.success)
        return fields
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value != value:
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


class Progress(Protocol):
    """Told how far a named piece of work is."""

    def __call__(self, name: str, position: int, size: int | None) -> None:
        """Take how much is done, of how much."""


@contextmanager
def progress() -> Iterator[Progress | None]:
    """Give a function (name, position, total) that moves a bar; None when stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    tasks: dict[str, TaskID] = {}
    layout = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Bar(*layout, TimeElapsedColumn(), console=console(stderr=True), transient=True) as bar:

        def move(name: str, position: int, size: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(Path(name).name, total=size)
            bar.update(tasks[name], completed=position, total=size)

        yield move


def explain(error: BaseException) -> WarehouseError | None:
    """Return what a person can act on, for the failures that are no fault of the program."""
    import psycopg

    if isinstance(error, WarehouseError):
        return error
    full = isinstance(error, psycopg.errors.DiskFull) or (
        isinstance(error, OSError) and error.errno == errno.ENOSPC
    )
    if full:
        return WarehouseError(
            f"The disk is full: {str(error).strip()}",
            do="free some space and repeat the command; nothing was half-written",
        )
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
        return WarehouseError(
            f"The database lacks a table: {str(error).strip().splitlines()[0]}",
            do="bring the schema up to date with `warehouse migrate`",
        )
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return WarehouseError(
            f"Somebody holds a lock for too long: {str(error).strip().splitlines()[0]}",
            do="see who: select pid, application_name, state, query from pg_stat_activity",
        )
    if isinstance(error, psycopg.OperationalError):
        return WarehouseError(
            f"The connection to the warehouse was lost: {str(error).strip().splitlines()[0]}",
            do="look at `warehouse status` and repeat the command; nothing was half-written",
        )
    return None


def print_error(error: WarehouseError) -> None:
    """Print what, where and what to do on stderr."""
    shown = console(stderr=True)
    shown.print(f"error: {error.what}", markup=False, style="bold red", soft_wrap=True)
    for label, text in (("where", error.where), ("what to do", error.do)):
        if text:
            shown.print(f"  {label}: {text}", markup=False, soft_wrap=True)


class Commands(TyperGroup):
    """Turns every failure of a command into a message and the exit code of an error."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (typer's own signature)
        """Run the command; exit 2 with a message when it fails, 130 on Ctrl-C."""
        words = [*getattr(ctx, "_protected_args", ()), *ctx.args]
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.stderr.write(
                "\ninterrupted: nothing was half-landed, half-migrated or half-built;"
                " repeat the command to go on\n"
            )
            raise typer.Exit(130) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if type(error).__module__.startswith("typer."):
                raise  # wrong usage: typer says so itself, with exit code 2
            known = explain(error)
            if known is None:
                traceback.print_exc()
                known = WarehouseError(
                    f"Unexpected {type(error).__name__}: {error}",
                    do="this is a defect of the program: please report it with the lines above",
                )
            print_error(known)
            if "--json" in words:
                parts = {"what": known.what, "where": known.where, "do": known.do}
                print_json({"error": parts})
            raise typer.Exit(ExitCode.ERROR) from None


def group(about: str, *, epilog: str) -> typer.Typer:
    """Return commands that belong together, such as `warehouse roles …`."""
    return typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        help=about,
        epilog=epilog,
    )


def examples(*lines: str) -> str:
    """Return an epilog with one example a line."""
    return "\n\n".join(["Examples:", *[f"  $ {line}" for line in lines]])
