"""What a night costs: builds after one new session, one corrected bar, and nothing at all."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from benchmarks import landing, workspace
from benchmarks.data import Bars, Scale, generate
from benchmarks.features import count
from benchmarks.results import Section, seconds
from benchmarks.workspace import Workspace, dbt_build, say

TENTH = 10
"""The long history has this many times the bars, for this many times fewer symbols."""


def run(space: Workspace, bars: Bars, scale: Scale) -> list[Section]:
    """Measure on the whole history, then on a short and a long one of fewer symbols."""
    section = Section("Incremental build")
    with space.fresh("bench_incremental"):
        landing.land(bars.history, space.folder / "history.csv")
        say("incremental: full build")
        full = dbt_build(full_refresh=True)
        nothing = _timed_build(section, "nothing landed")
        section.add("nothing to do (dbt's own start)", seconds(nothing), ratio=nothing / full)
        landing.land(bars.next_session, space.folder / "session.csv")
        night = _timed_build(section, "one new session")
        rows = bars.next_session.height
        section.add(
            f"one new session of {scale.symbols:,} symbols ({rows:,} bars) against full build",
            seconds(night),
            ratio=night / full,
            most=0.02,
        )
        section.add(
            "the same without dbt's own start",
            seconds(night - nothing),
            ratio=(night - nothing) / full,
            most=0.02,
        )
        landing.land(corrected(bars.history), space.folder / "corrected.csv")
        correction = _timed_build(section, "one corrected bar")
        section.add("one corrected bar, 30 days back", seconds(correction), ratio=correction / full)
        section.notes.append(
            f"These builds make every mart, dashboards and coverage included; full build:"
            f" {seconds(full)}."
        )
    symbols = max(2, scale.symbols // TENTH)
    length = scale.bars // scale.symbols
    nights = {}
    for times in (1, TENTH):
        small = generate(Scale(symbols, symbols * length * times))
        with space.fresh("bench_incremental"):
            say(f"incremental: {symbols:,} symbols, {small.history.height:,} bars")
            landing.land(small.history, space.folder / "history.csv")
            dbt_build(full_refresh=True)
            landing.land(small.next_session, space.folder / "session.csv")
            nights[times] = _timed_build(section, f"one new session on {times}x")
            rows = count("marts.feature_engineered_data")
        section.add(
            f"one new session of {symbols:,} symbols on {times}x history ({rows:,} bars)",
            seconds(nights[times]),
            ratio=nights[times] / nights[1] if times > 1 else None,
            most=1.2 if times > 1 else None,
        )
    section.notes.append(
        f"The comparison of histories takes a tenth of the symbols, so that {TENTH}x history has"
        " as many bars as the table above."
    )
    return [section]


def corrected(bars: pl.DataFrame) -> pl.DataFrame:
    """Return one bar about 30 days before the end, with another close."""
    own = bars.filter(pl.col("symbol") == "AAPL")
    end = own["timestamp"].max()
    bar = own.filter(pl.col("timestamp") <= pl.lit(end) - timedelta(days=30)).tail(1)
    return bar.with_columns(close=((pl.col("open") + pl.col("close")) / 2).round(4))


def _timed_build(section: Section, what: str) -> float:
    """Build and return the seconds."""
    workspace.settle()
    took = dbt_build()
    say(f"{section.title.lower()}: {what}: {seconds(took)}")
    return took
