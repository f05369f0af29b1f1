"""The law of incremental builds, by small histories: each is what a mistake would get wrong.

Random ones are in test_stateful.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dbt_runs import Moment, needed_project, statement_of
from mutants import MUTANTS, planted
from schedules import KNOWN, Schedule
from warehouse import config, database

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")
CORRECTED = 255
"""A row whose bar, number 256, has a stored state."""


def late_correction(project: Path, folder: Path) -> Schedule:
    """Commit a correction after a build that began later has been published."""
    schedule = Schedule(folder, project)
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


def correction_while_building(
    project: Path, folder: Path, moment: Moment | None = None
) -> Schedule:
    """Land a correction in the middle of a build, which has read the change log and the bars.

    No mart may be done before: one whose watermark is older keeps the change dirty for all of them.
    """
    schedule = Schedule(folder, project)
    schedule.land(AAPL, list(range(300)))
    schedule.land(IBM, list(range(200)))
    schedule.build()
    schedule.land(IBM, list(range(200, 210)))
    schedule.build(
        at=moment or statement_of("int_bars_this_run", "insert into ops.built_from"),
        do=lambda: schedule.correct(AAPL, [CORRECTED], 0.5),
    )
    assert "land oracle" in schedule.told[-1], "nothing happened in the middle of the build"
    return schedule


def correction_before_the_cut(project: Path, folder: Path) -> Schedule:
    """Land a correction just before the cut of the run window is taken."""
    moment = statement_of("int_run_window", "insert into ops.built_from")
    return correction_while_building(project, folder, moment)


HISTORIES: dict[str, Callable[[Path, Path], Schedule]] = {
    "cut taken when the model is done": correction_while_building,
    "cut taken after the read": correction_before_the_cut,
}
"""What catches a mutant; the others are caught by a late correction."""


OF_BARS = ("feature_coverage", "mv_features_dashboard_summary", "int_forward_returns")
"""Marts that need little more than bars; each mutant shows in one of them."""


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


def test_correction_while_building(fresh: str, tmp_path: Path) -> None:
    correction_while_building(config.PROJECT, tmp_path).compare()


def test_correction_before_the_cut(fresh: str, tmp_path: Path) -> None:
    correction_before_the_cut(config.PROJECT, tmp_path).compare()


def test_close_before_a_dividend_is_corrected(fresh: str, tmp_path: Path) -> None:
    schedule = Schedule(tmp_path)
    for key in schedule.bars:
        schedule.land(key, list(range(40)))
    schedule.action(AAPL, "cash_dividend", schedule.day(AAPL, 30), amount=0.37)
    schedule.build()
    # The dividend is weighed by the close of row 29: every factor before it changes.
    schedule.correct(AAPL, [29], 0.0)
    schedule.compare()


def test_as_of_before_a_series_was_known(fresh: str, tmp_path: Path) -> None:
    """A series that was not known then has no rows, though the marts had them before."""
    schedule = Schedule(tmp_path)
    schedule.land(AAPL, list(range(5)))
    schedule.build()
    schedule.compare(as_of="2020-01-01")


def test_right_code_is_not_caught(fresh: str, tmp_path: Path) -> None:
    """What the mutants are planted in, without any."""
    late_correction(needed_project(tmp_path / "right", *OF_BARS), tmp_path).compare()


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_caught(fresh: str, tmp_path: Path, mutant: str) -> None:
    project = planted(MUTANTS[mutant], tmp_path / mutant.replace(" ", "_"), *OF_BARS)
    history = HISTORIES.get(mutant, late_correction)
    with pytest.raises(AssertionError, match=r"in full refresh|duplicate key"):
        history(project, tmp_path).compare()
