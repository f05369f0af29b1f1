"""Renames learned late: bars, actions and facts move to the instrument they belong to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from landing_files import ask, land, vendor, write
from test_withdrawals import LOG, daily, newest_log, numbers, withdraw
from warehouse import cli
from warehouse.errors import WarehouseError
from warehouse.landing.corrections.renames import Rename, rename_symbol
from warehouse.landing.reference import land_table

BEFORE = ("2022-06-06", "2022-06-07", "2022-06-08")
SINCE = ("2022-06-09", "2022-06-10", "2022-06-13")
ON = "2022-06-09"
LIVE = """
    select instrument_id, symbol, bar_ts::date::text, revision, close
    from (
        select distinct on (instrument_id, timeframe, bar_ts, source) *
        from raw_market.bars
        order by instrument_id, timeframe, bar_ts, source, revision desc
    ) as latest
    where not is_withdrawn
    order by instrument_id, bar_ts, source
"""
HISTORY = """
    select symbol, valid_from::text, valid_to::text, instrument_id from ref.symbol_history
    order by symbol, symbol_history.valid_from
"""
ONCE = [
    ("FB", "-infinity", ON, 1),
    ("META", "-infinity", ON, 2),
    ("META", ON, "infinity", 1),
]
pytestmark = pytest.mark.usefixtures("database")


def landed(folder: Path, *rows: list[str], **keys: Any) -> None:
    for each in rows:
        assert land(write(folder / "bars.csv", each), **keys).quarantined == 0


def rename(old: str = "FB", new: str = "META", on: str = ON, **keys: Any) -> Rename:
    return rename_symbol(old, new, on=on, **keys)


def test_bars_move_and_both_instruments_are_logged(tmp_path: Path) -> None:
    landed(tmp_path, daily("FB", BEFORE), daily("META", SINCE), daily("MSFT", BEFORE + SINCE))
    before = newest_log()
    result = rename()
    assert (result.instrument_id, result.emptied_instrument_id) == (1, 2)
    assert (result.bars, result.known) == (3, 0)
    mine = [row for row in ask(LIVE) if row[1] != "MSFT"]
    assert mine == [
        *[(1, "FB", day, 0, 2) for day in BEFORE],
        *[(1, "META", day, 0, 2) for day in SINCE],
    ]
    first, last = f"{SINCE[0]} 00:00:00+00", f"{SINCE[-1]} 00:00:00+00"
    logged = ask(LOG, before)
    assert ("I", 1, "1d", first, last, 3) in logged
    assert ("I", 2, "1d", first, last, 3) in logged
    # The emptied series has no source left; nothing else is touched.
    assert ("S", 2, "1d", "-infinity", "infinity", None) in logged
    assert len(logged) == 3
    assert [row for row in ask(HISTORY) if row[0] != "MSFT"] == ONCE
    told = ask("select dataset, landed, accepted, known from ops.batches order by 1 desc limit 1")
    assert told == [("renames", 3, 3, 0)]


def test_again_changes_nothing(tmp_path: Path) -> None:
    landed(tmp_path, daily("FB", BEFORE), daily("META", SINCE))
    rename()
    everything = "select (select count(*) from raw_market.bars), (select count(*) from ops.batches)"
    state = ask(everything), ask(HISTORY), newest_log()
    again = rename()
    assert (again.batch_id, again.bars, again.histories) == (None, 0, 0)
    assert (ask(everything), ask(HISTORY), newest_log()) == state
    # What lands under the new ticker from now on is the same instrument.
    landed(tmp_path, daily("META", ("2022-06-14",)), daily("META", SINCE))
    assert {row[0] for row in ask(LIVE)} == {1}
    assert ask("select count(*) from ref.instruments") == [(2,)]


def test_before_anything_landed_under_the_new_ticker(tmp_path: Path) -> None:
    landed(tmp_path, daily("FB", BEFORE))
    assert rename().bars == 0
    landed(tmp_path, daily("META", SINCE))
    assert {row[0] for row in ask(LIVE)} == {1}
    assert ask(HISTORY) == [("FB", "-infinity", ON, 1), ("META", ON, "infinity", 1)]


def test_keys_that_both_have(tmp_path: Path) -> None:
    landed(tmp_path, daily("FB", BEFORE + SINCE[:2]), daily("META", SINCE[:1]))
    landed(tmp_path, daily("META", SINCE[1:], close=2.5))
    withdraw("FB", SINCE[0])
    result = rename()
    assert (result.bars, result.known) == (3, 0)
    assert ask(LIVE)[3:] == [
        # Withdrawn there and so restored; restated; new.
        (1, "META", SINCE[0], 2, 2), (1, "META", SINCE[1], 1, 2.5), (1, "META", SINCE[2], 0, 2.5),
    ]  # fmt: skip
    # The source used the old ticker until then: landed again, those bars are no stranger's.
    assert ask(HISTORY)[0] == ("FB", "-infinity", "2022-06-11", 1)
    landed(tmp_path, daily("FB", BEFORE + SINCE[:2]))
    assert {row[0] for row in ask(LIVE)} == {1}


def test_same_values_on_both_sides_are_known(tmp_path: Path) -> None:
    landed(tmp_path, daily("FB", BEFORE + SINCE), daily("META", SINCE))
    result = rename()
    assert (result.bars, result.known) == (3, 3)
    assert {row[3] for row in ask(LIVE)} == {0}
    stored = ask("select landed, accepted, known from ops.batches where dataset = 'renames'")
    assert stored == [(3, 0, 3)]


def test_actions_and_facts_follow(tmp_path: Path) -> None:
    landed(tmp_path, daily("FB", BEFORE), daily("META", SINCE))
    header = "symbol,ex_date,type,ratio,amount"
    rows = ["META,2022-06-10,split,2,", "META,2022-06-13,dividend,,0.1", "FB,2022-06-08,split,3,"]
    path = write(tmp_path / "actions.csv", rows, header=header)
    land_table("corporate_actions", [path], source="acme")
    info = write(tmp_path / "info.csv", ["META,Meta Platforms"], header="symbol,company_name")
    land_table("stock_info", [info], source="acme")
    before = newest_log()
    result = rename()
    assert (result.bars, result.actions, result.infos) == (3, 2, 1)
    found = ask(
        "select instrument_id, ex_date::text, revision, is_withdrawn from ref.corporate_actions"
        " order by 1, 2, 3"
    )
    assert found == [
        (1, "2022-06-08", 0, False), (1, "2022-06-10", 0, False), (1, "2022-06-13", 0, False),
        (2, "2022-06-10", 0, False), (2, "2022-06-10", 1, True),
        (2, "2022-06-13", 0, False), (2, "2022-06-13", 1, True),
    ]  # fmt: skip
    whole = {row[1] for row in ask(LOG, before) if row[2] is None}
    assert whole == {1, 2}
    infos = ask("select instrument_id, revision from raw_market.stock_info order by 2")
    assert infos == [(2, 0), (1, 1)]
    stored = ask("select landed, accepted, known from ops.batches where dataset = 'renames'")
    assert stored == [(6, 6, 0)]
    assert rename().batch_id is None


def test_every_ticker_of_the_wrong_instrument_follows(tmp_path: Path) -> None:
    landed(tmp_path, daily("AA", BEFORE), daily("BB", SINCE[:1]))
    rename("BB", "CC", "2022-06-10")
    landed(tmp_path, daily("CC", SINCE[1:]))
    rename("AA", "BB")
    assert {row[0] for row in ask(LIVE)} == {1}
    assert [row for row in ask(HISTORY) if row[3] == 1] == [
        ("AA", "-infinity", ON, 1),
        ("BB", ON, "2022-06-10", 1),
        ("CC", "2022-06-10", "infinity", 1),
    ]


def test_a_reused_ticker_known_to_be_two_things(tmp_path: Path) -> None:
    history = write(tmp_path / "h.csv", ["META,2021-06-01,2022-02-01,METV"],
                    header="symbol,valid_from,valid_to,instrument")  # fmt: skip
    land_table("symbol_history", [history], source="acme")
    landed(tmp_path, daily("META", ("2021-12-01",)), daily("FB", BEFORE), daily("META", SINCE))
    result = rename()
    assert result.bars == 3
    assert {(row[0], row[1]) for row in ask(LIVE)} == {
        (1, "META"), (result.instrument_id, "FB"), (result.instrument_id, "META"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message", "advice"),
    [
        (("QQ", "META", ON), "Nothing has landed under the symbol 'QQ'", "spelling"),
        (("FB", "META", "soon"), "cannot be read", "2024-01-31"),
        (("FB", "FB", ON), "are the same", "both"),
        (("FB", "THIRD", ON), "it may be a third thing", "warehouse withdraw bars"),
        (("FB", "LATER", ON), "means another instrument, number", "symbol_history"),
        (("NEWER", "META", ON), "meant nothing on the day before", "first session"),
    ],
)
def test_refused(tmp_path: Path, words: tuple[str, str, str], message: str, advice: str) -> None:
    header = "symbol,valid_from,valid_to,instrument"
    rows = ["LATER,2022-07-01,,OTHER", "NEWER,2022-07-01,,OTHER"]
    land_table("symbol_history", [write(tmp_path / "h.csv", rows, header=header)], source="acme")
    landed(tmp_path, daily("FB", BEFORE), daily("META", SINCE), daily("THIRD", BEFORE + SINCE))
    state = ask("select count(*) from raw_market.bars"), ask(HISTORY), newest_log()
    with pytest.raises(WarehouseError) as raised:
        rename(*words)
    assert message in raised.value.what
    assert advice in raised.value.do
    assert (ask("select count(*) from raw_market.bars"), ask(HISTORY), newest_log()) == state


def test_advice_for_a_third_thing_works(tmp_path: Path) -> None:
    landed(tmp_path, daily("FB", BEFORE), daily("META", BEFORE + SINCE))
    with pytest.raises(WarehouseError):
        rename()
    withdraw("META", SINCE[0], end=SINCE[-1])
    rename()
    landed(tmp_path, daily("META", SINCE))
    assert [row[0] for row in ask(LIVE)] == [1] * 6 + [2] * 3


def test_the_refused_history_names_the_command(tmp_path: Path) -> None:
    landed(tmp_path, daily("FB", BEFORE), daily("META", SINCE))
    header = "symbol,valid_from,valid_to,instrument"
    path = write(tmp_path / "h.csv", [f"META,{ON},,FB"], header=header)
    (result,) = land_table("symbol_history", [path], source="acme")
    assert result.rules == {"history_conflict": 1}
    assert "warehouse rename OLD NEW --on DATE" in ask("select reason from ops.quarantine")[0][0]
    rename()
    (result,) = land_table("symbol_history", [path], source="acme")
    assert numbers(result) == (1, 0, 1, 0)


def test_negative_prices_move(tmp_path: Path) -> None:
    landed(tmp_path, daily("CL", BEFORE))
    landed(tmp_path, [f"WTI,{ON},-1,1,-40,-37,5"], allow_negative_price=True)
    assert rename("CL", "WTI").bars == 1


def test_command(tmp_path: Path) -> None:
    landed(tmp_path, daily("FB", BEFORE), daily("META", SINCE), adjusted=vendor().adjusted)
    runner = CliRunner()
    done = runner.invoke(cli.app, ["rename", "FB", "META", "--on", ON, "--calendar", "NYSE"])
    assert (done.exit_code, "moved: 3 bars" in done.output) == (0, True)
    done = runner.invoke(cli.app, ["rename", "FB", "META", "--on", ON, "--json"])
    assert (done.exit_code, json.loads(done.output)["bars"]) == (0, 0)
    done = runner.invoke(cli.app, ["rename", "FB", "META", "--on", "whenever"])
    assert (done.exit_code, "cannot be read" in done.output) == (2, True)
