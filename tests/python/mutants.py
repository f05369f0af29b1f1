"""The mechanism with one mistake in it: the suite must notice each of them."""

from __future__ import annotations

from pathlib import Path

from dbt_runs import copied_project, needed_project

RUN_WINDOW = "models/intermediate/run_window/int_run_window.sql"
CHANGES = "models/intermediate/run_window/int_unseen_changes.sql"
REPLACE = "macros/incremental/window_range.sql"
WATERMARK = "macros/incremental/move_watermark.sql"

Mutant = tuple[str, str, str]
"""A file, what is right in it, and what is wrong instead."""

MUTANTS: dict[str, Mutant] = {
    "look-back shorter by one": (
        RUN_WINDOW, "            ) as bars", "            ) - 1 as bars",
    ),
    # By two: the terms of the longest window look back one bar themselves.
    "look-back of terms too short": (
        "models/intermediate/features/int_series_this_run.sql", "without='trend') }}, 1)",
        "without='trend') }} + 2, 1)",
    ),
    "look-ahead shorter by one": (
        RUN_WINDOW, "label_horizons() | max - 1", "label_horizons() | max - 2",
    ),
    "watermark is max(known_at)": (
        CHANGES,
        "            and change_log._xid >= pg_snapshot_xmin(snapshots.seen::pg_snapshot)\n"
        "            and not pg_visible_in_snapshot(change_log._xid, snapshots.seen::pg_snapshot)",
        "            and exists (\n"
        "                select from raw_market.bars\n"
        "                where bars.instrument_id = change_log.instrument_id\n"
        "                and bars.known_at > coalesce((\n"
        "                    select max(updated_at) from build.feature_engineered_data\n"
        "                ), '-infinity')\n"
        "            )",
    ),
    "state of the changed bar itself": (
        RUN_WINDOW, "and checkpoints.bar_ts < dirty.recompute_from",
        "and checkpoints.bar_ts <= dirty.recompute_from",
    ),
    "nothing deleted": (
        REPLACE, "same | join(", "['false'] | join(",
    ),
    "cut taken when the model is done": (
        # A snapshot later than its own transaction would be distrusted, as one of a restore.
        WATERMARK, "run_window.cut,",
        "(pg_current_xact_id()::text || ':' || pg_current_xact_id()::text || ':')::pg_snapshot,",
    ),
    "cut taken after the read": (
        RUN_WINDOW, "config(pre_hook='{{ take_cut() }}')", "config(post_hook='{{ take_cut() }}')",
    ),
    "cut taken as the newest transaction": (
        WATERMARK, "run_window.cut,",
        "(pg_snapshot_xmax(run_window.cut)::text || ':' || pg_snapshot_xmax(run_window.cut)::text"
        " || ':')::pg_snapshot,",
    ),
}  # fmt: skip

MUTANTS_OF_RESTORES: dict[str, Mutant] = {
    "only the future is distrusted": (
        "macros/incremental/is_own_watermark.sql",
        "< 2147483648",
        "< 4294967296 and pg_snapshot_xmax({{ consumers }}.seen)"
        " <= pg_snapshot_xmax(pg_current_snapshot())",
    ),
}
"""Mistakes that only a restored backup shows."""

OUTCOMES = "models/intermediate/models/int_predictions_this_run.sql"
WINDOWS = "models/intermediate/models/int_model_windows.sql"
COMPARISONS = "models/intermediate/models/int_model_comparisons.sql"

MUTANTS_OF_PREDICTIONS: dict[str, Mutant] = {
    "labels found once are never looked at again": (
        OUTCOMES, "or outcomes.label_bar_at >= run_window.recompute_from", "",
    ),
    "the window compares predictions, not outcomes": (
        WINDOWS, "'|', outcomes.realised_return, '|', outcomes.realised_volatility", "'|'",
    ),
    "two models are compared by predictions, not outcomes": (
        COMPARISONS,
        ",\n                    realised_return,\n                    realised_volatility\n", "\n",
    ),
}  # fmt: skip
"""Mistakes in what model_performance and model_comparison take in."""

CROSS_SECTIONS = "models/intermediate/cross_sections/int_cross_sections_this_run.sql"

MUTANTS_OF_FACTORS: dict[str, Mutant] = {
    "what nobody has seen is not compared": (
        CROSS_SECTIONS, "[built, published] |", "[built] |",
    ),
    "a value that went is no change": (
        CROSS_SECTIONS,
        "            union all\n            (\n"
        "                select * from stored_{{ loop.index }}\n"
        "                except\n                select * from computed\n            )\n",
        "",
    ),
    "positions in the run instead of the series": (
        "models/marts/features/features_alpha158.sql", "high, -bar_number]", "high, -bar_row]",
    ),
}  # fmt: skip
"""Mistakes in Alpha158 and in which cross-sections are computed again."""

MUTANTS_OF_DRIFT: dict[str, Mutant] = {
    "drift reads one day too few": (
        "models/intermediate/models/int_drift_window.sql",
        "first_days.first_day - {{ drift_window_days() - 1 }}",
        "first_days.first_day - {{ drift_window_days() - 2 }}",
    ),
}
"""Mistakes in what model_drift_daily takes in."""


def planted(mutant: Mutant, folder: Path, *marts: str) -> Path:
    """Copy the project with a mistake in it: all of it, or what some marts need.

    A history builds five times; half of the models in half of the time show the mistake as well.
    """
    project = needed_project(folder, *marts) if marts else copied_project(folder)
    plant(mutant, project)
    return project


def plant(mutant: Mutant, project: Path) -> None:
    """Make a mistake in a copy of the project."""
    file, right, wrong = mutant
    text = (project / file).read_text(encoding="utf-8")
    assert right in text, f"{file} has changed: adapt this mutant to it"
    (project / file).write_text(text.replace(right, wrong), encoding="utf-8")
