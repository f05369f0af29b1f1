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

from landing_files import HEADER, ask, counts, do, land, vendor, write
from warehouse.errors import WarehouseError
from warehouse.landing.bars import land_bars
from warehouse.landing.bars.statements import Landing
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
        count = Landing.count

        def meanwhile(landing: Landing) -> tuple[int, int]:
            with path.open("a") as file:
                file.write("B,2024-01-02,1,2,0.5,1.5,10\n")
            return count(landing)

        monkeypatch.setattr(Landing, "count", meanwhile)
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
