"""`warehouse simulate`: a living sample on the real bars that are landed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse import output
from warehouse.errors import ExitCode

if TYPE_CHECKING:
    from warehouse.simulation.run import Simulation

EPILOG = (
    output.examples(
        "warehouse simulate",
        "warehouse simulate --days 90 --seed 7",
        "warehouse simulate --symbol AAPL --symbol MSFT --start 2012-01-03",
        "warehouse simulate --seed 8 --json",
    )
    + "\n\nExit codes: 0 every row accepted or known; 1 some rows in quarantine; 2 error."
)


def simulate(
    days: Annotated[int, typer.Option(help="Sessions to simulate; more days only add.")] = 60,
    seed: Annotated[int, typer.Option(help="Another seed is another world beside this one.")] = 7,
    symbol: Annotated[
        list[str] | None, typer.Option(help="Symbol to trade; may be repeated (default: up to 8).")
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="First session (default: 1 January of the year before the last bar's).",
        ),
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    """Land a living sample: agents, orders, models, challenges and logs that hang together.

    Everything trades on the daily bars that are landed. It is a sample, not evidence about markets.
    """
    from warehouse.simulation.run import simulate as run

    with output.progress() as moved:
        made = run(
            days=days,
            seed=seed,
            symbols=symbol,
            start=start.date() if start else None,
            progress=moved,
        )
    (output.print_json if as_json else print_simulation)(made)
    if made.quarantined:
        raise typer.Exit(ExitCode.FINDINGS)


def print_simulation(made: Simulation) -> None:
    """Print what landed in each table."""
    output.say(
        f"{made.world}: {', '.join(made.symbols)},"
        f" {made.days} sessions from {made.first_session} to {made.last_session}"
    )
    if made.message:
        output.say(made.message)
        return
    columns = ("table", "landed", "accepted", "known", "quarantined")
    output.table(
        columns, [(b.dataset, b.landed, b.accepted, b.known, b.quarantined) for b in made.batches]
    )
    output.say(
        f"{made.landed:,} rows: {made.accepted:,} new, {made.known:,} known,"
        f" {made.quarantined:,} quarantined; {made.seconds} s"
    )
