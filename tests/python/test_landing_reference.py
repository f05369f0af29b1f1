"""Reference data: sessions, instruments, symbol history, corporate actions, stock info."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import exchange_calendars
import pytest

from landing_files import ask, do, land, write
from warehouse import database
from warehouse.errors import WarehouseError
from warehouse.landing.batches import BatchResult
from warehouse.landing.calendars import version
from warehouse.landing.reference import ensure_sessions, land_table

pytestmark = pytest.mark.usefixtures("database")

ACTIONS = "symbol,ex_date,type,ratio,amount,currency"


def table(kind: str, path: Path) -> BatchResult:
    return land_table(kind, [path], source="acme")[0]


def numbers(result: BatchResult) -> tuple[int, int, int]:
    assert result.landed == result.accepted + result.known + result.quarantined
    return result.accepted, result.known, result.quarantined


def ensure(name: str, first: date, last: date) -> int:
    with database.connect() as conn:
        return ensure_sessions(conn, name, first, last)


class TestSessions:
    def test_before_the_package_starts_by_itself(self) -> None:
        assert ensure("XNYS", date(1980, 1, 15), date(1980, 12, 31)) > 11_000
        expected = exchange_calendars.get_calendar("XNYS", start="1980-01-01")
        stored = ask("select session_date, open_at, close_at from ref.exchange_sessions order by 1")
        assert [row[0] for row in stored] == [day.date() for day in expected.sessions]
        assert [row[1] for row in stored] == list(expected.opens)
        assert [row[2] for row in stored] == list(expected.closes)

    def test_cheap_when_there(self) -> None:
        assert ensure("XNYS", date(2001, 6, 1), date(2012, 1, 1)) > 0
        assert ensure("XNYS", date(2001, 1, 1), date(2012, 1, 1)) == 0
        assert ensure("XNYS", date(1999, 12, 31), date(2012, 1, 1)) > 200

    def test_half_days_and_closures(self) -> None:
        ensure("XNYS", date(2024, 1, 1), date(2025, 12, 31))
        half = (
            "select session_date from ref.exchange_sessions"
            " where is_half_day and session_date between %s and %s"
        )
        assert [row[0] for row in ask(half, date(2024, 1, 1), date(2024, 12, 31))] == [
            date(2024, 7, 3), date(2024, 11, 29), date(2024, 12, 24),
        ]  # fmt: skip
        mourning = (
            "select count(*) from ref.exchange_sessions where session_date = date '2025-01-09'"
        )
        assert ask(mourning) == [(0,)]

    def test_breaks(self) -> None:
        ensure("XHKG", date(2024, 1, 1), date(2024, 12, 31))
        ((pause,),) = ask(
            "select break_end_at - break_start_at from ref.exchange_sessions"
            " where session_date = '2024-01-03'"
        )
        assert pause.total_seconds() == 3600

    def test_bounds_of_a_calendar(self) -> None:
        ensure("XBOM", date(1950, 1, 1), date(2050, 1, 1))
        assert ask("select min(session_date) from ref.exchange_sessions")[0][0].year == 1997
        assert ensure("XBOM", date(1950, 1, 1), date(2050, 1, 1)) == 0

    def test_round_the_clock(self) -> None:
        ensure("24/7", date(2024, 1, 1), date(2024, 1, 2))
        week = (
            "select count(*) from ref.exchange_sessions"
            " where session_date between '2024-01-01' and '2024-01-07'"
        )
        assert ask(week) == [(7,)]
        assert ask("select * from ref.calendars") == [("24/7", "UTC", version())]

    def test_another_version_corrects_history(self) -> None:
        ensure("XNYS", date(2024, 1, 1), date(2024, 12, 31))
        do("""
            update ref.exchange_sessions set calendar_version = '0.1';
            insert into ref.exchange_sessions
            values (
                'XNYS', '2025-01-09', '2025-01-09 14:30Z', '2025-01-09 21:00Z', null, null, false,
                '0.1'
            )
        """)
        ensure("XNYS", date(2024, 1, 1), date(2024, 12, 31))
        assert ask("select distinct calendar_version from ref.exchange_sessions") == [(version(),)]
        assert ask(
            "select count(*) from ref.exchange_sessions where session_date = date '2025-01-09'"
        ) == [(0,)]


class TestCorporateActions:
    def test_actions(self, tmp_path: Path) -> None:
        rows = [
            "A,2024-01-02,split,2:1,,",
            "A,2024-02-02,split,0.1,,",
            "A,2024-03-01,dividend,,0.24,USD",
            "A,2024-03-01,cash_dividend,,0.24,USD",
        ]
        path = write(tmp_path / "a.csv", rows, header=ACTIONS)
        assert numbers(table("corporate_actions", path)) == (3, 1, 0)
        assert numbers(table("corporate_actions", path)) == (0, 4, 0)
        found = ask(
            "select action_type, split_ratio, cash_amount, currency, revision"
            " from ref.corporate_actions order by ex_date"
        )
        assert [(row[0], float(row[1] or row[2]), row[3], row[4]) for row in found] == [
            ("split", 2.0, None, 0),
            ("split", 0.1, None, 0),
            ("cash_dividend", 0.24, "USD", 0),
        ]
        notes = "select rows from ops.change_log where relation = 'ref.corporate_actions'::regclass"
        assert ask(notes) == [(3,)]

    def test_corrected_action_is_a_revision(self, tmp_path: Path) -> None:
        table(
            "corporate_actions",
            write(tmp_path / "a.csv", ["A,2024-01-02,split,2:1,,"], header=ACTIONS),
        )
        again = write(tmp_path / "b.csv", ["A,2024-01-02,split,3:1,,"], header=ACTIONS)
        assert numbers(table("corporate_actions", again)) == (1, 0, 0)
        assert ask("select revision, split_ratio from ref.corporate_actions") == [
            (0, 2),
            (1, 3),
        ]

    def test_bad_rows(self, tmp_path: Path) -> None:
        expected = {
            "A,2024-01-02,split,,,": "bad_value",
            "A,2024-01-02,merger,1,,": "bad_value",
            "A,soon,split,2,,": "bad_time",
            ",2024-01-02,split,2,,": "missing_symbol",
            "A,2024-01-02,split,0:1,,": "bad_value",
            "A,2024-01-02,split,NaN,,": "non_finite",
            "A,2024-01-02": "malformed_row",
            ACTIONS: "repeated_header",
            "A,2024-02-02,split,1e20,,": "out_of_range",
            "B,2024-02-02,split,2,,": "conflicting_duplicate",
            "B,2024-02-02,split,3,,": "conflicting_duplicate",
            "C,,split,2,,": "bad_value",
            "C,2024-01-02,cash_dividend,,-1,": "bad_value",
        }
        path = write(tmp_path / "a.csv", expected, header=ACTIONS)
        assert numbers(table("corporate_actions", path)) == (0, 0, 13)
        rules = [row[0] for row in ask("select rule from ops.quarantine order by line")]
        assert rules == list(expected.values())

    def test_the_instrument_is_the_one_bars_mean(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.csv", ["A,2024-01-02,split,2:1,,"], header=ACTIONS)
        table("corporate_actions", path)
        land(write(tmp_path / "a.csv", ["A,2024-01-02,1,2,1,1.5,10"]))
        assert ask("select count(*) from ref.instruments") == [(1,)]

    def test_missing_column(self, tmp_path: Path) -> None:
        path = write(tmp_path / "s.csv", [], header="symbol,ratio")
        with pytest.raises(WarehouseError, match="'ex_date', 'type' is missing"):
            table("corporate_actions", path)


class TestSymbolHistory:
    HEADER = "symbol,calendar,valid_from,valid_to,instrument"
    ROWS = (
        "FB,XNYS,,2004-01-01,Falcon",
        "FB,XNYS,2012-05-18,2022-06-09,META",
        "META,XNYS,2022-06-09,,META",
    )

    def test_reused_and_renamed(self, tmp_path: Path) -> None:
        path = write(tmp_path / "h.csv", self.ROWS, header=self.HEADER)
        assert numbers(table("symbol_history", path)) == (3, 0, 0)
        assert numbers(table("symbol_history", path)) == (0, 3, 0)
        rows = [
            f"{symbol},1,2,1,1.5,10"
            for symbol in ("FB,2003-01-03", "FB,2020-01-03", "META,2023-01-03")
        ]
        land(write(tmp_path / "a.csv", rows))
        ids = [row[0] for row in ask("select instrument_id from raw_market.bars order by bar_ts")]
        assert ids[0] != ids[1] == ids[2]

    def test_before_any_bar_a_history_can_be_cut(self, tmp_path: Path) -> None:
        do(
            "insert into ref.instruments (symbol, calendar, first_source)"
            " values ('FB', 'XNYS', 't')"
        )
        do(
            "insert into ref.symbol_history (symbol, calendar, instrument_id, source)"
            " values ('FB', 'XNYS', 1, 't')"
        )
        path = write(tmp_path / "h.csv", ["FB,XNYS,2012-05-18,2022-06-09,META"], header=self.HEADER)
        assert numbers(table("symbol_history", path)) == (1, 0, 0)
        assert ask(
            "select valid_from::text, valid_to::text, instrument_id from ref.symbol_history"
            " order by valid_from"
        ) == [
            ("-infinity", "2012-05-18", 1),
            ("2012-05-18", "2022-06-09", 2),
            ("2022-06-09", "infinity", 1),
        ]

    def test_under_landed_bars_it_cannot(self, tmp_path: Path) -> None:
        land(write(tmp_path / "a.csv", ["FB,2020-01-03,1,2,1,1.5,10"]))
        path = write(tmp_path / "h.csv", self.ROWS, header=self.HEADER)
        result = table("symbol_history", path)
        assert numbers(result) == (2, 0, 1)
        assert result.rules == {"history_conflict": 1}

    def test_backwards(self, tmp_path: Path) -> None:
        path = write(tmp_path / "h.csv", ["FB,XNYS,2022-01-01,2012-01-01,FB"], header=self.HEADER)
        assert table("symbol_history", path).rules == {"bad_value": 1}


def test_instruments(tmp_path: Path) -> None:
    header = "symbol,calendar,currency,asset_class,allow_negative_price"
    path = write(
        tmp_path / "i.csv",
        ["CL,CMES,USD,future,true", "SAP,XETR,EUR,,", "X,NOWHERE,,,maybe"],
        header=header,
    )
    assert numbers(table("instruments", path)) == (2, 0, 1)
    assert numbers(table("instruments", path)) == (0, 2, 1)
    assert ask(
        "select symbol, calendar, currency, asset_class, allow_negative_price from ref.instruments"
        " order by 1"
    ) == [
        ("CL", "CMES", "USD", "future", True),
        ("SAP", "XETR", "EUR", "equity", False),
    ]
    changed = write(tmp_path / "j.csv", ["CL,CMES,,,false"], header=header)
    assert numbers(table("instruments", changed)) == (1, 0, 0)


def test_stock_info(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", ["A,2020-01-03,1,2,1,1.5,10"]))
    header = "symbol,name,sector,industry,market_cap,country,currency,exchange"
    path = write(
        tmp_path / "i.csv",
        ['A,"Agilent, Inc.",Health,Tools,3.5e10,US,USD,NYSE', "B,Bee,,,,,,"],
        header=header,
    )
    assert numbers(table("stock_info", path)) == (2, 0, 0)
    assert numbers(table("stock_info", path)) == (0, 2, 0)
    assert ask(
        "select symbol, instrument_id, company_name, market_cap, sector"
        " from raw_market.stock_info order by 1"
    ) == [
        ("A", 1, "Agilent, Inc.", 35_000_000_000, "Health"),
        ("B", None, "Bee", None, None),
    ]
    table("stock_info", write(tmp_path / "j.csv", ["B,Bee,Insects,,,,,"], header=header))
    assert ask("select max(revision) from raw_market.stock_info where symbol = 'B'") == [(1,)]


def test_unknown_table(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="no reference table 'weather'"):
        table("weather", tmp_path / "a.csv")
