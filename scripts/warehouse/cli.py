"""The command `warehouse`: thin, every command calls one function of the package.

Heavy imports are inside the commands: `warehouse --help` has to be instant.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from warehouse import (
    cli_audit,
    cli_correct,
    cli_drift,
    cli_export,
    cli_land,
    cli_migrate,
    cli_physical,
    cli_prop,
    cli_queries,
    cli_roles,
    cli_settings,
    cli_simulate,
    config,
    output,
)
from warehouse.errors import ExitCode

CODES = (
    "Exit codes: 0 done; 1 done, with findings (rows quarantined, gate or test failed); 2 error;"
    " 130 interrupted.\n\nEnvironment: WAREHOUSE_HOME (embedded instance, default .warehouse in the"
    " project), WAREHOUSE_TARGET (embedded or server), WAREHOUSE_HOST, _PORT, _USER, _PASSWORD,"
    " _DATABASE."
)

app = typer.Typer(
    cls=output.Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=output.examples(
        "warehouse up",
        "warehouse migrate",
        "warehouse land bars prices.csv.gz --source yahoo",
        "warehouse build",
        "warehouse report",
        'psql "$(warehouse url)"',
    )
    + "\n\n"
    + CODES,
)
app.add_typer(cli_land.app, name="land")
app.add_typer(cli_correct.app, name="withdraw")
app.add_typer(cli_export.app, name="export")
app.add_typer(cli_drift.app, name="drift")
app.add_typer(cli_audit.app, name="audit")
app.add_typer(cli_physical.app, name="physical")
app.add_typer(cli_prop.app, name="prop")
app.add_typer(cli_roles.app, name="roles")
app.add_typer(cli_queries.app, name="queries")
app.command(
    epilog=output.examples("warehouse rename FB META --on 2022-06-09"),
)(cli_correct.rename)
app.command(
    epilog=output.examples(
        "warehouse forget 0057f816-a093-427d-ae49-023a0a54d217 --reason 'request 4711' --dry-run",
        "warehouse forget 0057f816-a093-427d-ae49-023a0a54d217 --reason 'request 4711'",
    )
    + "\n\nExit codes: 0 all is gone; 1 a ledger still has some of it, named; 2 error.",
)(cli_prop.forget)

app.command(
    epilog=output.examples(
        "warehouse migrate",
        "warehouse migrate --status",
        "warehouse migrate --dry-run | less",
        "warehouse migrate --compare",
        "warehouse migrate --rollback --steps 2",
    )
    + "\n\nExit codes: 0 done; 1 --compare found differences; 2 error.",
)(cli_migrate.migrate)

app.command(epilog=cli_simulate.EPILOG)(cli_simulate.simulate)
app.command(epilog=cli_settings.EPILOG)(cli_settings.settings)


@app.command(epilog=output.examples("warehouse up", "WAREHOUSE_HOME=/tmp/second warehouse up"))
def up(
    port: Annotated[
        int | None, typer.Option(help="Port for a new instance (default: a free one).")
    ] = None,
) -> None:
    """Start the embedded server, creating it at first; harmless when it runs."""
    from warehouse import server

    home = config.Home.current()
    state = server.up(home, port=port)
    output.say(
        f"PostgreSQL {state.version} answers on 127.0.0.1:{state.port}"
        f" (pid {state.pid}, {home.path})"
    )


@app.command(epilog=output.examples("warehouse down"))
def down() -> None:
    """Stop the embedded server."""
    from warehouse import server

    home = config.Home.current()
    output.say("stopped" if server.down(home) else "it was not running")


@app.command(epilog=output.examples("warehouse status", "warehouse status --json"))
def status(as_json: output.AsJson = False) -> None:
    """Say whether the server answers and where it is; exit 1 when it does not."""
    from warehouse.status import warehouse_status

    state = warehouse_status()
    if as_json:
        output.print_json(state)
    else:
        rows = [(name.replace("_", " "), value) for name, value in output.plain(state).items()]
        shown = [(n, "yes" if v is True else str(v)) for n, v in rows if v is not None]
        output.table(("", ""), shown)
    if not state.running:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command(epilog=output.examples('psql "$(warehouse url)"'))
def url() -> None:
    """Print the connection URL, password included: this is the only place that shows it."""
    sys.stdout.write(config.connection().url() + "\n")


@app.command(
    epilog=output.examples("warehouse check", "warehouse check --json")
    + "\n\nExit codes: 0 the gate is passed; 1 it failed, the rows are named; 2 error.",
)
def check(as_json: output.AsJson = False) -> None:
    """Run the gate: every data-quality rule over the new batches and the landed table."""
    from warehouse.quality.gate import check as run

    result = run()
    from warehouse.cli_check import print_gate, print_gate_json

    (print_gate_json if as_json else print_gate)(result)
    if not result.success:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command(
    epilog=output.examples(
        "warehouse build",
        "warehouse build --select staging",
        "warehouse build --full-refresh",
        "warehouse build --no-check --json",
    )
    + "\n\nExit codes: 0 all built and tested; 1 the gate or a test failed; 2 error.",
)
def build(
    select: Annotated[
        list[str] | None, typer.Option(help="dbt node selection; may be repeated.")
    ] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Rebuild it all.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Skip the gate.")] = False,
    always: Annotated[
        bool, typer.Option("--always", help="Run dbt even if nothing changed.")
    ] = False,
    as_json: output.AsJson = False,
) -> None:
    """Gate what was landed, then build and test the models with dbt."""
    from warehouse import build as builder

    result = builder.build(
        select=select or [],
        full_refresh=full_refresh,
        check=not no_check,
        if_needed=not always,
    )
    if as_json:
        output.print_json(result)
    else:
        builder.print_build(result)
    if not result.success:
        raise typer.Exit(ExitCode.ERROR if result.errors else ExitCode.FINDINGS)


@app.command(
    name="explain-dirty",
    epilog=output.examples(
        "warehouse explain-dirty",
        "warehouse explain-dirty --symbol AAPL",
        "warehouse explain-dirty --json",
    ),
)
def explain_dirty(
    symbol: Annotated[str | None, typer.Option(help="Only this symbol's series.")] = None,
    as_json: output.AsJson = False,
) -> None:
    """Show what the next build will recompute, from which bar on, and why."""
    from warehouse import explain

    told = explain.explain_dirty(symbol)
    (output.print_json if as_json else explain.print_explanation)(told)


@app.command(epilog=output.examples("warehouse report", "warehouse report --to /tmp/report.html"))
def report(
    to: Annotated[Path | None, typer.Option(help="Where to write the HTML file.")] = None,
) -> None:
    """Write one self-contained HTML report: health, coverage, prices, quarantine, build times."""
    from warehouse.report import write_report

    output.say(str(write_report(to)))


@app.command(
    epilog=output.examples("warehouse doctor", "warehouse doctor --json")
    + "\n\nExit codes: 0 all well; 1 something is wrong, with advice; 2 error.",
)
def doctor(as_json: output.AsJson = False) -> None:
    """Look for what could be wrong with this installation, with advice."""
    from warehouse import doctor as checks

    found = checks.examine()
    if as_json:
        output.print_json({"checks": found, "ok": all(item.ok for item in found)})
    else:
        output.table(
            ("", "check", "found", "advice"),
            [("ok" if c.ok else "WRONG", c.name, c.found, c.advice) for c in found],
        )
    if not all(item.ok for item in found):
        raise typer.Exit(ExitCode.FINDINGS)


@app.command(epilog=output.examples("warehouse demo"))
def demo() -> None:
    """Do it all on real prices: start, migrate, land, simulate, gate, build, test, report."""
    from warehouse import demo as show

    if not show.run():
        raise typer.Exit(ExitCode.FINDINGS)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
