"""`warehouse land …`: files, vendors and repaired rows into the landing zone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warehouse import output
from warehouse.errors import ExitCode, WarehouseError

if TYPE_CHECKING:
    from warehouse.landing.profile import Profile

TOP_RULES = 5
TABLE = "TABLE"
"""Stands for the name of any landing table."""


class LandCommands(output.Commands):
    """Has a command for every landing table of the database beside those written here."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 (typer's own signature)
        """Return the command of that name, or the one that lands into the table of that name."""
        known = super().get_command(ctx, cmd_name)
        if known or cmd_name.startswith("-") or cmd_name == TABLE:
            return known
        ctx.meta[TABLE] = cmd_name
        return super().get_command(ctx, TABLE)


app = typer.Typer(
    cls=LandCommands,
    invoke_without_command=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog=output.examples(
        "warehouse land bars prices.csv.gz --source yahoo",
        "warehouse land bars q1.csv q2.csv --source acme --profile acme.yml",
        "warehouse land yahoo AAPL MSFT --start 2020-01-01",
        "warehouse land corporate_actions splits.csv --source yahoo",
        "warehouse land signals signals.jsonl --source agents",
        "warehouse land raw_trading.fills fills.csv --source broker --profile fills.yml",
        "warehouse land --tables",
        "warehouse land --replay --source yahoo",
        "warehouse land --from postgresql://reader@host/app --source challenges",
        "warehouse land --from sqlite:///app.db",
    )
    + "\n\nExit codes: 0 every row accepted or known; 1 some rows in quarantine; 2 error.",
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", show_default=False)]
Source = Annotated[str, typer.Option("--source", help="Name of the source, stored with every row.")]


@app.callback()
def land(
    context: typer.Context,
    replay: Annotated[
        bool, typer.Option("--replay", help="Land the repaired rows of the quarantine again.")
    ] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--source", help="With --replay: only rows of this source. With --from: its name."
        ),
    ] = None,
    from_url: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="Pull from an application's database."),
    ] = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="List the landing tables that any file can land in.")
    ] = False,
    as_json: output.AsJson = False,
) -> None:
    """Land files: new rows are appended, known rows skipped, bad rows quarantined.

    The name of any landing table is a command: `warehouse land signals FILE… --source NAME`.
    """
    if context.invoked_subcommand:
        return
    if tables:
        print_tables(as_json)
        return
    if from_url is not None:
        from warehouse.prop.pull import pull

        finish(pull(from_url, source=source or "application"), as_json)
        return
    if not replay:
        raise WarehouseError(
            "Nothing to land was named.",
            do="name a kind, as in `warehouse land bars FILE… --source NAME`; see --help",
        )
    from warehouse.landing.replay import replay as run

    finish(run(source), as_json)


def profile_for(
    source: str | None, profile: str | None, timeframe: str | None, calendar: str | None
) -> Profile:
    """Return the profile of a source with what the command line overrides."""
    from warehouse.landing.profile import load_profile, parse_profile, shipped

    if source is None and profile is None:
        raise WarehouseError(
            "Neither --source nor --profile is given.",
            where=f"shipped sources: {', '.join(shipped())}",
            do="name one with --source, or describe your files and pass --profile my_vendor.yml",
        )
    if profile is None and source not in shipped():
        raise WarehouseError(
            f"The source {source!r} has no shipped profile.",
            where=f"shipped: {', '.join(shipped())}",
            do="use one of these names, or describe your files and pass --profile my_vendor.yml",
        )
    loaded = load_profile(str(profile or source))
    # Without --profile, --source is the name of a profile, which knows what its source is called.
    changes = {
        "source": source if profile else None,
        "timeframe": timeframe,
        "calendar": calendar,
    }
    changes = {key: value for key, value in changes.items() if value}
    return parse_profile({**loaded.model_dump(), **changes}, where="the command line")


@app.command(
    epilog=output.examples(
        "warehouse land bars prices.csv.gz --source yahoo",
        "warehouse land bars spy.parquet --source alpaca --timeframe 1h",
        "warehouse land bars ftse.csv --source stooq --calendar XLON",
        "warehouse land bars q1.csv q2.csv --source acme --profile acme.yml",
    )
    + "\n\nExit codes: 0 every row accepted or known; 1 some rows in quarantine; 2 error.",
)
def bars(
    files: Files,
    source: Annotated[
        str | None, typer.Option(help="Shipped profile, or with --profile the name to store.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="YAML that describes the files (needs no code).")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option(help="1m, 5m, 15m, 1h, 1d …, instead of the profile's.")
    ] = None,
    calendar: Annotated[
        str | None, typer.Option(help="Exchange calendar or 24/7, instead of the profile's.")
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    """Land price bars from CSV, CSV.gz or Parquet.

    --source picks the shipped profile of that name (yahoo, alpaca, polygon, stooq …). Other files
    are described by a small YAML passed with --profile; --source then names what is stored.
    """
    from warehouse.landing.bars import land_bars

    described = profile_for(source, profile, timeframe, calendar)
    with output.progress() as moved:
        results = land_bars(files, profile=described, progress=moved)
    finish(results, as_json)


@app.command(epilog=output.examples("warehouse land yahoo AAPL MSFT --start 2020-01-01"))
def yahoo(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", show_default=False)],
    start: Annotated[str, typer.Option(help="First session, YYYY-MM-DD.")],
    end: Annotated[str | None, typer.Option(help="Last session, YYYY-MM-DD.")] = None,
    timeframe: Annotated[str, typer.Option(help="Bar length.")] = "1d",
    as_json: output.AsJson = False,
) -> None:
    """Download bars from Yahoo Finance (needs a network) and land them."""
    from warehouse.landing.yahoo import land_yahoo

    finish(land_yahoo(symbols, start, end, timeframe=timeframe), as_json)


def _table_command(table: str, what: str) -> None:
    """Register `warehouse land TABLE` for one of the reference tables."""

    def command(
        files: Files,
        source: Source,
        calendar: Annotated[
            str | None, typer.Option(help="Exchange calendar of rows that name none (XNYS).")
        ] = None,
        as_json: output.AsJson = False,
    ) -> None:
        from warehouse.landing.reference import land_table

        finish(land_table(table, files, source=source, calendar=calendar), as_json)

    command.__doc__ = what
    example = output.examples(f"warehouse land {table} {table}.csv --source yahoo")
    app.command(name=table, epilog=example)(command)


_table_command("instruments", "Land instruments: symbol, calendar, currency, asset class.")
_table_command("symbol_history", "Land which instrument a ticker meant, and when.")
_table_command("corporate_actions", "Land splits and cash dividends.")
_table_command("stock_info", "Land company, sector and industry of symbols.")


@app.command(
    name=TABLE,
    epilog=output.examples(
        "warehouse land signals signals.csv --source agents",
        "warehouse land ticks ticks.csv.gz --source binance --calendar 24/7 --timezone UTC",
        "warehouse land raw_trading.fills fills.parquet --source broker --profile fills.yml",
        "warehouse land option_quotes chain.parquet --profile lean_options",
    )
    + "\n\nExit codes: 0 every row accepted or known; 1 some rows in quarantine; 2 error.",
)
def any_table(
    context: typer.Context,
    files: Files,
    source: Annotated[
        str | None, typer.Option("--source", help="Name of the source, stored with every row.")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(help="YAML (path or shipped name): headers, constants, expressions …"),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times without one, such as America/New_York.")
    ] = None,
    calendar: Annotated[
        str | None, typer.Option(help="Exchange calendar of market data's symbols (XNYS).")
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    """Land any landing table by its name, from CSV, CSV.gz, Parquet or JSON lines.

    Headers are the table's columns; other files are described by a small YAML. `warehouse land
    --tables` lists the tables with what they need.
    """
    from warehouse.landing.records import land_files
    from warehouse.landing.records.profile import chosen_profile

    table = str(context.meta.get(TABLE, ""))
    if not table:
        raise WarehouseError(
            "TABLE stands for the name of a landing table.", do="see `warehouse land --tables`"
        )
    described = chosen_profile(
        table, profile, {"source": source, "timezone": timezone, "calendar": calendar}
    )
    with output.progress() as moved:
        results = land_files(files, profile=described, progress=moved)
    finish(results, as_json)


def print_tables(as_json: bool) -> None:
    """Print the landing tables: kind, key, and the columns that a row must have."""
    from warehouse import database
    from warehouse.landing.records.landables import find, landing_tables

    with database.connect("warehouse land") as session:
        found = [find(session, name) for name in landing_tables(session)]
    if as_json:
        tables = {
            each.name: {
                "kind": each.kind,
                "key": each.key,
                "required": each.required([]),
                "columns": each.fillable,
            }
            for each in found
        }
        output.print_json({"tables": tables})
        return
    output.table(
        ("table", "kind", "key", "a row must have"),
        [(t.name, t.kind, ", ".join(t.key), ", ".join(t.required([]))) for t in found],
    )


def finish(results: Sequence[Any], as_json: bool) -> None:
    """Print what became of every file; exit 1 when rows went to quarantine."""
    quarantined = sum(result.quarantined for result in results)
    if as_json:
        output.print_json({"batches": list(results), "quarantined": quarantined})
    else:
        print_results(results)
    if quarantined:
        raise typer.Exit(ExitCode.FINDINGS)


def print_results(results: Sequence[Any]) -> None:
    """Print one line for each batch, then the reasons of the quarantine."""
    if not results:
        output.say("nothing to land")
        return
    columns = ("batch", "file", "landed", "accepted", "known", "quarantined", "seconds")
    output.table(
        columns,
        [
            (r.batch_id, r.file, r.landed, r.accepted, r.known, r.quarantined, r.seconds)
            for r in results
        ],
    )
    if late := sum(result.late for result in results):
        output.say(
            f"{late:,} rows went into compressed chunks, which takes a multiple of the usual time;"
            " the columnstore job packs them"
        )
    ignored = list(dict.fromkeys(name for result in results for name in result.ignored))
    if ignored:
        output.say(f"warning: the table has no place for {', '.join(ignored)}: not landed")
    rules: dict[str, int] = {}
    for result in results:
        for rule, count in result.rules.items():
            rules[rule] = rules.get(rule, 0) + count
    if not any(result.quarantined for result in results):
        return
    top = sorted(rules.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{rule} {count:,}" for rule, count in top[:TOP_RULES])
    output.say(f"quarantined because of: {shown}{', …' if len(top) > TOP_RULES else ''}")
    query = "select rule, reason, file, line, payload from ops.quarantine where replayed_at is null"
    output.say(f"look at them: {query};")
    output.say("repair the payload there, then: warehouse land --replay")
