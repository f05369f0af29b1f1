"""The law of incremental builds for signals: whatever lands when, equal to a full refresh."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mutants import Mutant, planted
from schedules import Schedule
from signal_rows import CLOSES, LAND, Speaker, land_agents, land_market, say_what_they_are
from warehouse import config, database
from warehouse.landing.corrections.withdrawals import withdraw_bars

DAILY = "models/marts/signals/signal_performance_daily.sql"
WINDOW = "models/intermediate/signals/int_signal_window.sql"

MUTANTS: dict[str, Mutant] = {
    "the session before is not read": (
        WINDOW, "coalesce(previous.session_date, first_days.first_day)", "first_days.first_day",
    ),
    "late signals are not looked for": (
        WINDOW, "changes.relation = 'raw_signals.signals'::regclass and", "false and",
    ),
    "labels are not looked for again": (
        WINDOW, "where run_window.timeframe = '1d'", "where false",
    ),
    "renames are not looked for": (
        WINDOW, "where changes.relation = 'ref.symbol_history'::regclass", "where false",
    ),
    "sectors are not compared": (
        WINDOW, "where (known.sector = used.sector) is not true", "where false",
    ),
}  # fmt: skip
"""One mistake each; the history below must show it."""

LATER = ("renames are not looked for", "sectors are not compared")
"""Mistakes that only the longer history shows."""


def history(project: Path, folder: Path) -> Schedule:
    """Signals and bars, late, corrected, withdrawn, renamed and held back."""
    schedule = Schedule(folder, project)
    speaker = Speaker()
    land_agents("smooth_agent", "momentum_agent")
    land_market(list(range(60)), but=(("S2", 30),))
    speaker.rounds("smooth_agent", list(range(20, 60)))
    speaker.rounds("momentum_agent", list(range(20, 50)), digits=1)
    speaker.say("smooth_agent", "NEW", CLOSES[40], 0.7)
    say_what_they_are({"S1": "Technology", "S2": "Technology", "S3": "Energy", "S4": ""}, folder)
    schedule.build()
    with database.connect("held back") as conn:
        at = CLOSES[33] - pd.Timedelta("1h")
        conn.execute(LAND, ["momentum_agent", "late", "S3", at, "short", 0.8])
        # Labels close, a bar comes late.
        land_market(list(range(60, 63)))
        land_market([30], ("S2",))
        schedule.build()
    schedule.build()
    return schedule


def corrected(project: Path, folder: Path) -> Schedule:
    """Go on: a bar is corrected, one is withdrawn, and a ticker turns out to be another's."""
    schedule = history(project, folder)
    # One company moves, one is placed at last, one is no longer; nobody's bars change.
    say_what_they_are({"S2": "Energy", "S4": "Energy", "S1": ""}, folder)
    schedule.build()
    land_market([55], ("S4",), shift=0.5)
    day = CLOSES[50].date()
    withdraw_bars(source="oracle", symbol="S6", timeframe="1d", start=day, end=day)
    schedule.build()
    with database.connect("tests") as conn:
        conn.execute(
            "insert into ref.symbol_history (symbol, calendar, valid_from, instrument_id, source)"
            " select 'NEW', calendar, '2024-01-01', instrument_id, 'tests'"
            " from ref.instruments where symbol = 'S1'"
        )
    schedule.build()
    return schedule


def test_signals_equal_a_full_refresh(fresh: str, tmp_path: Path) -> None:
    schedule = corrected(config.PROJECT, tmp_path)
    schedule.compare()
    with database.connect("tests") as conn:
        row = conn.execute(
            "select count(*), count(top_turnover), (select count(*) from"
            " intermediate.int_signal_sector_days where sector = 'Energy')"
            " from marts.signal_performance_daily"
        ).fetchone()
    assert row
    assert min(row) > 100


def test_as_of(fresh: str, tmp_path: Path) -> None:
    """Nothing was known then, though the marts had rows before."""
    schedule = history(config.PROJECT, tmp_path)
    schedule.compare(as_of="2020-01-01")


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_caught(fresh: str, tmp_path: Path, mutant: str) -> None:
    project = planted(
        MUTANTS[mutant], tmp_path / mutant.replace(" ", "_"),
        "signal_performance_daily", "int_signal_sectors",
    )  # fmt: skip
    lives: Callable[[Path, Path], Schedule] = corrected if mutant in LATER else history
    with pytest.raises(AssertionError, match=r"in full refresh"):
        lives(project, tmp_path).compare()
