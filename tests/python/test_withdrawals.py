"""Withdrawals: what never happened is taken back by a revision, counted and logged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from landing_files import ask, do, land, vendor, write
from warehouse import cli
from warehouse.errors import WarehouseError
from warehouse.landing.batches import BatchResult
from warehouse.landing.corrections.withdrawals import Withdrawal, withdraw_bars, withdraw_files
from warehouse.landing.corrections.withdrawn_actions import withdraw_action, withdraw_action_files
from warehouse.landing.reference import land_table
from warehouse.landing.replay import replay

DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05")
REVISIONS = (
    "select bar_ts::date::text, revision, is_withdrawn, close from raw_market.bars order by 1, 2"
)
LOG = """
    select operation, instrument_id, timeframe, lo::text, hi::text, rows
    from ops.change_log
    where log_id > %s and relation <> 'ref.symbol_history'::regclass
    order by log_id
"""
pytestmark = pytest.mark.usefixtures("database")


def daily(symbol: str = "AAPL", days: tuple[str, ...] = DAYS, close: float = 2) -> list[str]:
    return [f"{symbol},{day},1,3,1,{close},100" for day in days]


def landed(folder: Path, rows: list[str] | None = None, **keys: Any) -> BatchResult:
    return land(write(folder / "bars.csv", rows or daily()), **keys)


def withdraw(symbol: str = "AAPL", start: str = DAYS[1], **keys: Any) -> Withdrawal:
    return withdraw_bars(**{"source": "acme", "symbol": symbol, "start": start, **keys})


def numbers(result: BatchResult) -> tuple[int, int, int, int]:
    return result.landed, result.accepted, result.known, result.quarantined


def newest_log() -> int:
    return int(ask("select coalesce(max(log_id), 0) from ops.change_log")[0][0])


def series() -> list[tuple[Any, ...]]:
    return ask(
        "select source, adjusted from ref.series as s where not exists (select"
        " from ref.withdrawn_series as w where w.returned_at = 'infinity'"
        " and (w.instrument_id, w.timeframe, w.source, w.adjusted)"
        " = (s.instrument_id, s.timeframe, s.source, s.adjusted)) order by 1, 2"
    )


class TestRange:
    def test_one_session(self, tmp_path: Path) -> None:
        landed(tmp_path)
        before = newest_log()
        result = withdraw(reason="a holiday")
        assert numbers(result) == (1, 1, 0, 0)
        assert [(s.symbol, s.bars) for s in result.series] == [("AAPL", 1)]
        assert ask(REVISIONS)[1:3] == [(DAYS[1], 0, False, 2), (DAYS[1], 1, True, 2)]
        # One note, of that bar alone: the incremental build begins there.
        noon = f"{DAYS[1]} 00:00:00+00"
        assert ask(LOG, before) == [("I", 1, "1d", noon, noon, 1)]
        stored = ask("select dataset, landed, accepted, profile from ops.batches order by 1 desc")
        assert stored[0][:3] == ("withdrawals", 1, 1)
        assert stored[0][3]["reason"] == "a holiday"

    def test_range_is_inclusive_and_other_bars_stay(self, tmp_path: Path) -> None:
        landed(tmp_path, daily() + daily("MSFT"))
        landed(tmp_path, daily(close=2.5), source="zeta")
        result = withdraw(end=DAYS[2])
        assert numbers(result) == (2, 2, 0, 0)
        gone = ask(
            "select symbol, source, bar_ts::date::text from raw_market.bars where is_withdrawn"
        )
        assert sorted(gone) == [("AAPL", "acme", DAYS[1]), ("AAPL", "acme", DAYS[2])]

    def test_again_is_known(self, tmp_path: Path) -> None:
        landed(tmp_path)
        withdraw()
        before = newest_log()
        assert numbers(withdraw()) == (1, 0, 1, 0)
        assert numbers(withdraw(end=DAYS[2])) == (2, 1, 1, 0)
        assert len(ask(LOG, before)) == 1

    def test_landing_again_brings_it_back(self, tmp_path: Path) -> None:
        landed(tmp_path)
        withdraw()
        assert numbers(landed(tmp_path)) == (4, 1, 3, 0)
        assert ask(REVISIONS)[1:4] == [
            (DAYS[1], 0, False, 2), (DAYS[1], 1, True, 2), (DAYS[1], 2, False, 2),
        ]  # fmt: skip
        assert numbers(landed(tmp_path)) == (4, 0, 4, 0)

    def test_intraday_by_session_and_by_instant(self, tmp_path: Path) -> None:
        hours = [f"AAPL,2024-01-0{day}T{hour}:30:00-05:00,1,3,1,2,1"
                 for day in (2, 3) for hour in ("09", "10", "11")]  # fmt: skip
        landed(tmp_path, hours, timeframe="1h")
        instant = "2024-01-02T15:30:00Z"
        assert numbers(withdraw(start=instant, timeframe="60m")) == (1, 1, 0, 0)
        assert numbers(withdraw(start="2024-01-03", timeframe="1h")) == (3, 3, 0, 0)
        assert numbers(withdraw(start=instant, end="2024-01-03", timeframe="1h")) == (5, 1, 4, 0)
        assert ask("select count(*) from raw_market.bars where is_withdrawn") == [(5,)]

    def test_dry_run_changes_nothing(self, tmp_path: Path) -> None:
        landed(tmp_path)
        before = ask("select count(*) from raw_market.bars"), newest_log()
        result = withdraw(end=DAYS[3], dry_run=True)
        assert result.is_dry_run
        assert [(s.symbol, s.bars) for s in result.series] == [("AAPL", 3)]
        assert (ask("select count(*) from raw_market.bars"), newest_log()) == before
        assert ask("select count(*) from ops.batches") == [(1,)]
        # The lock of the landing is free again.
        assert withdraw().accepted == 1

    @pytest.mark.parametrize(
        ("keys", "message"),
        [
            ({"start": "yesterday"}, "cannot be read"),
            ({"start": "2024-02-30"}, "cannot be read"),
            ({"start": "2024-01-03T09:30:00"}, "no offset"),
            ({"start": "2024-01-03T14:30:00Z"}, "no session"),
            ({"start": DAYS[2], "end": DAYS[1]}, "ends before it begins"),
            ({"symbol": "aapl"}, "Nothing has landed under the symbol 'aapl'"),
            ({"source": "zeta"}, "no bar from 2024-01-03"),
            ({"start": "2020-01-01"}, "no bar from 2020-01-01"),
            ({"timeframe": "1h"}, "no bar from"),
            ({"timeframe": "fortnight"}, "not a timeframe"),
            ({"calendar": "XLON"}, "not known on the calendar XLON"),
            ({"calendar": "NOWHERE"}, "not a calendar"),
        ],
    )
    def test_bad_input(self, tmp_path: Path, keys: dict[str, str], message: str) -> None:
        landed(tmp_path)
        with pytest.raises(WarehouseError) as raised:
            withdraw(**keys)
        assert message in raised.value.what
        assert raised.value.do or "calendar" in message or "timeframe" in message
        assert ask("select count(*) from raw_market.bars") == [(4,)]
        assert ask("select count(*) from ops.batches") == [(1,)]

    def test_on_several_calendars(self, tmp_path: Path) -> None:
        landed(tmp_path)
        landed(tmp_path, calendar="XLON")
        with pytest.raises(WarehouseError, match="several calendars"):
            withdraw()
        withdraw(calendar="LSE")
        calendars = ask(
            "select calendar from raw_market.bars inner join ref.instruments"
            " using (instrument_id) where is_withdrawn"
        )
        assert calendars == [("XLON",)]

    def test_price_that_is_not_allowed_any_more(self, tmp_path: Path) -> None:
        landed(tmp_path, ["CL,2020-04-20,-1,1,-40,-37,5"], allow_negative_price=True)
        do("update ref.instruments set allow_negative_price = false")
        assert withdraw("CL", "2020-04-20").accepted == 1


class TestFiles:
    def test_keys_alone(self, tmp_path: Path) -> None:
        landed(tmp_path, daily() + daily("MSFT"))
        rows = [f"AAPL,{DAYS[0]}", f"MSFT,{DAYS[3]}", f"AAPL,{DAYS[0]}", "AAPL,2024-01-08",
                "NVDA,2024-01-02", "AAPL,soon", "AAPL"]  # fmt: skip
        keys = write(tmp_path / "keys.csv", rows, header="symbol,date")
        (result,) = withdraw_files([keys], profile=vendor(), reason="phantoms")
        assert numbers(result) == (7, 2, 1, 4)
        assert result.rules == {"bad_time": 1, "malformed_row": 1, "unknown_bar": 2}
        assert {(s.symbol, s.bars) for s in result.series} == {("AAPL", 1), ("MSFT", 1)}
        held = ask("select line, rule, reason, dataset from ops.quarantine order by line")
        assert [row[:2] for row in held] == [
            (5, "unknown_bar"), (6, "unknown_bar"), (7, "bad_time"), (8, "malformed_row"),
        ]  # fmt: skip
        assert held[0][2] == "No bar with this key has landed from this source."
        assert {row[3] for row in held} == {"withdrawals"}
        (again,) = withdraw_files([keys], profile=vendor())
        assert numbers(again) == (7, 0, 3, 4)

    def test_the_file_that_landed(self, tmp_path: Path) -> None:
        path = write(tmp_path / "bars.csv", [*daily(), "AAPL,2024-01-08,a,b,c,d,e"])
        land(path)
        (result,) = withdraw_files([path], profile=vendor())
        # Its prices are not asked for; the bar that never landed is unknown.
        assert (numbers(result), result.rules) == ((5, 4, 0, 1), {"unknown_bar": 1})

    def test_replay_withdraws(self, tmp_path: Path) -> None:
        keys = write(tmp_path / "keys.csv", [f"AAPL,{DAYS[0]}"], header="symbol,date")
        landed(tmp_path)
        do("update ref.symbol_history set symbol = 'APPL'")
        (result,) = withdraw_files([keys], profile=vendor(), reason="phantom")
        assert result.quarantined == 1
        do("update ref.symbol_history set symbol = 'AAPL'")
        (again,) = replay()
        assert (again.dataset, again.accepted) == ("withdrawals", 1)
        assert ask(
            "select profile ->> 'reason' from ops.batches order by batch_id desc limit 1"
        ) == [("phantom",)]
        assert ask("select count(*) from ops.quarantine where replayed_at is null") == [(0,)]
        assert replay() == []

    def test_dry_run(self, tmp_path: Path) -> None:
        landed(tmp_path)
        keys = write(
            tmp_path / "keys.csv", [f"AAPL,{DAYS[0]}", "X,2024-01-02"], header="symbol,date"
        )
        (result,) = withdraw_files([keys], profile=vendor(), dry_run=True)
        assert numbers(result) == (2, 1, 0, 1)
        assert ask("select count(*) from ops.quarantine") == [(0,)]
        assert ask("select count(*) from raw_market.bars") == [(4,)]

    @pytest.mark.parametrize(
        ("header", "message"), [("symbol,day", "'date' is missing"), (None, "exist")]
    )
    def test_bad_files(self, tmp_path: Path, header: str | None, message: str) -> None:
        landed(tmp_path)
        path = tmp_path / "keys.csv"
        if header:
            write(path, ["AAPL,2024-01-02"], header=header)
        with pytest.raises(WarehouseError, match=message):
            withdraw_files([path], profile=vendor())
        assert ask("select count(*) from raw_market.bars") == [(4,)]


class TestSeries:
    """A source without bars of a series decides nothing about it, until it has one again."""

    def test_last_bar_and_back(self, tmp_path: Path) -> None:
        landed(tmp_path)
        landed(tmp_path, source="zeta", adjusted="splits")
        withdraw(start=DAYS[0], end=DAYS[2])
        before = newest_log()
        withdraw(start=DAYS[3])
        assert series() == [("zeta", "splits")]
        whole = ("S", "-infinity", "infinity")
        assert whole in [(row[0], *row[3:5]) for row in ask(LOG, before)]
        before = newest_log()
        landed(tmp_path, daily(days=DAYS[:1]))
        assert series() == [("acme", "none"), ("zeta", "splits")]
        assert whole in [(row[0], *row[3:5]) for row in ask(LOG, before)]
        withdraw(start=DAYS[0])
        assert series() == [("zeta", "splits")]
        spans = ask("select returned_at < now() from ref.withdrawn_series order by span_id")
        assert spans == [(True,), (False,)]

    def test_restated_on_another_basis(self, tmp_path: Path) -> None:
        landed(tmp_path)
        landed(tmp_path, daily(days=DAYS[:3]), adjusted="splits")
        assert series() == [("acme", "none"), ("acme", "splits")]
        landed(tmp_path, adjusted="splits")
        assert series() == [("acme", "splits")]
        landed(tmp_path)
        assert series() == [("acme", "none")]


def actions(
    folder: Path, rows: list[str], header: str = "symbol,ex_date,type,ratio,amount"
) -> Path:
    return write(folder / "actions.csv", rows, header=header)


class TestActions:
    def test_split_that_never_happened(self, tmp_path: Path) -> None:
        landed(tmp_path)
        path = actions(tmp_path, ["AAPL,2024-01-04,split,4,", "AAPL,2024-01-05,dividend,,0.2"])
        land_table("corporate_actions", [path], source="acme")
        before = newest_log()
        keys = {"source": "acme", "symbol": "AAPL", "action_type": "split", "ex_date": "2024-01-04"}
        assert numbers(withdraw_action(**keys, dry_run=True)) == (1, 1, 0, 0)
        assert ask(LOG, before) == []
        assert numbers(withdraw_action(**keys, reason="cancelled")) == (1, 1, 0, 0)
        # The whole instrument, in every timeframe, and nothing else.
        assert ask(LOG, before) == [("I", 1, None, "-infinity", "infinity", 1)]
        assert numbers(withdraw_action(**keys)) == (1, 0, 1, 0)
        found = ask(
            "select action_type, revision, is_withdrawn, split_ratio from ref.corporate_actions"
            " order by 1 desc, 2"
        )
        assert found[:2] == [("split", 0, False, 4), ("split", 1, True, 4)]
        assert [row[:3] for row in found[2:]] == [("cash_dividend", 0, False)]
        # The same split again, and it counts again.
        (again,) = land_table("corporate_actions", [path], source="acme")
        assert numbers(again) == (2, 1, 1, 0)

    def test_files(self, tmp_path: Path) -> None:
        landed(tmp_path)
        path = actions(tmp_path, ["AAPL,2024-01-04,split,4,", "AAPL,2024-01-05,dividend,,0.2"])
        land_table("corporate_actions", [path], source="acme")
        rows = ["AAPL,2024-01-04,split", "AAPL,2024-01-05,split", "X,2024-01-04,split",
                "AAPL,2024-01-04,split", "AAPL,never,split"]  # fmt: skip
        keys = actions(tmp_path, rows, header="symbol,ex_date,type")
        (result,) = withdraw_action_files([keys], source="acme", reason="cancelled")
        assert numbers(result) == (5, 1, 1, 3)
        assert result.rules == {"unknown_action": 2, "bad_time": 1}
        (again,) = replay()
        assert (again.dataset, again.accepted, again.quarantined) == ("withdrawals", 0, 3)

    @pytest.mark.parametrize(
        ("keys", "message"),
        [
            ({"ex_date": "2024-01-08"}, "No such action"),
            ({"source": "zeta"}, "No such action"),
            ({"action_type": "merger"}, "no kind of corporate action"),
            ({"ex_date": "soon"}, "cannot be read"),
            ({"symbol": "X"}, "Nothing has landed"),
        ],
    )
    def test_bad_input(self, tmp_path: Path, keys: dict[str, str], message: str) -> None:
        landed(tmp_path)
        path = actions(tmp_path, ["AAPL,2024-01-04,split,4,"])
        land_table("corporate_actions", [path], source="acme")
        asked = {
            "source": "acme",
            "symbol": "AAPL",
            "action_type": "split",
            "ex_date": "2024-01-04",
        }
        with pytest.raises(WarehouseError, match=message):
            withdraw_action(**{**asked, **keys})
        assert ask("select count(*) from ref.corporate_actions") == [(1,)]
        assert ask("select count(*) from ops.batches") == [(2,)]

    @pytest.mark.parametrize(
        "rows", [["AAPL,2024-01-04,split,4,"], ["AAPL,2024-01-04,dividend,,0.1"]]
    )
    def test_late_action_dirties_its_instrument_alone(
        self, tmp_path: Path, rows: list[str]
    ) -> None:
        landed(tmp_path, daily() + daily("MSFT"))
        landed(tmp_path, timeframe="1h")
        path = actions(tmp_path, rows)
        corrected = actions(tmp_path, [rows[0].replace("4,", "5,").replace("0.1", "0.3")])
        for each in (path, corrected):
            before = newest_log()
            (result,) = land_table("corporate_actions", [each], source="acme")
            assert result.accepted + result.known == 1
            expected = [("I", 1, None, "-infinity", "infinity", 1)] if result.accepted else []
            assert ask(LOG, before) == expected


class TestCommand:
    def run(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, ["withdraw", *words])
        return done.exit_code, done.output

    def test_codes_and_json(self, tmp_path: Path) -> None:
        profile = tmp_path / "acme.yml"
        profile.write_text(json.dumps(vendor().model_dump(exclude_none=True)), encoding="utf-8")
        landed(tmp_path)
        base = ("bars", "--source", "acme", "--symbol", "AAPL", "--from", DAYS[0])
        code, text = self.run(*base)
        assert (code, "--reason must be given" in text) == (2, True)
        code, text = self.run(*base, "--reason", "x", "--dry-run", "--to", DAYS[2])
        assert (code, "would withdraw" in text, "dry run" in text) == (0, True, True)
        code, text = self.run(*base, "--reason", "x", "--json")
        assert (code, json.loads(text)["batches"][0]["accepted"]) == (0, 1)
        keys = write(
            tmp_path / "keys.csv", [f"AAPL,{DAYS[1]}", "X,2024-01-02"], header="symbol,date"
        )
        code, text = self.run("bars", str(keys), "--source", "acme", "--profile", str(profile))
        assert (code, "unknown_bar" in text) == (1, True)
        code, text = self.run("bars", str(keys), "--source", "acme", "--symbol", "AAPL")
        assert (code, "cannot be used with files" in text) == (2, True)
        code, text = self.run("corporate_actions", "--source", "acme", "--symbol", "AAPL",
                              "--type", "split", "--on", DAYS[0], "--reason", "x")  # fmt: skip
        assert (code, "No such action" in text) == (2, True)


def test_the_gate_sees_no_withdrawn_bar(tmp_path: Path) -> None:
    from warehouse.quality.gate import check

    days = pd.bdate_range("2024-01-02", "2024-01-12").strftime("%Y-%m-%d")
    landed(tmp_path, [f"AAPL,{day},100,101,99,100,5" for day in days if day != "2024-01-08"])
    landed(tmp_path, ["AAPL,2024-01-08,900,901,899,900,5"])
    jump = {each.rule for each in check(docs=False).warnings}
    assert jump
    withdraw(start="2024-01-08")
    after = {each.rule: each.found for each in check(docs=False, table=True).warnings}
    # Two jumps are gone; a missing session is there instead.
    assert set(after) != jump
    assert not any("jump" in rule or "return" in rule for rule in after), after
