"""What a night costs: builds after one new session, one corrected bar, and nothing at all."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

import polars as pl

from benchmarks import landing, workspace
from benchmarks.data import Bars, Scale, generate
from benchmarks.results import Section, seconds
from benchmarks.workspace import Workspace, dbt_build, model_seconds, say

TENTH = 10
"""The long history has this many times the bars, for this many times fewer symbols."""


@dataclass(frozen=True)
class Spent:
    """Seconds of a build by the clock, and the sum over its models, which leaves out dbt itself."""

    clock: float
    models: float


def run(space: Workspace, bars: Bars, scale: Scale) -> list[Section]:
    """Measure on the whole history, then on a short and a long one of fewer symbols."""
    section = Section("Incremental build")
    with space.fresh("bench_incremental"):
        landing.land(bars.history, space.folder / "history.csv")
        full = build("full build", full_refresh=True)
        section.add("full build of every mart, dashboards and coverage included", told(full))
        nothing = middle([build("nothing landed") for _ in bars.nights])
        compare(section, "nothing to do, dbt", nothing, full)
        spent = idle()
        title = "nothing to do, `warehouse build` in all (target in seconds)"
        section.add(title, seconds(spent), ratio=spent, most=3, unit=" s")
        night = land_nights(space, bars)
        rows = bars.nights[0].height
        title = f"one new session of {scale.symbols:,} symbols ({rows:,} bars)"
        compare(section, title, night, full, most=0.02)
        landing.land(corrected(bars.history), space.folder / "corrected.csv")
        correction = build("one corrected bar")
        section.add(
            "one corrected bar, 30 days back", told(correction), ratio=correction.clock / full.clock
        )
    symbols = max(2, scale.symbols // TENTH)
    length = scale.bars // scale.symbols
    nights = {}
    for times in (1, TENTH):
        small = generate(Scale(symbols, symbols * length * times))
        with space.fresh("bench_incremental"):
            landing.land(small.history, space.folder / "history.csv")
            build(f"full build of {small.history.height:,} bars", full_refresh=True)
            nights[times] = land_nights(space, small)
        title = f"one new session of {symbols:,} symbols on {small.history.height:,} bars"
        section.add(title, told(nights[times]))
    for name in ("clock", "models"):
        ratio = getattr(nights[TENTH], name) / getattr(nights[1], name)
        section.add(f"{TENTH}x history against 1x, {name}", "", ratio=ratio, most=1.2)
    section.notes += [
        f"A new session is the median of {len(bars.nights)}, each landed and built by itself.",
        f"Histories are compared with a tenth of the symbols, so that {TENTH}x history has as many"
        " bars as the table of the full build.",
    ]
    return [section]


def idle() -> float:
    """Return the seconds of `warehouse build` when everything is built, its own start included."""
    command = [str(Path(sys.executable).with_name("warehouse")), "build"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 (our own)
    workspace.settle()
    return median(workspace.timed(lambda: _quiet(command)) for _ in range(3))


def _quiet(command: list[str]) -> None:
    """Run it and insist that it found nothing to do."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    if "nothing to do" not in done.stdout:
        raise RuntimeError(f"something was built: {done.stdout}")


def land_nights(space: Workspace, bars: Bars) -> Spent:
    """Land and build one session after the other; return the median."""
    spent = []
    for number, night in enumerate(bars.nights, 1):
        landing.land(night, space.folder / "session.csv")
        spent.append(build(f"new session {number}"))
    return middle(spent)


def compare(
    section: Section, title: str, spent: Spent, full: Spent, most: float | None = None
) -> None:
    """Add two figures: by the clock and by the work of the models."""
    section.add(f"{title}, clock", seconds(spent.clock), ratio=spent.clock / full.clock, most=most)
    section.add(
        f"{title}, models", seconds(spent.models), ratio=spent.models / full.models, most=most
    )


def middle(spent: list[Spent]) -> Spent:
    """Return the medians."""
    return Spent(median(s.clock for s in spent), median(s.models for s in spent))


def told(spent: Spent) -> str:
    """Return both for people."""
    return f"{seconds(spent.clock)} (models {seconds(spent.models)})"


def corrected(bars: pl.DataFrame) -> pl.DataFrame:
    """Return one bar about 30 days before the end, with another close."""
    own = bars.filter(pl.col("symbol") == "AAPL")
    end = own["timestamp"].max()
    bar = own.filter(pl.col("timestamp") <= pl.lit(end) - timedelta(days=30)).tail(1)
    return bar.with_columns(close=((pl.col("open") + pl.col("close")) / 2).round(4))


def build(what: str, *, full_refresh: bool = False) -> Spent:
    """Build everything and return the seconds."""
    workspace.settle()
    clock = dbt_build(full_refresh=full_refresh)
    spent = Spent(clock, sum(model_seconds().values()))
    say(f"incremental: {what}: {told(spent)}")
    return spent
