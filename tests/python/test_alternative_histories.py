"""The law of incremental builds for alternative data and options: whatever lands when."""

from __future__ import annotations

from pathlib import Path

import pytest

from alternative_rows import chain, close, land, news, post, value, window
from dbt_runs import dbt
from mutants import Mutant, planted
from schedules import Schedule
from signal_rows import CLOSES, land_market
from warehouse import config, database
from warehouse.landing.corrections.withdrawals import withdraw_bars

WINDOW = "models/intermediate/alternative/int_alternative_window.sql"

MUTANTS: dict[str, Mutant] = {
    "what landed late is not looked for": (
        WINDOW, "entity as symbol,\n        lo\n    from changes",
        "entity as symbol,\n        'infinity' as lo\n    from changes",
    ),
}  # fmt: skip
"""One mistake each; the history below must show it."""


def begun(project: Path, folder: Path) -> Schedule:
    """Say something of three instruments and quote options on one, then build."""
    schedule = Schedule(folder, project)
    land_market(list(range(40)), ("S1", "S2", "S3"))
    land("raw_alt.news_symbols", *[
        news(symbol, close(row, -2), row % 7 / 7) for symbol in ("S1", "S2", "OLD")
        for row in range(10, 40, 2)
    ])  # fmt: skip
    land("raw_alt.social_posts", *[post("S1", close(row, -1), row % 5 / 5) for row in range(38)])
    land("raw_alt.social_sentiment", window("S2", close(20, -1), 0.5))
    land("raw_alt.alternative_data", value("S2", close(20, -1), {"spent": 1}))
    for row in (30, 31):
        land("raw_market.option_quotes", *chain("S3", row))
    schedule.build()
    return schedule


def changed(project: Path, folder: Path) -> Schedule:
    """Go on: late and restated rows, a held back landing, bars, tickers."""
    schedule = begun(project, folder)
    with database.connect("held back") as conn:
        land("raw_alt.news_symbols", news("S2", close(25, -3), -0.9, article_id="h"), conn=conn)
        # Both are known in time: they have only not been landed when the bars were built.
        land("raw_alt.social_posts", post("S1", close(15, -5), -1, post_id="late"))
        land("raw_market.option_quotes", *chain("S3", 32, shift=0.1))
        land("raw_alt.alternative_data", value("S2", close(20, -1), {"spent": 2}, revision=1))
        schedule.build()
    land_market([40, 41], ("S1", "S2", "S3"))
    land_market([25], ("S2",), shift=0.5)
    day = CLOSES[35].date()
    withdraw_bars(source="oracle", symbol="S1", timeframe="1d", start=day, end=day)
    schedule.build()
    return schedule


def tickers(schedule: Schedule) -> None:
    """A ticker turns out to be an instrument's, and then another's."""
    insert = """
        insert into ref.symbol_history (symbol, calendar, valid_from, instrument_id, source)
        select 'OLD', calendar, '2024-01-01', instrument_id, 'tests'
        from ref.instruments where symbol = %s
    """
    with database.connect("tests") as conn:
        conn.execute(insert, ["S3"])
    schedule.build()
    with database.connect("tests") as conn:
        conn.execute("delete from ref.symbol_history where symbol = 'OLD'")
        conn.execute(insert, ["S1"])


def counts() -> tuple[int, ...]:
    """Return how many bars and rows of the marts the last build computed."""
    with database.connect("tests") as conn:
        row = conn.execute(
            "select (select count(*) from intermediate.int_run_window),"
            " (select count(*) from intermediate.int_alternative_window),"
            " (select count(*) from intermediate.int_alternative_bars_this_run),"
            " (select count(*) from intermediate.int_option_chains_this_run)"
        ).fetchone()
    assert row
    return tuple(row)


def test_alternative_data_equals_a_full_refresh(fresh: str, tmp_path: Path) -> None:
    schedule = changed(config.PROJECT, tmp_path)
    schedule.build()
    assert counts() == (0, 0, 0, 0)
    # Options on an instrument make none of its bars dirty, and no other instrument is touched.
    land("raw_market.option_quotes", *chain("S3", 41))
    schedule.build()
    series, _, bars, contracts = counts()
    assert series == 0
    assert 0 < bars < 5
    assert contracts > 0
    tickers(schedule)
    schedule.compare()
    with database.connect("tests") as conn:
        row = conn.execute(
            "select count(*) filter (where symbol = 'S1'), count(*) filter (where symbol = 'S3'),"
            " (select count(*) from marts.features_options) from marts.features_sentiment"
        ).fetchone()
    assert row
    assert row[0] > 30
    assert row[1] == 0
    # 14, 15, 16 and 20 February, and 1 March; on the 21st the chain is five days old.
    assert row[2] == 5
    dbt("run", "--vars", '{"alternative_timeframes": ["1h"]}')
    with database.connect("tests") as conn:
        left = conn.execute(
            "select (select count(*) from build.features_sentiment),"
            " (select count(*) from build.features_options)"
        ).fetchone()
    assert left == (0, 0)


def test_as_of(fresh: str, tmp_path: Path) -> None:
    """What landed after an instant is not there, though the marts had rows of it before."""
    schedule = changed(config.PROJECT, tmp_path)
    schedule.compare(as_of="2024-02-10")


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_caught(fresh: str, tmp_path: Path, mutant: str) -> None:
    marts = ("features_sentiment", "features_options")
    project = planted(MUTANTS[mutant], tmp_path / mutant.replace(" ", "_"), *marts)
    schedule = changed(project, tmp_path)
    with pytest.raises(AssertionError, match=r"in full refresh"):
        schedule.compare()
