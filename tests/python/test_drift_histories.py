"""The law of incremental builds for drift, skew and alarms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from corrections import rename
from mutants import MUTANTS_OF_DRIFT, planted
from oracle_formulas import exchange
from prediction_rows import predict
from schedules import Schedule
from warehouse import config, database, drift

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")


def begun(project: Path, folder: Path) -> Schedule:
    """Predict about two series by what their bars say, build, and freeze references."""
    schedule = Schedule(folder, project)
    schedule.land(AAPL, [row for row in range(330) if row != LATE])
    schedule.land(IBM, list(range(60)))
    for key, count in ((AAPL, 330), (IBM, 70)):
        say(schedule, key, list(range(count)))
    schedule.build()
    start = datetime(2000, 1, 1, tzinfo=UTC)
    drift.freeze(
        "model", since=start, until=start + timedelta(days=120), model="m",
        kind="return", horizon=1,
    )  # fmt: skip
    drift.freeze(
        "bars", since=start, until=start + timedelta(days=120), features="returns,obv",
    )  # fmt: skip
    schedule.build()
    return schedule


LATE = 20
"""A session of AAPL that lands after later ones."""


def say(schedule: Schedule, key: tuple[str, str], rows: list[int]) -> None:
    """Predict with features that are right, wrong, unknown and missing."""
    closes = schedule.bars[key]["close"].astype(float)
    features = [
        {
            "close": closes[row] * (1.01 if row == WRONG else 1),
            "returns": None if row == 0 else closes[row] / closes[row - 1] - 1,
            "open": "text",
            "mood": row % 5,
            "is_half_day": False,
            "sma_200": None,
        }
        for row in rows
    ]
    values = [(row * 7 % 11 - 5) / 100 for row in rows]
    predict(schedule, key, rows, model="m", kind="return", values=values, features=features)


WRONG = 40
"""Row of which the model saw another close."""


def statuses(feature: str, symbol: str = "AAPL") -> dict[int, str]:
    """Return the status of a feature by row."""
    with database.connect("tests") as conn:
        return dict(
            conn.execute(
                "select split_part(prediction_id, ' ', -1)::integer, status"
                " from marts.prediction_skew where feature = %s and symbol = %s",
                [feature, symbol],
            ).fetchall()
        )


def counts() -> list[int]:
    """Return how many rows the last build read for drift and alarms."""
    with database.connect("tests") as conn:
        return [
            conn.execute(f"select count(*) from intermediate.{name}".encode()).fetchone()[0]  # type: ignore[index]
            for name in ("int_drift_window", "int_ic_models_this_run")
        ]


def test_a_correction_is_not_skew(fresh: str, tmp_path: Path) -> None:
    schedule = begun(config.PROJECT, tmp_path)
    close = statuses("close")
    assert {row for row, status in close.items() if status == "differs"} == {WRONG}
    assert {row for row, status in close.items() if status == "no_bar"} == {LATE}
    assert set(statuses("mood").values()) == {"unknown_feature"}
    assert set(statuses("open").values()) == {"differs", "no_bar"}
    halves = exchange("XNYS").early_closes.strftime("%Y-%m-%d")
    for row, status in statuses("is_half_day").items():
        if row != LATE:
            assert status == ("differs" if schedule.day(AAPL, row) in halves else "equal")
    # The mart compares with the bar before, which is not there.
    assert statuses("returns")[LATE + 1] == "differs"
    schedule.build()
    assert counts() == [0, 0]
    schedule.correct(AAPL, [30], 0.25)
    schedule.land(AAPL, [LATE])
    say(schedule, AAPL, list(range(330, 340)))
    schedule.land(IBM, list(range(60, 70)))
    schedule.compare(keep=True)
    close, returns = statuses("close"), statuses("returns")
    # A bar was restated before row 40 was: nobody can say any more what it would have been.
    assert {row for row, status in close.items() if status == "corrected_since"} == {30, WRONG}
    assert {row for row, status in returns.items() if status == "corrected_since"} == {30, 31}
    assert returns[LATE + 1] == "equal"
    schedule.action(IBM, "split", schedule.day(IBM, 50), ratio=2)
    schedule.change_ticker("AAPL", schedule.day(AAPL, 330))
    rename(schedule, "AAPL", *schedule.tickers["AAPL"])
    schedule.compare()
    split = statuses("close", "IBM")
    assert {row for row, status in split.items() if status == "corrected_since"} >= set(range(50))


@pytest.mark.parametrize("mutant", MUTANTS_OF_DRIFT)
def test_mutants_are_caught(fresh: str, tmp_path: Path, mutant: str) -> None:
    project = planted(
        MUTANTS_OF_DRIFT[mutant], tmp_path / mutant.replace(" ", "_"), "model_drift_daily"
    )
    schedule = begun(project, tmp_path)
    schedule.correct(AAPL, [30], 0.25)
    say(schedule, AAPL, list(range(330, 333)))
    with pytest.raises(AssertionError, match="in full refresh"):
        schedule.compare()
