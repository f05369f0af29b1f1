"""Every kind of bad row is quarantined whole; the others land."""

from __future__ import annotations

from pathlib import Path

import pytest

from landing_files import HEADER, ask, counts, land, rejected, vendor, write
from warehouse.landing.bars import land_bars

GOOD = "A,2024-01-02,1,2,0.5,1.5,10"


@pytest.mark.usefixtures("database")
class TestBadRows:
    def test_bom_crlf_and_blank_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        text = f"\ufeff{HEADER}\r\n{GOOD}\r\n\r\n\r\nA,2024-01-03,x,2,0.5,1.5,10\r\n"
        path.write_bytes(text.encode())
        result = land(path)
        assert (result.landed, result.accepted) == (2, 1)
        assert rejected() == [(5, ["not_a_number"])]

    def test_no_line_break_at_the_end(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(f"\n{HEADER}\n{GOOD}")
        assert land(path).accepted == 1

    def test_header_in_the_middle_and_twice(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", [HEADER, GOOD, HEADER, GOOD.replace("A", "B")])
        assert land(path).rules == {"repeated_header": 2}
        assert rejected() == [(2, ["repeated_header"]), (4, ["repeated_header"])]
        assert ask("select symbol from ref.instruments order by 1") == [("A",), ("B",)]

    def test_too_few_and_too_many_columns(self, tmp_path: Path) -> None:
        rows = ["A,2024-01-02", GOOD, GOOD + ",9,9", 'B,2024-01-02,"1', "   "]
        result = land(write(tmp_path / "a.csv", rows))
        assert (result.landed, result.accepted, result.rules) == (5, 1, {"malformed_row": 4})
        assert ask("select line, payload ->> 'raw' from ops.quarantine order by line") == [
            (2, "A,2024-01-02"),
            (4, GOOD + ",9,9"),
            (5, 'B,2024-01-02,"1'),
            (6, "   "),
        ]

    @pytest.mark.parametrize(
        ("value", "rule"),
        [
            ("abc", "not_a_number"),
            ("1,5", "malformed_row"),
            ("$1", "not_a_number"),
            ("0x1A", "not_a_number"),
            ("1_0", "not_a_number"),
            ("nan(1)", "not_a_number"),
            ("inf", "non_finite"),
            ("-Infinity", "non_finite"),
            ("NaN", "non_finite"),
            ("1e400", "out_of_range"),
            ("1e200000", "out_of_range"),
            ("123456789012345", "out_of_range"),
            ("", "null_ohlc"),
            ("null", "null_ohlc"),
            ("0", "non_positive_price"),
            ("-3", "non_positive_price"),
            ("1e-200000", "non_positive_price"),
            ("1e-11", "non_positive_price"),
        ],
    )
    def test_numbers(self, tmp_path: Path, value: str, rule: str) -> None:
        row = f"A,2024-01-02,1,2,{value},1.5,10"
        result = land(write(tmp_path / "a.csv", [row, GOOD.replace("A", "B")]))
        assert (result.landed, result.accepted, result.quarantined) == (2, 1, 1)
        ((line, rules),) = rejected()
        assert line == 2
        assert rule in rules
        ((payload,),) = ask("select payload from ops.quarantine")
        assert payload == ({"raw": row} if "," in value else {**payload, "low": value})

    @pytest.mark.parametrize("value", [" 1 ", "+1", "1.", "1e0", "01", "1.00000000000000000001"])
    def test_odd_but_good_numbers(self, tmp_path: Path, value: str) -> None:
        assert land(write(tmp_path / "a.csv", [f"A,2024-01-02,1.5,2,{value},1.5,10"])).accepted == 1
        assert ask("select low from raw_market.bars") == [(1,)]

    @pytest.mark.parametrize("value", ["soon", "2024-02-30", "02.01.2024", "", "99999-01-01"])
    def test_times(self, tmp_path: Path, value: str) -> None:
        land(write(tmp_path / "a.csv", [f"A,{value},1,2,1,1.5,10"]))
        assert rejected() == [(2, ["bad_time"])]

    def test_future(self, tmp_path: Path) -> None:
        land(write(tmp_path / "a.csv", ["A,2190-01-04,1,2,1,1.5,10"]))
        assert rejected() == [(2, ["future_time"])]

    @pytest.mark.parametrize(
        "symbol", ["O'Hara; drop table x;--", 'a "b"', "tab\there", "back\\slash", "%s", "日本"]
    )
    def test_symbols_are_data(self, tmp_path: Path, symbol: str) -> None:
        quoted = '"' + symbol.replace('"', '""') + '"'
        path = write(
            tmp_path / "a.csv",
            [f"{quoted},2024-01-02,1,2,1,1.5,10", f"{quoted},2024-01-03,1,2,1,x,10"],
        )
        assert land(path).accepted == 1
        assert ask("select symbol from ref.instruments") == [(symbol,)]
        assert ask("select symbol, payload ->> 'symbol' from ops.quarantine") == [(symbol, symbol)]

    def test_missing_symbol(self, tmp_path: Path) -> None:
        land(write(tmp_path / "a.csv", [" ,2024-01-02,1,2,1,1.5,10"]))
        assert rejected() == [(2, ["missing_symbol"])]

    def test_a_row_is_told_all_its_faults_in_the_order_of_the_catalogue(
        self, tmp_path: Path
    ) -> None:
        land(write(tmp_path / "a.csv", ["A,2024-01-02,5,2,3,-1,-10", ",soon,x,y,3,-1,-10"]))
        assert rejected() == [
            (2, ["non_positive_price", "high_lt_low", "high_lt_max_open_close",
                 "low_gt_min_open_close", "negative_volume"]),
            (3, ["missing_symbol", "not_a_number", "bad_time"]),
        ]  # fmt: skip
        ((rule, reason),) = ask("select rule, reason from ops.quarantine where line = 2")
        assert rule == "non_positive_price"
        assert "The volume is negative." in reason

    def test_nothing_of_a_bad_row_becomes_an_instrument(self, tmp_path: Path) -> None:
        land(write(tmp_path / "a.csv", ["JUNK,2024-01-02,5,2,3,-1,-10"]))
        assert counts() == (0, 1, 1, 0, 0)

    def test_same_file_twice_on_one_command_line(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", [GOOD])
        first, second = land_bars([path, path], profile=vendor())
        assert (first.accepted, second.accepted, second.known) == (1, 0, 1)
