"""`warehouse withdraw …` and `warehouse rename`: history in the landing zone put right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from warehouse import output
from warehouse.cli_land import finish, profile_for
from warehouse.errors import WarehouseError

app = output.group(
    "Take back what never happened: as a revision, nothing is deleted.",
    epilog=output.examples(
        'warehouse withdraw bars --source yahoo --symbol AAPL --from 2024-07-04 --reason "holiday"',
        "warehouse withdraw bars phantom_bars.csv --source yahoo",
        "warehouse withdraw corporate_actions --source yahoo --symbol AAPL --type split"
        ' --on 2024-06-10 --reason "announced, then cancelled"',
    )
    + "\n\nExit codes: 0 all withdrawn or known; 1 some rows name nothing landed; 2 error.",
)

Files = Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]", show_default=False)]
Source = Annotated[
    str | None, typer.Option(help="Source as it is stored; with files: their shipped profile.")
]
Symbol = Annotated[str | None, typer.Option(help="Ticker, without files.")]
Calendar = Annotated[
    str | None, typer.Option(help="Exchange calendar or 24/7, where the ticker is on several.")
]
Reason = Annotated[str, typer.Option(help="Why, stored with the batch; needed without files.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be withdrawn.")]


@app.command(
    epilog=output.examples(
        'warehouse withdraw bars --source yahoo --symbol AAPL --from 2024-07-04 --reason "holiday"',
        "warehouse withdraw bars --source polygon --symbol SPY --timeframe 1m"
        ' --from 2024-07-03T17:00:00Z --to 2024-07-03T20:59:00Z --reason "after a half day"',
        "warehouse withdraw bars phantom_bars.csv --source yahoo --dry-run",
    )
)
def bars(
    files: Files = None,
    source: Source = None,
    symbol: Symbol = None,
    timeframe: Annotated[str | None, typer.Option(help="1m, 1h, 1d … (default 1d).")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Session, or start of a bar with its offset.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Last one, included (default: --from alone).")
    ] = None,
    calendar: Calendar = None,
    profile: Annotated[
        str | None, typer.Option(help="With files: the YAML they landed with.")
    ] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: output.AsJson = False,
) -> None:
    """Withdraw bars that never happened: those of a range, or those whose keys are in files.

    Another source's bar takes over where there is one. Landing a bar again brings it back.
    """
    from warehouse.landing.corrections.withdrawals import withdraw_bars, withdraw_files

    if files:
        _exclude(files, {"--symbol": symbol, "--from": start, "--to": end})
        described = profile_for(source, profile, timeframe, calendar)
        results = withdraw_files(files, profile=described, reason=reason, dry_run=dry_run)
    else:
        _exclude(None, {"--profile": profile})
        source, symbol, start, _ = _require(
            {"--source": source, "--symbol": symbol, "--from": start, "--reason": reason}
        )
        results = [
            withdraw_bars(
                source=source,
                symbol=symbol,
                timeframe=timeframe or "1d",
                start=start,
                end=end,
                calendar=calendar,
                reason=reason,
                dry_run=dry_run,
            )
        ]
    if not as_json:
        series = [found for result in results for found in result.series]
        if series:
            verb = "would withdraw" if dry_run else "withdrawn"
            output.table(
                ("symbol", "timeframe", "source", verb, "first", "last"),
                [(s.symbol, s.timeframe, s.source, s.bars, s.first_ts, s.last_ts) for s in series],
            )
        _say_dry(dry_run)
    finish(results, as_json)


@app.command(
    name="corporate_actions",
    epilog=output.examples(
        "warehouse withdraw corporate_actions --source yahoo --symbol AAPL --type split"
        ' --on 2024-06-10 --reason "announced, then cancelled"',
        "warehouse withdraw corporate_actions phantom_splits.csv --source yahoo",
    ),
)
def corporate_actions(
    files: Files = None,
    source: Source = None,
    symbol: Symbol = None,
    kind: Annotated[str | None, typer.Option("--type", help="split or cash_dividend.")] = None,
    on: Annotated[str | None, typer.Option(help="Ex-date, YYYY-MM-DD.")] = None,
    calendar: Calendar = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: output.AsJson = False,
) -> None:
    """Withdraw a split or dividend that never happened, or those whose keys are in files.

    Files have the columns they landed with; the amounts are not needed.
    """
    from warehouse.landing.corrections.withdrawn_actions import (
        withdraw_action,
        withdraw_action_files,
    )

    if files:
        _exclude(files, {"--symbol": symbol, "--type": kind, "--on": on})
        (source,) = _require({"--source": source})
        results = withdraw_action_files(
            files, source=source, calendar=calendar, reason=reason, dry_run=dry_run
        )
    else:
        source, symbol, kind, on, _ = _require(
            {
                "--source": source,
                "--symbol": symbol,
                "--type": kind,
                "--on": on,
                "--reason": reason,
            }
        )
        results = [
            withdraw_action(
                source=source,
                symbol=symbol,
                action_type=kind,
                ex_date=on,
                calendar=calendar,
                reason=reason,
                dry_run=dry_run,
            )
        ]
    if not as_json:
        _say_dry(dry_run)
    finish(results, as_json)


def rename(
    old: Annotated[str, typer.Argument(help="The ticker until then.", show_default=False)],
    new: Annotated[str, typer.Argument(help="The ticker since.", show_default=False)],
    on: Annotated[str, typer.Option(help="First session under the new ticker, YYYY-MM-DD.")],
    calendar: Calendar = None,
    source: Annotated[
        str, typer.Option(help="Who says so, stored with the history.")
    ] = "warehouse rename",
    as_json: output.AsJson = False,
) -> None:
    """Say that a ticker was renamed: bars landed under the new one move to the instrument."""
    from warehouse.landing.corrections.renames import rename_symbol

    result = rename_symbol(old, new, on=on, calendar=calendar, source=source)
    if as_json:
        output.print_json(result)
    elif result.batch_id is None:
        output.say(f"nothing to do: since {result.on} {new} means what {old} did")
    else:
        output.say(
            f"since {result.on} {new} means what {old} did (instrument {result.instrument_id});"
            f" moved: {result.bars} bars ({result.known} of them were there already),"
            f" {result.actions} corporate actions, {result.infos} rows of stock_info"
        )


def _require(options: dict[str, str | None]) -> list[str]:
    """Return the values of options that cannot do without; say which are missing."""
    missing = [name for name, value in options.items() if not value]
    if missing:
        raise WarehouseError(
            f"Without files {', '.join(missing)} must be given.",
            do="name a range, or the files with the keys; see --help",
        )
    return [str(value) for value in options.values()]


def _exclude(files: list[Path] | None, options: dict[str, str | None]) -> None:
    given = [name for name, value in options.items() if value]
    if given:
        raise WarehouseError(
            f"{', '.join(given)} cannot be used {'with' if files else 'without'} files.",
            do="name either a range or the files with the keys; see --help",
        )


def _say_dry(dry_run: bool) -> None:
    if dry_run:
        output.say("dry run: nothing is changed, the batch is not stored")
