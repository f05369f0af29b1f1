"""Every kind of bad input gets a message, and nothing is lost."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from landing_files import HEADER, ask, counts, do, land, rejected, vendor, write
from warehouse.errors import WarehouseError
from warehouse.landing import bars as bars_module
from warehouse.landing.bars import land_bars
from warehouse.landing.profile import load_profile

GOOD = "A,2024-01-02,1,2,0.5,1.5,10"
NOTHING = (0, 0, 0, 0, 0)


def refused(path: Path, **keys: object) -> WarehouseError:
    """Land a file that must be refused, and see that nothing of it is there."""
    before = counts()
    with pytest.raises(WarehouseError) as caught:
        land(path, **keys)
    assert counts() == before
    assert str(path) in caught.value.where
    return caught.value


@pytest.mark.usefixtures("database")
class TestRefusedFiles:
    def test_missing_file(self, tmp_path: Path) -> None:
        assert "does not exist" in refused(tmp_path / "none.csv").what

    def test_folder(self, tmp_path: Path) -> None:
        assert "folder" in refused(tmp_path).what

    def test_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.csv"
        path.touch()
        assert "empty" in refused(path).what

    def test_blank_lines_only(self, tmp_path: Path) -> None:
        path = tmp_path / "blank.csv"
        path.write_text("\n\n\r\n")
        assert "blank lines" in refused(path).what

    @pytest.mark.parametrize(("mark", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "pipe")])
    def test_wrong_delimiter(self, tmp_path: Path, mark: str, name: str) -> None:
        path = write(
            tmp_path / "a.csv", [GOOD.replace(",", mark)], header=HEADER.replace(",", mark)
        )
        error = refused(path)
        assert error.what.startswith("Wrong delimiter")
        assert name in error.what
        assert "delimiter:" in error.do
        assert land(path, delimiter=mark).accepted == 1

    def test_one_column_of_anything(self, tmp_path: Path) -> None:
        assert (
            "only one column, 'hello'"
            in refused(write(tmp_path / "a.csv", [], header="hello")).what
        )

    def test_missing_columns_are_named(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", [], header="symbol,date,open,high,low")
        error = refused(path)
        assert "'close', 'volume' is missing" in error.what
        assert "the file has 'symbol', 'date', 'open', 'high', 'low'" in error.what

    def test_column_twice(self, tmp_path: Path) -> None:
        assert (
            "open more than once"
            in refused(write(tmp_path / "a.csv", [], header=HEADER + ",open")).what
        )

    def test_not_gzip(self, tmp_path: Path) -> None:
        assert "broken gzip" in refused(write(tmp_path / "a.csv.gz", [GOOD])).what

    def test_truncated_gzip(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv.gz"
        rows = [f"A{number},2024-01-02,1,2,0.5,1.5,{number * 7919}" for number in range(5000)]
        path.write_bytes(gzip.compress("\n".join([HEADER, *rows]).encode())[:-4000])
        error = refused(path)
        assert "truncated" in error.what
        assert "download it again" in error.do

    def test_corrupt_gzip(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv.gz"
        rows = [f"A{number},2024-01-02,1,2,0.5,1.5,{number * 7919}" for number in range(5000)]
        data = bytearray(gzip.compress("\n".join([HEADER, *rows]).encode()))
        data[-8:-4] = b"\0\1\2\3"
        path.write_bytes(data)
        assert "gzip file is broken" in refused(path).what

    def test_zip_archive(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(b"PK\x03\x04 and so on")
        assert "zip archive" in refused(path).what

    def test_broken_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        path.write_bytes(b"PAR1 but not really")
        assert "Parquet file is broken" in refused(path).what
        path.write_bytes(b"a,b\n1,2\n")
        assert "no Parquet file" in refused(path).what

    def test_wrong_encoding_names_the_line(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(f"{HEADER}\n{GOOD}\nSOCI\xc9T\xc9,2024-01-02,1,2,1,1,1\n".encode("cp1252"))
        error = refused(path)
        assert "Wrong encoding: line 3 is not utf-8" in error.what
        assert "encoding:" in error.do
        assert land(path, encoding="cp1252").accepted == 2
        assert ask("select max(symbol) from ref.instruments") == [("SOCIÉTÉ",)]

    def test_utf_16(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(f"{HEADER}\n{GOOD}\n".encode("utf-16"))
        assert "zero bytes" in refused(path).what
        assert land(path, encoding="utf-16").accepted == 1

    def test_file_still_being_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path / "a.csv", [GOOD])
        judge = bars_module.judge_sql

        def meanwhile(**keys: bool) -> str:
            with path.open("a") as file:
                file.write("B,2024-01-02,1,2,0.5,1.5,10\n")
            return judge(**keys)

        monkeypatch.setattr(bars_module, "judge_sql", meanwhile)
        assert "changed while it was read" in refused(path).what
        monkeypatch.undo()

    def test_times_without_zone(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", [GOOD.replace("2024-01-02", "2024-01-02 10:00")])
        error = refused(path, timezone=None, timeframe="1h")
        assert "'2024-01-02 10:00" in error.what
        assert "no zone" in error.what
        assert "timezone:" in error.do

    def test_all_files_are_looked_at_before_the_first_lands(self, tmp_path: Path) -> None:
        good = write(tmp_path / "good.csv", [GOOD])
        with pytest.raises(WarehouseError, match="does not exist"):
            land_bars([good, tmp_path / "none.csv"], profile=vendor())
        assert counts() == NOTHING


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


def test_unknown_source_lists_the_known() -> None:
    with pytest.raises(WarehouseError) as caught:
        load_profile("bloomberg")
    assert "'bloomberg' is not known" in caught.value.what
    assert "yahoo" in caught.value.where


def test_database_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TARGET": "server", "HOST": "127.0.0.1", "PORT": "9", "USER": "u", "PASSWORD": "p",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"WAREHOUSE_{name}", value)
    with pytest.raises(WarehouseError, match="does not answer"):
        land(write(tmp_path / "a.csv", [GOOD]))


@pytest.mark.usefixtures("database")
def test_disk_full(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [GOOD])
    do("""
        create function public.no_space() returns trigger language plpgsql as $$
        begin
            raise exception 'could not extend file' using errcode = 'disk_full';
        end $$;
        create trigger no_space before insert on raw_market.bars
        for each statement execute function public.no_space()
    """)
    error = refused(path)
    assert "disk of the server is full" in error.what
    assert "free some space" in error.do


@pytest.mark.usefixtures("empty_database")
def test_database_without_landing_zone(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="warehouse migrate"):
        land(write(tmp_path / "a.csv", [GOOD]))


@pytest.mark.usefixtures("database")
def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [GOOD])
    do("""
        create function public.slow() returns trigger language plpgsql as $$
        begin perform pg_sleep(60); return null; end $$;
        create trigger slow after insert on raw_market.bars
        for each statement execute function public.slow()
    """)
    script = (
        "import sys; from pathlib import Path; from landing_files import land; "
        "land(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], env=environment, stderr=subprocess.PIPE
    )
    waiting = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
    deadline = time.monotonic() + 60
    while not ask(waiting)[0][0] and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode != 0
    assert b"KeyboardInterrupt" in error
    while ask("select count(*) from pg_stat_activity where application_name = 'warehouse land'")[0][
        0
    ]:
        time.sleep(0.1)
        assert time.monotonic() < deadline
    assert counts() == NOTHING
    assert ask("select count(*) from pg_class where relname in ('scratch', 'resolved')") == [(0,)]
