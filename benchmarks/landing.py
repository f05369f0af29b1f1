"""Landing against a bare COPY of the same file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from benchmarks import workspace
from benchmarks.data import PROFILE, Bars, write_csv
from benchmarks.results import Section, seconds
from benchmarks.workspace import Workspace, connect, say, timed
from warehouse.landing.bars import land_bars
from warehouse.landing.profile import Profile, load_profile

HEAP = """
create table bare (
    symbol text, at timestamptz, open numeric, high numeric, low numeric, close numeric,
    volume numeric
)
"""
BESIDE = "create table beside as select * from raw_market.bars"
ENABLE = "alter table raw_market.bars {} trigger {}"
EMPTY = (
    ENABLE.format("disable", "bars_append_only"),
    "truncate raw_market.bars",
    ENABLE.format("enable", "bars_append_only"),
)
TRIALS = 5


def profile(folder: Path) -> Profile:
    """Return the profile of the generated files."""
    path = folder / "benchmark.yml"
    path.write_text(PROFILE)
    return load_profile(str(path))


def land(bars: pl.DataFrame, path: Path) -> float:
    """Land a frame by way of a CSV file; return the seconds without writing that file."""
    write_csv(bars, path)
    layout = profile(path.parent)
    try:
        return timed(lambda: _land(path, layout, bars.height))
    finally:
        path.unlink()


def _land(path: Path, layout: Profile, rows: int) -> None:
    """Land one file and insist that every row was accepted."""
    (batch,) = land_bars([path], profile=layout)
    if batch.accepted != rows:
        raise RuntimeError(f"{batch.accepted} of {rows} bars accepted: {batch.rules}")


def bare_copy(path: Path) -> None:
    """COPY a file into a heap without key, checks or triggers."""
    with connect() as session, path.open("rb") as file:
        session.execute("drop table if exists bare")
        session.execute(HEAP)
        with session.cursor().copy("copy bare from stdin csv header") as copy:
            while block := file.read(1 << 20):
                copy.write(block)


def run(space: Workspace, bars: Bars, *, runs: int) -> list[Section]:
    """Measure both, interleaved, in fresh databases."""
    section = Section("Landing")
    rows = bars.history.height
    path = space.folder / "landing.csv"
    ours, bare = [], []
    work: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(runs):
        with space.fresh("bench_landing"):
            write_csv(bars.history, path)
            say(f"landing {number + 1} of {runs}: bare COPY of {rows:,} bars")
            workspace.settle()
            with server_seconds(work["bare"]):
                bare.append(timed(lambda: bare_copy(path)))
            say(f"landing {number + 1} of {runs}: land_bars")
            workspace.settle()
            with server_seconds(work["ours"]):
                ours.append(land(bars.history, path))
    ours_median, bare_median = sorted(ours)[len(ours) // 2], sorted(bare)[len(bare) // 2]
    fast, slow = rows / bare_median, rows / ours_median
    section.add(f"bare COPY, {rows:,} bars in CSV", f"{fast:,.0f} rows/s")
    section.add(
        "land_bars against bare COPY (keys, checks, rules, revisions, change capture)",
        f"{slow:,.0f} rows/s",
        ratio=slow / fast,
        least=0.25,
    )
    section.add(
        "land_bars, thousand rows/s",
        seconds(ours_median),
        ratio=slow / 1000,
        least=200,
        unit="",
    )
    section.add(
        "land_bars, CPU of the server, against the bare COPY's",
        f"{seconds(min(work['ours']))} to {seconds(min(work['bare']))}",
        ratio=min(work["bare"]) / min(work["ours"]),
    )
    with space.fresh("bench_landing"):
        land(bars.history, path)
        say("landing: the same file again")
        again = timed(lambda: _again(bars.history, path))
        section.add("the same file again (nothing lands)", seconds(again))
        say("landing: the same insert with and without the change log")
        with_log, without = capture()
        section.add(
            "change capture: CPU of inserting the bars with the change log, against without",
            f"{seconds(with_log)} to {seconds(without)}",
            ratio=with_log / without,
            most=1.3,
        )
    return [section]


def capture() -> tuple[float, float]:
    """Insert the landed bars again and again; return the backend's CPU with and without the log.

    Without it there is no trigger after the insert at all, so that keeping the new rows for the
    triggers counts as the log's. Every insert finds an empty table and index. The least of some
    trials: what else runs on the machine only adds, to processor time too.
    """
    measured: dict[str, list[float]] = {"enable": [], "disable": []}
    with connect() as session:
        session.execute(BESIDE)
        session.execute(ENABLE.format("disable", "bars_positive"))
        for _ in range(TRIALS):
            for switch, found in measured.items():
                for statement in (*EMPTY, ENABLE.format(switch, "bars_log_changes"), "checkpoint"):
                    session.execute(statement)
                before = cpu_seconds(session)
                session.execute("insert into raw_market.bars select * from beside")
                found.append(cpu_seconds(session) - before)
    return min(measured["enable"]), min(measured["disable"])


def cpu_seconds(session: psycopg.Connection[Any]) -> float:
    """Return the processor time that the backend of a session has used (Linux)."""
    user, system = _stat(session.info.backend_pid)[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server_seconds(found: list[float]) -> Iterator[None]:
    """Note the processor time of the backends that end within (Linux): their parent adds it up."""

    def ended() -> float:
        with connect() as session:
            parent = int(_stat(session.info.backend_pid)[1])
        time.sleep(0.2)  # the parent hears of the end of a child a moment later
        user, system = _stat(parent)[13:15]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    before = ended()
    yield
    found.append(ended() - before)


def _stat(pid: int) -> list[str]:
    """Return the fields of a process after its name (proc_pid_stat(5), from the third)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _again(bars: pl.DataFrame, path: Path) -> None:
    """Land what is known already."""
    write_csv(bars, path)
    (batch,) = land_bars([path], profile=profile(path.parent))
    path.unlink()
    if batch.known != bars.height:
        raise RuntimeError(f"{batch.known} of {bars.height} bars were known")
