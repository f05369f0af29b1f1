"""History put right reaches the marts exactly as far as it matters, and builds equal a refresh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corrections import cancel, land_as, rename, withdraw
from databases import cloned_database
from dbt_runs import dbt
from landing_files import ask
from schedules import Schedule
from warehouse.config import Home

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")
HOURS, MINUTES = ("AAPL", "1h"), ("AAPL", "1m")
WINDOW = """
    select i.symbol, w.timeframe, nullif(w.recompute_from, '-infinity')
    from intermediate.int_run_window as w
    inner join ref.instruments as i using (instrument_id)
    order by 1, 2
"""
BY_INSTRUMENT = """
    select table_schema || '.' || table_name
    from information_schema.columns
    inner join information_schema.tables using (table_schema, table_name)
    where
        column_name = 'instrument_id' and table_type = 'BASE TABLE'
        and table_schema in ('marts', 'intermediate', 'build')
        and table_name not in ('int_run_window')
"""


@pytest.fixture
def history(home: Home, built_on_nothing: str, tmp_path: Path) -> Iterator[Schedule]:
    """A history that has not begun."""
    with cloned_database(home, "test_schedule", built_on_nothing):
        yield Schedule(tmp_path)


def everywhere(instrument_id: int) -> dict[str, int]:
    """Return in which tables of the models an instrument has rows."""
    counts = {
        name: ask(f"select count(*) from {name} where instrument_id = %s", instrument_id)[0][0]
        for (name,) in ask(BY_INSTRUMENT)
    }
    assert counts, "no model has a column instrument_id"
    return {name: count for name, count in counts.items() if count}


def instrument(symbol: str) -> int:
    return int(ask("select instrument_id from ref.instruments where symbol = %s", symbol)[0][0])


def published(symbol: str, timeframe: str = "1d") -> list[tuple[object, ...]]:
    return ask(
        'select "timestamp", source from marts.feature_engineered_data'
        " where symbol = %s and timeframe = %s order by 1",
        symbol, timeframe,
    )  # fmt: skip


def test_withdrawn_bars(history: Schedule) -> None:
    history.land(AAPL, list(range(300)))
    history.land(AAPL, list(range(250, 260)), source="zzz", adjusted="none")
    history.land(IBM, list(range(100)))
    history.build()
    assert withdraw(history, AAPL, [255]) == 1
    assert withdraw(history, AAPL, [299]) == 1
    history.build()
    clock = history.bars[AAPL]["clock"]
    # One bar of another source takes over, one is gone; the other series is left alone.
    assert ask(WINDOW) == [("AAPL", "1d", clock[255])]
    found = dict(published("AAPL"))
    assert found[clock[255]] == "zzz"
    assert clock[299] not in found
    assert len(found) == 299
    history.compare()
    history_rows = len(published("AAPL"))
    history.land(AAPL, [255, 299])
    history.build()
    assert (dict(published("AAPL"))[clock[255]], history_rows) == ("oracle", 299)


def test_last_bars_of_a_source_and_of_a_series(history: Schedule) -> None:
    rows = list(range(120))
    history.land(AAPL, rows)
    history.land(AAPL, rows[:60], source="yahoo", adjusted="splits")
    history.land(IBM, rows)
    history.build()
    # The better source decides the basis: bars of the other one are not eligible.
    assert len(published("AAPL")) == 60
    assert withdraw(history, AAPL, rows[:60], source="yahoo") == 60
    assert withdraw(history, IBM, rows) == 120
    history.build()
    assert len(published("AAPL")) == 120
    assert everywhere(instrument("IBM")) == {}
    history.compare()
    # Back again, the source decides again.
    history.land(AAPL, rows[:5], source="yahoo", adjusted="splits")
    history.build()
    assert len(published("AAPL")) == 5


def test_rename_leaves_no_orphan(history: Schedule) -> None:
    sessions = history.bars[IBM]["session_date"]
    on = str(sessions[80].date())
    history.land(IBM, list(range(85)))
    land_as(history, IBM, list(range(80, 130)), "IBMX")
    history.land(AAPL, list(range(50)))
    history.action(("IBMX", "1d"), "split", str(sessions[100].date()), ratio=2)
    history.build()
    wrong = instrument("IBMX")
    assert everywhere(wrong)
    assert rename(history, "IBM", "IBMX", on) == 50
    history.build()
    assert everywhere(wrong) == {}
    assert {row[:2] for row in ask(WINDOW)} == {("IBM", "1d"), ("IBMX", "1d")}
    ids = ask("select distinct instrument_id from marts.feature_engineered_data order by 1")
    assert (instrument("IBM"),) in ids
    assert len(published("IBM")) + len(published("IBMX")) == 130
    history.compare()


@pytest.mark.parametrize(("kind", "values"), [
    ("split", [{"ratio": 2}, {"ratio": 4}]), ("cash_dividend", [{"amount": 0.1}, {"amount": 0.3}]),
])  # fmt: skip
def test_late_actions(history: Schedule, kind: str, values: list[dict[str, float]]) -> None:
    for key in (AAPL, IBM, HOURS, MINUTES):
        history.land(key, list(range(40)))
    history.build()
    ex_date = str(history.bars[AAPL]["session_date"][20].date())
    whole = [("AAPL", timeframe) for timeframe in ("1d", "1h", "1m")]

    def factors() -> set[tuple[float, float]]:
        history.build()
        # The whole instrument, in every timeframe, and nothing else.
        assert [row[:2] for row in ask(WINDOW)] == whole
        return set(ask(
            "select split_factor, dividend_factor from intermediate.int_bars_this_run"
            " where timeframe = '1d'"
        ))  # fmt: skip

    seen = []
    for value in values:
        history.action(AAPL, kind, ex_date, **value)
        seen.append(factors())
    # Late, corrected: two spans each, other factors; withdrawn: none.
    assert [len(each) for each in seen] == [2, 2]
    assert seen[0] != seen[1]
    assert cancel(history, "AAPL", kind, ex_date) == 1
    assert factors() == {(1, 1)}
    history.compare()


def test_bar_before_a_dividend_is_withdrawn(history: Schedule) -> None:
    for key in (AAPL, HOURS):
        history.land(key, list(range(40)))
    ex_date = str(history.bars[AAPL]["session_date"][30].date())
    history.action(AAPL, "cash_dividend", ex_date, amount=0.37)
    history.build()
    # Weighed by the close of row 29; without it by that of row 28, for every bar before.
    assert withdraw(history, AAPL, [29]) == 1
    history.compare()


def test_as_known_before_the_withdrawal(history: Schedule) -> None:
    rows = list(range(30))
    history.land(AAPL, rows)
    history.land(IBM, rows)
    # The var takes whole seconds: wait for the next one.
    instant, _ = ask("select date_trunc('second', clock_timestamp()) + interval '1s', pg_sleep(1)")[
        0
    ]
    before = instant.isoformat()
    withdraw(history, AAPL, [10])
    withdraw(history, IBM, rows)
    bars = (
        "select i.symbol, count(*) from staging.stg_market__bars"
        " inner join ref.instruments as i using (instrument_id) group by 1 order by 1"
    )
    series = "select count(*) from staging.stg_market__series"
    dbt("run", "--select", "staging")
    assert (ask(bars), ask(series)) == ([("AAPL", 29)], [(1,)])
    dbt("run", "--select", "staging", "--vars", f'{{"as_of": "{before}"}}')
    assert (ask(bars), ask(series)) == ([("AAPL", 30), ("IBM", 30)], [(2,)])
