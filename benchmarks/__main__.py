"""Run the benchmarks: python -m benchmarks [--scale 1.0] [--only features] [--json]."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

from benchmarks import (
    alarms,
    features,
    incremental,
    landing,
    landing_tables,
    queries,
    query,
    signals,
    storage,
    table,
    training,
    workspace,
)
from benchmarks.data import Scale, generate
from benchmarks.peers.ways import PEERS
from benchmarks.results import Section
from warehouse.config import PROJECT

STEPS = (
    "landing", "tables", "features", "incremental", "query",
    "queries", "signals", "alarms", "training", "storage",
)  # fmt: skip
DOCS = PROJECT / "docs" / "benchmarks.md"


def main(
    scale: Annotated[float, typer.Option(min=0.001, help="Share of the symbols.")] = 1.0,
    only: Annotated[list[str] | None, typer.Option(help=f"Steps: {', '.join(STEPS)}.")] = None,
    peers: Annotated[str, typer.Option(help="Peers of the full build.")] = ",".join(PEERS),
    runs: Annotated[int, typer.Option(min=1, help="Landings to take the median of.")] = 3,
    repeats: Annotated[int, typer.Option(min=1, help="Queries of each client.")] = 100,
    docs: Annotated[
        Path | None, typer.Option(help="Page to write (default: docs/benchmarks.md at scale 1).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure landing, full builds against their peers, nightly builds, queries, luck, exports."""
    steps = only or list(STEPS)
    chosen = [name for name in peers.split(",") if name]
    unknown = {*steps} - {*STEPS} | {*chosen} - {*PEERS}
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(sorted(unknown))}")
    # Stopped in any way, the server is stopped and its folder removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    size = Scale.of(scale)
    sections: list[Section] = []
    stored: list[Section] = []
    with workspace.workspace() as space:
        workspace.say(f"generating {size.bars:,} bars of {size.symbols:,} symbols")
        bars = generate(size)
        if "landing" in steps:
            sections += landing.run(space, bars, runs=runs)
        if "tables" in steps:
            sections += landing_tables.run(space, scale)
        if "features" in steps:
            sections += features.run(space, bars, chosen)
        if "incremental" in steps:
            sections += incremental.run(space, bars, size)
        if "query" in steps:
            sections += query.run(space, bars, repeats=repeats)
        if "queries" in steps:
            sections += queries.run(space, scale, repeats=max(1, repeats // 4))
        if "signals" in steps:
            sections += signals.run(space, scale)
        if "alarms" in steps:
            sections += alarms.run()
        if "training" in steps:
            sections += training.run(space, scale)
        if "storage" in steps:
            stored = storage.run(space, bars)
        about = {
            "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
            "date": datetime.now(UTC).date().isoformat(),
            "symbols": size.symbols,
            "bars": size.bars,
            "minutes": (time.monotonic() - began) / 60,
            **workspace.machine(space),
        }
    page = docs or (DOCS if scale == 1.0 and len(steps) == len(STEPS) else None)
    # Of a server that few have: kept when the others are measured again.
    for block, own in (("benchmarks", sections), ("storage", stored)):
        if page and own:
            table.write_docs(page, table.markdown(own, about), block)
            workspace.say(f"written: {page}")
    sections += stored
    text = table.markdown(sections, about)
    if as_json:
        found = [dataclasses.asdict(section) for section in sections]
        text = json.dumps({"about": about, "sections": found}, indent=2)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(main)
    app()
