"""`warehouse export …`: data for programs that learn from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse import output
from warehouse.errors import ExitCode

if TYPE_CHECKING:
    from warehouse.training.export import Exported

EPILOG = (
    output.examples(
        "warehouse export training-set --features all --label fwd_ret_5 -o set.parquet",
        "warehouse export training-set --features momentum,rsi_14,sma_20 --label fwd_ret_5"
        " --as-of 2024-06-30T20:00:00Z --folds 5 --embargo 10 -o set.parquet",
        "warehouse export training-set --features volatility --label fwd_ret_21 --symbols AAPL,IBM"
        " --split-at 2012-01-01 -o set.csv --json",
    )
    + "\n\nExit codes: 0 written; 1 written, but nothing of some of the symbols; 2 error, no file."
)

app = output.group(
    "Write data for other programs.",
    epilog=EPILOG,
)


@app.callback()
def _group() -> None:
    """Keep `training-set` a word of its own while it is the only one."""


@app.command(
    name="training-set",
    epilog=EPILOG,
)
def training_set(
    to: Annotated[Path, typer.Option("-o", "--to", help="File to write.", show_default=False)],
    features: Annotated[
        str, typer.Option(help="Names, families or all, with commas; family:returns is the family.")
    ],
    label: Annotated[str, typer.Option(help="fwd_ret_ and the horizon in sessions: fwd_ret_5.")],
    as_of: Annotated[
        str, typer.Option(help="Nothing known later is in it, UTC (default: the last publication).")
    ] = "",
    symbols: Annotated[str, typer.Option(help="Tickers with commas (default: all).")] = "",
    timeframe: Annotated[str, typer.Option(help="Length of the bars.")] = "1d",
    since: Annotated[str, typer.Option(help="First session, YYYY-MM-DD.")] = "",
    until: Annotated[str, typer.Option(help="Last session, included.")] = "",
    known_within: Annotated[
        str, typer.Option(help="Only rows whose features were known so soon after the bar: 1d, 6h.")
    ] = "",
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="Keep rows whose label is open, with NULL.")
    ] = False,
    folds: Annotated[int, typer.Option(help="Purged folds: adds fold, train_1, train_2 …")] = 0,
    embargo: Annotated[int, typer.Option(help="Bars not trained on after a test's labels.")] = 0,
    split_at: Annotated[
        str, typer.Option(help="Test from here on: adds split (train, test, purged, embargo).")
    ] = "",
    split_until: Annotated[
        str, typer.Option(help="End of the test, a date included (default: all that follows).")
    ] = "",
    form: Annotated[
        str, typer.Option("--format", help="parquet or csv (default: by the file's name).")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: output.AsJson = False,
) -> None:
    """Write features and a label of daily bars, as known at an instant, to Parquet or CSV."""
    from warehouse.training.request import request

    asked = request(
        features=features,
        label=label,
        to=to,
        format=form,
        symbols=symbols,
        timeframe=timeframe,
        as_of=as_of,
        since=since,
        until=until,
        known_within=known_within,
        unlabelled=unlabelled,
        folds=folds,
        embargo=embargo,
        split_at=split_at,
        split_until=split_until,
        force=force,
    )
    from warehouse.training.export import export

    done = export(asked)
    (output.print_json if as_json else print_export)(done)
    if done.missing:
        raise typer.Exit(ExitCode.FINDINGS)


def print_export(done: Exported) -> None:
    """Print what was written."""
    output.say(
        f"{done.file}: {done.rows:,} rows of {done.instruments:,} instruments, {done.features}"
        f" features, {done.label}, as known at {output.readable(done.as_of)};"
        f" {done.bytes / 2**20:.1f} MB, {done.seconds} s"
    )
    if done.recomputed:
        output.say(f"built once more as known then: {len(done.recomputed)} series")
        reasons = sorted(set(done.recomputed.values()))
        for why in reasons:
            names = [symbol for symbol, reason in done.recomputed.items() if reason == why]
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            output.say(f"  {why}: {', '.join(names[:5])}{more}")
    if done.windows:
        output.table(
            (
                "test",
                "predictions from",
                "to",
                "labels end",
                "trains again",
                "test rows",
                "train rows",
            ),
            [
                (
                    w["fold"],
                    w["starts_at"],
                    w["last_at"],
                    w["ends_at"],
                    w["resumes_at"],
                    w["test_rows"],
                    w["train_rows"],
                )
                for w in done.windows
            ],
        )
    if done.missing:
        output.say(f"no row of: {', '.join(done.missing)}")
