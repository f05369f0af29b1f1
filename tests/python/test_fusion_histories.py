"""The law of incremental builds for fused signals: whatever lands when, equal to a full refresh."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dbt_runs import copied_project
from fusion_rows import INPUT, fuse
from label_oracles import frame
from mutants import Mutant, plant
from schedules import Schedule
from signal_rows import CLOSES, LAND, SESSIONS, Speaker, land_agents, land_market
from warehouse import config, database
from warehouse.landing.corrections.withdrawals import withdraw_bars

TOUCHED = "models/intermediate/signals/int_fused_signals_this_run.sql"

MUTANTS: dict[str, tuple[Mutant, set[str]]] = {
    "late fused signals are not looked for": (
        (TOUCHED, "where changes.relation = 'raw_signals.fused_signals'::regclass", "where false"),
        {"late"},
    ),
    "late inputs are not looked for": (
        (TOUCHED, "where changes.relation = 'raw_signals.fusion_inputs'::regclass", "where false"),
        {"heard late"},
    ),
    "late signals are not looked for": (
        (TOUCHED, "where changes.relation = 'raw_signals.signals'::regclass", "where false"),
        {"orphaned"},
    ),
    "renames are not looked for": (
        (TOUCHED, "where changes.relation = 'ref.symbol_history'::regclass", "where false"),
        {"renamed"},
    ),
    "labels are not looked for again": (
        (
            TOUCHED,
            "and built.session_date >= (run_window.labels_from at time zone 'UTC')::date",
            "and false",
        ),
        {"open", "corrected", "withdrawn"},
    ),
    "what had no price is not looked at again": (
        (TOUCHED, "where built.instrument_id is null", "where false"),
        {"unpriced"},
    ),
}
"""One mistake each, and the fused signals that nothing else re-opens."""

DIFFERENT = """
    select fused_id from (table frozen.{0} except all table build.{0}) as a
    union
    select fused_id from (table build.{0} except all table frozen.{0}) as b
"""


def history(project: Path, folder: Path) -> Schedule:
    """Fused signals, their inputs, signals and bars; late, corrected, withdrawn and renamed.

    Entries of the first sessions are farther from all bars that change than labels look ahead.
    """
    schedule = Schedule(folder, project)
    speaker = Speaker()
    land_agents("agent", "friday_agent", "allocator")
    land_market(list(range(60)), but=(("S2", 30),))
    speaker.say("agent", "S0", CLOSES[5], 0.5)
    speaker.say("friday_agent", "NEW", CLOSES[3] + pd.Timedelta("5min"), 0.5)
    heard = [("agent", "g000001", 0.7)]
    with database.connect("tests") as conn:
        for fused_id, symbol, row in (
            ("settled", "S0", 5), ("heard late", "S0", 5), ("open", "S1", 50),
            ("unpriced", "S2", 29), ("corrected", "S4", 54), ("withdrawn", "S6", 49),
        ):  # fmt: skip
            fuse(conn, fused_id, symbol, CLOSES[row] + pd.Timedelta("10min"), 0.4, heard)
        fuse(conn, "orphaned", "S0", CLOSES[5], -0.4, [("agent", "late", -0.9), *heard])
        # On a Friday, of a ticker that begins on the Monday.
        fuse(conn, "renamed", "NEW", CLOSES[3], 0.4, heard)
    schedule.build()
    with database.connect("held back") as conn:
        conn.execute(LAND, ["agent", "late", "S3", CLOSES[4], "short", 0.8])
        fuse(conn, "late", "S5", CLOSES[7], 0.4, heard)
        conn.execute(INPUT, ["heard late", "agent", "late", 0.2])
        # Labels close; a bar comes late, one is corrected, one withdrawn.
        land_market(list(range(60, 63)))
        land_market([30], ("S2",))
        land_market([55], ("S4",), shift=0.5)
        day = CLOSES[50].date()
        withdraw_bars(source="oracle", symbol="S6", timeframe="1d", start=day, end=day)
        schedule.build()
    with database.connect("tests") as conn:
        conn.execute(
            "insert into ref.symbol_history (symbol, calendar, valid_from, instrument_id, source)"
            " select 'NEW', calendar, %s, instrument_id, 'tests'"
            " from ref.instruments where symbol = 'S1'",
            [SESSIONS[4].date()],
        )
    return schedule


def test_fused_signals_equal_a_full_refresh(fresh: str, tmp_path: Path) -> None:
    schedule = history(config.PROJECT, tmp_path)
    schedule.compare()
    rows = frame(
        "select f.fused_id, f.session_date, f.missing_inputs, o.forward_return"
        " from marts.fused_signals as f"
        " cross join unnest(f.horizons, f.forward_returns) as o (horizon, forward_return)"
        " where o.horizon = 5"
    ).set_index("fused_id")
    assert set(rows.index) == {"settled"}.union(*(ids for _, ids in MUTANTS.values()))
    assert rows["missing_inputs"].eq(0).all()
    assert rows.index[rows["forward_return"].isna()].tolist() == ["withdrawn"]
    assert rows.loc["renamed", "session_date"] == SESSIONS[4].date()
    # Nothing was known then, though the marts had rows before.
    schedule.build(as_of="2020-01-01")
    assert frame("select * from marts.fused_signals").empty
    assert frame("select * from marts.fused_signal_attribution").empty


def test_mutants_are_caught(fresh: str, tmp_path: Path) -> None:
    """All mistakes at once: each leaves its own fused signals as they were, and no others."""
    project = copied_project(tmp_path / "mutants")
    for mutant, _ in MUTANTS.values():
        plant(mutant, project)
    with pytest.raises(AssertionError, match=r"in full refresh"):
        history(project, tmp_path).compare()
    stale = set()
    for mart in ("fused_signals", "fused_signal_attribution"):
        stale |= set(frame(DIFFERENT.format(mart))["fused_id"])
    assert stale == set().union(*(ids for _, ids in MUTANTS.values()))
