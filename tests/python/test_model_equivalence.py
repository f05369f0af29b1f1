"""The law of incremental builds for predictions and what came true of them.

Random histories, predictions among them, are in test_stateful.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from corrections import rename
from mutants import MUTANTS_OF_PREDICTIONS, planted
from prediction_rows import predict, register
from schedules import Schedule
from warehouse import config, database
from warehouse.landing.reference import land_table

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")


def begun(project: Path, folder: Path) -> Schedule:
    """Predict about bars of two series, the last of them not landed, and build."""
    schedule = Schedule(folder, project)
    schedule.land(AAPL, list(range(60)))
    schedule.land(IBM, list(range(40)))
    for model, key, kind, count, lowest in (
        ("first", AAPL, "price_direction", 70, 1),
        ("rival", AAPL, "price_direction", 70, -4),
        ("second", AAPL, "return", 70, 1),
        ("other", IBM, "volatility", 40, 1),
    ):
        values = [(row * 7 % 11 + lowest) / 100 for row in range(count)]
        predict(schedule, key, list(range(count)), model=model, kind=kind, horizon=5, values=values)
    schedule.build()
    return schedule


def open_windows() -> set[tuple[str, str]]:
    """Return model and period of what the last build computed."""
    with database.connect("tests") as conn:
        return set(
            conn.execute(
                "select model_id, period from intermediate.int_model_windows where is_open"
            ).fetchall()
        )


def comparisons(condition: str) -> set[tuple[str, str, str]]:
    """Return champion, challenger and period of what the last build compared."""
    with database.connect("tests") as conn:
        return set(
            conn.execute(
                "select champion_id, challenger_id, period"
                f" from intermediate.int_model_comparisons where {condition}".encode()
            ).fetchall()
        )


def test_late_labels_reopen_what_they_must_and_nothing_else(fresh: str, tmp_path: Path) -> None:
    schedule = begun(config.PROJECT, tmp_path)
    schedule.build()
    assert open_windows() == comparisons("is_open") == set()
    both = {("first", "rival"), ("rival", "first")}
    months = ("all", "2000-03", "2000-04", "2000-05")
    assert comparisons("true") == {(*pair, period) for pair in both for period in months}
    # Bars of May end the labels of its predictions, and of none before the end of April.
    schedule.land(AAPL, list(range(60, 65)))
    schedule.build()
    assert schedule.day(AAPL, 55) > "2000-05"
    closed = ("all", "2000-05")
    assert open_windows() == {(m, p) for m in ("first", "rival", "second") for p in closed}
    assert comparisons("is_open") == {(*pair, period) for pair in both for period in closed}
    # What models claim and which sector a company is in lands without any bar.
    register("first", '{"accuracy": 0.9}')
    with database.connect("tests") as conn:
        conn.execute("update raw_ml.models set status = 'shadow' where model_id = 'rival'")
    info = tmp_path / "info.csv"
    info.write_text("symbol,sector\nIBM,Technology\n")
    land_table("stock_info", [info], source="vendor")
    # Renamed after predictions that nobody could place.
    schedule.change_ticker("IBM", schedule.day(IBM, 40))
    schedule.land(IBM, list(range(40, 50)))
    predict(schedule, IBM, list(range(38, 48)), model="other", values=[0.1] * 10)
    schedule.build()
    assert {model for model, _ in open_windows()} == {"other"}
    # The one that nobody acts on any more is no champion; the rest stays as it was.
    assert comparisons("true") == {("first", "rival", period) for period in months}
    assert comparisons("is_open") == set()
    rename(schedule, "IBM", *schedule.tickers["IBM"])
    schedule.correct(AAPL, [30], 0.25)
    schedule.compare()


@pytest.mark.parametrize("mutant", MUTANTS_OF_PREDICTIONS)
def test_mutants_are_caught(fresh: str, tmp_path: Path, mutant: str) -> None:
    marts = ("model_performance", "model_comparison")
    project = planted(MUTANTS_OF_PREDICTIONS[mutant], tmp_path / mutant.replace(" ", "_"), *marts)
    schedule = begun(project, tmp_path)
    schedule.correct(AAPL, [30], 0.25)
    with pytest.raises(AssertionError, match="in full refresh"):
        schedule.compare()
