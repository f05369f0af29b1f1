"""`warehouse drift …`: what drift is measured against."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from warehouse import output

EPILOG = output.examples(
    "warehouse drift freeze churn-2024 --model direction-7 --type price_direction --horizon 5"
    " --from 2024-01-01 --to 2024-07-01",
    "warehouse drift freeze features-2024 --features returns,rsi_14,volume_ratio_20"
    " --from 2024-01-01 --to 2025-01-01",
)

app = output.group(
    "Freeze what drift is measured against.",
    epilog=EPILOG,
)


@app.callback()
def _group() -> None:
    """Keep `freeze` a word of its own while it is the only one."""


@app.command(epilog=EPILOG)
def freeze(
    reference: Annotated[str, typer.Argument(help="Name of the reference.", show_default=False)],
    since: Annotated[
        datetime, typer.Option("--from", help="Start of the period, UTC.", show_default=False)
    ],
    until: Annotated[
        datetime, typer.Option("--to", help="End of it, exclusive.", show_default=False)
    ],
    model: Annotated[str, typer.Option(help="What a model saw and said, by its id.")] = "",
    kind: Annotated[str, typer.Option("--type", help="Type of its predictions.")] = "",
    horizon: Annotated[int, typer.Option(help="Horizon of its predictions in bars.")] = 1,
    features: Annotated[
        str, typer.Option(help="Or features of all bars: names, families or all, with commas.")
    ] = "",
    timeframe: Annotated[str, typer.Option(help="Length of the bars.")] = "1d",
    bins: Annotated[int, typer.Option(help="Bins of equal counts.")] = 10,
    as_json: output.AsJson = False,
) -> None:
    """Freeze bins and shares of a period; `model_drift_daily` compares every day with them."""
    from warehouse import drift

    done = drift.freeze(
        reference,
        since=since.replace(tzinfo=since.tzinfo or UTC),
        until=until.replace(tzinfo=until.tzinfo or UTC),
        model=model or None,
        kind=kind or None,
        horizon=horizon if model else None,
        timeframe=timeframe,
        features=features,
        bins=bins,
    )
    if as_json:
        output.print_json(done)
        return
    output.table(
        ("feature", "bins", "observations", "missing"),
        [(each.feature, each.bins, each.observations, each.missing) for each in done],
    )
    output.say(f"frozen as {reference}; the next build measures drift against it")
