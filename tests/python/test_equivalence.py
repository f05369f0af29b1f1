"""The law of incremental builds: whatever happened, they equal a full refresh to the last bit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import TEMPLATE
from databases import cloned_database
from dbt_runs import copied_project, dbt
from schedules import KNOWN, Schedule
from warehouse import config, database
from warehouse.config import Home

SCHEDULES = int(os.environ.get("SCHEDULES", "3"))
"""How many random histories; for a night: `SCHEDULES=200 pytest -k test_random_history`."""

STEPS = 12
AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")
CORRECTED = 255
"""A row whose bar, number 256, has a stored state."""

RUN_WINDOW = "models/intermediate/run_window/int_run_window.sql"
REPLACE = "macros/incremental/window_range.sql"
MUTANTS = {
    "look-back shorter by one": (
        RUN_WINDOW, "select max(lookback_bars) as bars", "select max(lookback_bars) - 1 as bars",
    ),
    "watermark is the latest time seen": (
        RUN_WINDOW,
        "        change_log._xid >= pg_snapshot_xmin(watermarks.seen)\n"
        "        and not pg_visible_in_snapshot(change_log._xid, watermarks.seen)",
        "        change_log.logged_at > (select max(consumed_at) from ops.consumers)",
    ),
    "state of the changed bar itself": (
        RUN_WINDOW, "and checkpoints.bar_ts < dirty.recompute_from",
        "and checkpoints.bar_ts <= dirty.recompute_from",
    ),
    "nothing deleted": (
        REPLACE, "target.timeframe = run_window.timeframe", "false",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def base(home: Home) -> Iterator[str]:
    """A database with everything built on nothing landed."""
    with cloned_database(home, "test_equivalence", TEMPLATE) as name:
        dbt("build")
        yield name


@pytest.fixture
def fresh(home: Home, base: str) -> Iterator[str]:
    """A copy of it; always by the same name, so that dbt parses the project once."""
    with cloned_database(home, "test_schedule", base) as name:
        yield name


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_random_history(fresh: str, tmp_path: Path, seed: int) -> None:
    schedule = Schedule(seed, tmp_path)
    for key in schedule.bars:
        schedule.land(key, list(range(schedule.random.choice([1, 70, 260]))))
    schedule.build()
    for _ in range(STEPS):
        schedule.step()
    schedule.compare()


def late_correction(project: Path, folder: Path) -> Schedule:
    """Commit a correction after a build that began later has been published."""
    schedule = Schedule(0, folder, project)
    schedule.land(AAPL, list(range(300)))
    schedule.land(IBM, list(range(200)))
    schedule.build()
    clock = schedule.bars[AAPL]["clock"]
    with database.connect("held back") as conn:
        conn.execute(KNOWN, [*AAPL, clock[CORRECTED], clock[CORRECTED]])
        schedule.land(IBM, list(range(200, 210)))
        schedule.build()
    schedule.build()
    return schedule


def test_late_correction(fresh: str, tmp_path: Path) -> None:
    schedule = late_correction(config.PROJECT, tmp_path)
    with database.connect("tests") as conn:
        window = conn.execute(
            "select i.symbol, w.recompute_from from intermediate.int_run_window as w"
            " inner join ref.instruments as i using (instrument_id)"
        ).fetchall()
    # Only the series that changed was built again, from the bar that changed.
    assert window == [("AAPL", schedule.bars[AAPL]["clock"][CORRECTED])]
    schedule.compare()


def test_close_before_a_dividend_is_corrected(fresh: str, tmp_path: Path) -> None:
    schedule = Schedule(1, tmp_path)
    for key in schedule.bars:
        schedule.land(key, list(range(40)))
    ex_date = schedule.bars[AAPL]["session_date"][30].date().isoformat()
    schedule.action(AAPL, "cash_dividend", ex_date, amount=0.37)
    schedule.build()
    # The dividend is weighed by the close of row 29: every factor before it changes.
    schedule.land(AAPL, [29], change=lambda bars: bars.assign(close=bars["low"]))
    schedule.compare()


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_caught(fresh: str, tmp_path: Path, mutant: str) -> None:
    file, right, wrong = MUTANTS[mutant]
    project = copied_project(tmp_path / mutant.replace(" ", "_"))
    text = (project / file).read_text(encoding="utf-8")
    assert right in text, f"{file} has changed: adapt this mutant to it"
    (project / file).write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(AssertionError, match=r"in full refresh|duplicate key"):
        late_correction(project, tmp_path).compare()
