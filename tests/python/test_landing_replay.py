"""Quarantine and replay: whole payloads, repaired rows move, the others stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from landing_files import ask, do, land, write
from warehouse.landing.reference import land_table
from warehouse.landing.replay import replay

pytestmark = pytest.mark.usefixtures("database")

ROWS = [
    "A,2024-01-02,1,2,1,x,10",
    "A,2024-01-03,1,2,1,,10",
    "A,2024-01-04,1,2",
    "A,2024-01-05,1,2,1,1.5,10",
]


def open_rows() -> list[tuple[object, ...]]:
    return ask("select line from ops.quarantine where replayed_at is null order by line")


def test_nothing_repaired_nothing_moves(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", ROWS))
    (result,) = replay()
    assert (result.file, result.accepted, result.quarantined) == ("replay of batch 1", 0, 3)
    assert open_rows() == [(2,), (3,), (4,)]
    assert ask("select count(*) from ops.quarantine") == [(3,)]


def test_repaired_rows_move(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", ROWS))
    do("""update ops.quarantine set payload = payload || '{"close": 1.75}' where line in (2, 3)""")
    do("""
        update ops.quarantine set payload = '{"symbol": "A", "date": "2024-01-05", "open": "1",
            "high": "2", "low": "1", "close": "1.5", "volume": "10"}' where line = 4
    """)
    (result,) = replay("acme")
    assert (result.landed, result.accepted, result.known, result.quarantined) == (3, 2, 1, 0)
    assert open_rows() == []
    assert replay() == []
    marked = ask(
        "select distinct replayed_batch_id from ops.quarantine where replayed_at is not null"
    )
    assert marked == [(result.batch_id,)]
    assert ask("select close from raw_market.bars order by bar_ts")[0][0] == 1.75
    assert ask("select original_payload ->> 'close' from ops.quarantine where line = 2") == [("x",)]
    assert ask(
        "select landed, accepted, known, quarantined from ops.batches order by batch_id"
    ) == [
        (4, 1, 0, 3),
        (3, 2, 1, 0),
    ]


def test_every_row_of_a_file_is_somewhere(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", ROWS))
    do("""update ops.quarantine set payload = payload || '{"close": 1.75}' where line = 2""")
    replay()
    ((landed, quarantined),) = ask("select landed, quarantined from ops.batches where batch_id = 1")
    assert (landed, quarantined) == (4, 3)
    assert ask("select count(*) from raw_market.bars") == [(2,)]
    assert open_rows() == [(3,), (4,)]


def test_an_instrument_that_may_be_negative_after_all(tmp_path: Path) -> None:
    rows = ["CL,2020-04-17,20,21,18,18.3,5", "CL,2020-04-20,17.73,17.85,-40.32,-37.63,247947"]
    assert land(write(tmp_path / "a.csv", rows)).rules == {"non_positive_price": 1}
    do("update ref.instruments set allow_negative_price = true")
    (result,) = replay()
    assert (result.accepted, result.quarantined) == (1, 0)


def test_one_of_two_conflicting_rows_is_corrected(tmp_path: Path) -> None:
    rows = ["A,2024-01-02,1,2,1,1.5,10", "A,2024-01-02,1,2,1,1.7,10"]
    land(write(tmp_path / "a.csv", rows))
    do("""update ops.quarantine set payload = payload || '{"close": "1.5"}' where line = 3""")
    (result,) = replay()
    assert (result.accepted, result.known, result.quarantined) == (1, 1, 0)


def test_other_sources_stay(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", ROWS))
    assert replay("other") == []


def test_reference_rows(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.csv", ["A,2024-01-02,split,zero"], header="symbol,ex_date,type,ratio"
    )
    (first,) = land_table("corporate_actions", [path], source="acme")
    assert first.rules == {"not_a_number": 1}
    do("""update ops.quarantine set payload = payload || '{"ratio": "3:2"}'""")
    (result,) = replay()
    assert (result.accepted, result.quarantined) == (1, 0)
    assert ask("select split_ratio from ref.corporate_actions") == [(1.5,)]
    assert open_rows() == []
