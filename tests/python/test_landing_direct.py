"""Rows that go straight into their table: the same is landed as by way of scratch."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

from landing_files import BARS, COLUMNS, ask, do, vendor
from test_landing_bars import DAYS, clear
from warehouse.landing import direct, readers
from warehouse.landing.bars import land_frame
from warehouse.landing.batches import BatchResult
from warehouse.landing.direct import Way
from warehouse.landing.records import land_records

pytestmark = pytest.mark.usefixtures("database")

BLOCK = 7
QUARANTINE = "select line, rules, payload from ops.quarantine order by line, rules"
NOTES = """
    select h.symbol, c.operation, c.lo, c.hi, c.rows from ops.change_log as c
    inner join ref.symbol_history as h using (instrument_id)
    where c.relation = %s::regclass and c.operation = 'I' order by 1, 2, 3
"""
TICKS = "select symbol, tick_ts, seq, price, size, aggressor from raw_market.ticks order by 1, 2, 3"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read a few rows at a time."""
    monkeypatch.setattr(readers, "BATCH_ROWS", BLOCK)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many rows of each block the table took."""
    found: list[int] = []
    take = Way.take

    def noted(way: Way, write: Any) -> int:
        found.append(take(way, write))
        return found[-1]

    monkeypatch.setattr(Way, "take", noted)
    return found


def bar(symbol: str, day: str, close: str = "1.5", volume: str = "10") -> dict[str, str]:
    """Return a row of a file."""
    values = (symbol, day, "1", "2", "0.5", close, volume)
    return dict(zip(COLUMNS.values(), values, strict=True))


def tick(symbol: str, seq: int, price: str = "1") -> dict[str, str]:
    """Return a row of a file."""
    return {
        "symbol": symbol, "tick_ts": f"2024-01-02T15:00:{seq:02}Z", "seq": str(seq),
        "price": price, "size": "1", "aggressor": "buy",
    }  # fmt: skip


def land(rows: list[dict[str, str]]) -> BatchResult:
    """Land bars."""
    return land_frame(pd.DataFrame(rows), profile=vendor())


def series(*symbols: str, days: int = 14) -> list[dict[str, str]]:
    """Return good rows of several symbols, in the order of the key."""
    return [bar(symbol, day) for symbol in symbols for day in DAYS[:days]]


def counts(result: BatchResult) -> tuple[int, int, int, int]:
    """Return what became of the rows."""
    return result.landed, result.accepted, result.known, result.quarantined


def test_only_the_refused_block_goes_the_long_way(taken: list[int]) -> None:
    rows = series("A", "B")
    rows[16]["close"] = "3"
    result = land(rows)
    assert taken == [7, 7, 0, 7]
    assert counts(result) == (28, 27, 0, 1)
    assert ask("select line, rules from ops.quarantine") == [(17, ["high_lt_max_open_close"])]
    assert ask(NOTES, "raw_market.bars") == [
        (symbol, "I", *ask("select min(bar_ts), max(bar_ts) from raw_market.bars")[0], count)
        for symbol, count in (("A", 14), ("B", 13))
    ]


def test_times_are_judged_in_each_block(taken: list[int]) -> None:
    rows = series("A", "B")
    rows[27]["date"] = "2190-01-02"
    result = land(rows)
    assert (taken, result.rules) == ([7, 7, 7, 0], {"future_time": 1})


def test_after_two_refusals_none_is_tried(taken: list[int]) -> None:
    rows = series("A", "B", days=28)
    for at in (3, 10, 17):
        rows[at]["volume"] = "-1"
    assert counts(land(rows)) == (56, 53, 0, 3)
    assert taken[:2] == [0, 0]
    assert sum(taken[3:]) == 0, "one block may be on its way already"


def test_a_symbol_that_only_bad_rows_name_is_no_instrument() -> None:
    rows = [*series("A", days=7), bar("B", DAYS[0], close="")]
    assert counts(land(rows)) == (8, 7, 0, 1)
    assert ask("select symbol from ref.instruments") == [("A",)]


def test_rows_that_differ_in_two_blocks_are_both_set_aside(taken: list[int]) -> None:
    rows = [*series("A", "B"), bar("A", DAYS[2], close="1.75"), bar("B", DAYS[3])]
    assert counts(land(rows)) == (30, 27, 1, 2)
    assert taken == [7, 7, 7, 7], "they went before the last block told"
    assert ask("select line, rules from ops.quarantine order by line") == [
        (3, ["conflicting_duplicate"]),
        (29, ["conflicting_duplicate"]),
    ]


def test_known_rows_and_revisions(taken: list[int]) -> None:
    land(series("A", "B"))
    taken.clear()
    rows = [*series("A"), bar("B", DAYS[0], close="1.75"), *series("B")[1:], bar("C", DAYS[0])]
    assert counts(land(rows)) == (29, 2, 27, 0)
    assert taken[:2] == [0, 0]
    assert ask("select symbol, revision from raw_market.bars where revision > 0") == [("B", 1)]


def test_a_symbol_that_changed_hands(taken: list[int]) -> None:
    land(series("FB", days=7))
    do("update ref.symbol_history set valid_from = '2023-01-01' where symbol = 'FB'")
    taken.clear()
    assert counts(land([bar("FB", day) for day in DAYS[7:14]])) == (7, 7, 0, 0)
    assert taken == [0]


@pytest.mark.parametrize("seed", range(12))
def test_the_same_as_by_way_of_scratch(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)  # noqa: S311
    rows = series("A", "B", "C", days=20)
    for row in rng.sample(rows, rng.choice([0, 1, 2, 6])):
        column, value = rng.choice(
            [("close", "3"), ("close", ""), ("volume", "-1"), ("open", "soon"), ("volume", ""),
             ("date", "2190-01-02"), ("date", "never"), ("symbol", ""), ("symbol", "D"),
             ("close", "1.23456789012"), ("close", "1e15")]
        )  # fmt: skip
        row[column] = value
    for row in rng.sample(rows, rng.choice([0, 0, 1, 3])):
        rows.insert(rng.randrange(len(rows)), row | rng.choice([{}, {"close": "1.25"}]))
    before = [row | {"close": "1.75"} for row in rng.sample(rows, rng.choice([0, 0, 5]))]

    def landed() -> tuple[object, ...]:
        clear()
        if before:
            land(before)
        result = land(rows)
        return counts(result), result.rules, ask(BARS), ask(QUARANTINE), ask(
            NOTES, "raw_market.bars"
        )  # fmt: skip

    found = landed()
    monkeypatch.setattr(direct, "REFUSALS", 0)
    expected = landed()
    assert found == expected


class TestTicks:
    def test_only_the_refused_block_goes_the_long_way(self, taken: list[int]) -> None:
        rows = [tick("AB"[seq % 2], seq) for seq in range(28)]
        rows[16]["price"] = "-1"
        result = land_records("ticks", pd.DataFrame(rows), source="feed")
        assert taken == [7, 7, 0, 7]
        assert counts(result) == (28, 27, 0, 1)
        assert result.rules == {"non_positive_price": 1}
        assert [note[4] for note in ask(NOTES, "raw_market.ticks")] == [13, 14]
        again = land_records("ticks", pd.DataFrame(rows), source="feed")
        assert counts(again) == (28, 0, 27, 1)

    @pytest.mark.parametrize("seed", range(8))
    def test_the_same_as_by_way_of_scratch(
        self, seed: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rng = random.Random(seed)  # noqa: S311
        rows = [tick(rng.choice("ABC"), seq) for seq in range(50)]
        for row in rng.sample(rows, rng.choice([0, 1, 2, 6])):
            column, value = rng.choice(
                [("price", "-1"), ("price", "soon"), ("size", "0"), ("size", ""), ("seq", ""),
                 ("symbol", ""), ("aggressor", "both"), ("tick_ts", "never")]
            )  # fmt: skip
            row[column] = value
        for row in rng.sample(rows, rng.choice([0, 0, 1, 3])):
            rows.insert(rng.randrange(len(rows)), row | rng.choice([{}, {"price": "7"}]))

        def landed(source: str) -> tuple[object, ...]:
            result = land_records("ticks", pd.DataFrame(rows), source=source)
            query = TICKS.replace("order", f"where source = '{source}' order")
            quarantine = QUARANTINE.replace("order", f"where source = '{source}' order")
            return counts(result), result.rules, ask(query), ask(quarantine)

        found = landed("directly")
        monkeypatch.setattr(direct, "REFUSALS", 0)
        assert found == landed("by_scratch")
