"""Every kind of bad file gets a message and lands nothing, for a table of each kind."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from landing_files import ask
from warehouse.errors import WarehouseError
from warehouse.landing.batches import BatchResult
from warehouse.landing.records import land_files, land_records
from warehouse.landing.records.profile import record_profile

FILES = {
    "raw_market.ticks": (
        "symbol,tick_ts,seq,price,size",
        "A,2024-01-02T10:00:0{}Z,{},1.5,2",
    ),
    "raw_risk.factor_returns": (
        "factor,timeframe,session_date,factor_return,seen",
        "mkt,1d,2024-01-0{},0.0{},x",
    ),
    "raw_ml.models": (
        "model_id,name,version,model_type,description",
        "m{},model,{},classifier,a",
    ),
}
"""Header and row of a ledger, a restatable table and a state; the row takes a digit twice."""


@pytest.fixture(params=FILES, autouse=True)
def table(request: pytest.FixtureRequest, database: str) -> str:
    return str(request.param)


def rows(table: str, digits: str = "123") -> list[str]:
    return [FILES[table][1].format(digit, digit) for digit in digits]


def text(table: str, digits: str = "123") -> str:
    return "\n".join([FILES[table][0], *rows(table, digits)]) + "\n"


def land(path: Path, table: str, **keys: object) -> BatchResult:
    profile = record_profile(
        {"table": table, "source": "acme", "calendar": "24/7", **keys}, where="test"
    )
    return land_files([path], profile=profile)[0]


def counted(result: BatchResult) -> tuple[int, int, int, int]:
    return result.landed, result.accepted, result.known, result.quarantined


def refused(path: Path, table: str, **keys: object) -> WarehouseError:
    with pytest.raises(WarehouseError) as caught:
        land(path, table, **keys)
    left = [ask(f"select from {name}") for name in (table, "ops.batches", "ops.quarantine")]
    assert left == [[], [], []]
    assert str(path) in caught.value.where
    return caught.value


class TestRefusedFiles:
    def test_missing_file(self, tmp_path: Path, table: str) -> None:
        assert "does not exist" in refused(tmp_path / "none.csv", table).what

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("a.csv", b"", "empty"),
            ("a.csv", b"\n\r\n\n", "blank lines"),
            ("a.csv", b"a,b,a\n1,2,3\n", "more than once"),
            ("a.csv", b"x,y\n1,2\n", "is missing for"),
            ("a.csv", b"hello\nworld\n", "only one column"),
            ("a.parquet", b"PAR1 nonsense", "broken or incomplete"),
            ("a.parquet", b"no parquet", "no Parquet file"),
            ("a.csv.gz", b"no gzip", "broken gzip"),
            ("a.zip", b"PK\x03\x04", "zip archive"),
            ("a.jsonl", b"[1, 2]\n3\n", "No line of the file is a JSON object"),
            ("a.csv", b"a\0b,c\n", "zero bytes"),
        ],
    )
    def test_not_a_table_at_all(
        self, tmp_path: Path, table: str, name: str, content: bytes, told: str
    ) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        assert told in refused(path, table).what

    def test_wrong_delimiter(self, tmp_path: Path, table: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text(text(table).replace(",", ";"))
        assert "semicolon" in refused(path, table).what
        assert land(path, table, delimiter=";").accepted == 3

    def test_missing_column_is_named_with_what_there_is(self, tmp_path: Path, table: str) -> None:
        header, row = FILES[table]
        first = header.partition(",")[0]
        path = tmp_path / "a.csv"
        path.write_text(f"{header.replace(first, 'other', 1)}\n{row.format(1, 1)}\n")
        error = refused(path, table)
        assert f"'{first}' is missing for {table}" in error.what
        assert "the file has 'other'" in error.what

    def test_wrong_encoding(self, tmp_path: Path, table: str) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes((text(table) + rows(table, "4")[0] + ",caf\xe9\n").encode("cp1252"))
        assert "Wrong encoding: line 5" in refused(path, table).what

    def test_truncated_gzip(self, tmp_path: Path, table: str) -> None:
        path = tmp_path / "a.csv.gz"
        whole = gzip.compress((text(table) + os.urandom(5000).hex() * 3).encode())
        path.write_bytes(whole[: len(whole) // 2])
        assert "gzip" in refused(path, table).what

    def test_the_second_file_is_looked_at_before_the_first_lands(
        self, tmp_path: Path, table: str
    ) -> None:
        good, bad = tmp_path / "a.csv", tmp_path / "b.csv"
        good.write_text(text(table))
        bad.write_text("x,y\n1,2\n")
        profile = record_profile({"table": table, "source": "acme"}, where="test")
        with pytest.raises(WarehouseError, match="is missing"):
            land_files([good, bad], profile=profile)
        assert ask(f"select from {table}") == []


class TestWhatIsRead:
    @pytest.mark.parametrize("change", ["bom", "crlf", "blank", "gzip", "quoted", "shuffled"])
    def test_other_ways_to_write_it(self, tmp_path: Path, table: str, change: str) -> None:
        plain = tmp_path / "a.csv"
        plain.write_text(text(table))
        assert counted(land(plain, table)) == (3, 3, 0, 0)
        header, *lines = text(table).splitlines()
        if change == "shuffled":
            names = header.split(",")
            order = sorted(range(len(names)), key=lambda at: names[at])
            written = [[each.split(",")[at] for at in order] for each in [header, *lines]]
            content = "\n".join(",".join(cells) for cells in written).encode()
        elif change == "quoted":
            quoted = [",".join(f'"{cell}"' for cell in each.split(",")) for each in lines]
            content = "\n".join([header.upper(), *quoted]).encode()
        else:
            content = {
                "bom": b"\xef\xbb\xbf" + text(table).encode(),
                "crlf": text(table).replace("\n", "\r\n").encode(),
                "blank": text(table).replace("\n", "\n\n").encode(),
                "gzip": gzip.compress(text(table).encode()),
            }[change]
        path = tmp_path / "b.csv"
        path.write_bytes(content)
        assert counted(land(path, table)) == (3, 0, 3, 0)

    def test_json_lines(self, tmp_path: Path, table: str) -> None:
        header, *lines = text(table).splitlines()
        names = header.split(",")
        objects = [
            "{"
            + ", ".join(f'"{n}": "{v}"' for n, v in zip(names, each.split(","), strict=True))
            + "}"
            for each in lines
        ]
        path = tmp_path / "a.jsonl"
        path.write_text("\n".join([*objects, "{broken", "[]"]) + "\n")
        assert counted(land(path, table)) == (5, 3, 0, 2)
        assert counted(land(path, table)) == (5, 0, 3, 2)

    def test_header_in_the_middle_and_too_many_columns(self, tmp_path: Path, table: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text(text(table, "12") + text(table, "3") + rows(table, "4")[0] + ",1,2\n")
        assert counted(land(path, table)) == (5, 3, 0, 2)
        found = ask("select line, rule from ops.quarantine order by line")
        assert found == [(4, "repeated_header"), (6, "malformed_row")]

    def test_batches_keep_every_row(self, tmp_path: Path, table: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text(text(table, "1112") + "," * FILES[table][0].count(",") + "\n")
        result = land(path, table)
        assert counted(result) == (5, 2, 2, 1)
        assert ask("select landed, accepted, known, quarantined from ops.batches") == [
            counted(result)
        ]

    def test_empty_lines_may_be_left_out(self, tmp_path: Path, table: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text(text(table, "12") + "," * FILES[table][0].count(",") + "\n")
        assert counted(land(path, table, skip_empty_lines=True)) == (2, 2, 0, 0)


@pytest.mark.parametrize("bad", ["NaN", "inf", "-Infinity", "1e400", "abc", "1.2.3", "0x10"])
def test_numbers_that_are_none(bad: str, table: str) -> None:
    column = {"raw_market.ticks": "price", "raw_risk.factor_returns": "factor_return"}.get(table)
    if column is None:
        pytest.skip("the table has no number")
    names = FILES[table][0].split(",")
    row = dict(zip(names, rows(table, "1")[0].split(","), strict=True))
    result = land_records(table, [row | {column: bad}], source="app")
    # A hexadecimal integer is a number to PostgreSQL.
    assert result.quarantined == (0 if bad == "0x10" and result.accepted else 1)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_landing_leaves_nothing(
    tmp_path: Path, table: str, signal_number: signal.Signals
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text(table))
    script = f"""
import time
from pathlib import Path
from warehouse.landing.records import landing as record_landing
from warehouse.landing.records.profile import record_profile
from warehouse.landing.records import land_files

def wait(*_):
    print("written", flush=True)
    time.sleep(60)

record_landing.RecordLanding._quarantine = wait
profile = record_profile(
    {{"table": "{table}", "source": "acme", "calendar": "24/7"}}, where="child"
)
land_files([Path("{path}")], profile=profile)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "written\n"
    child.send_signal(signal_number)
    assert child.wait(30) != 0
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and ask(
        "select from pg_stat_activity where application_name = 'warehouse land'"
        " and datname = current_database()"
    ):
        time.sleep(0.1)
    assert ask(f"select from {table}") == []
    assert ask("select from ops.batches") == []
    assert counted(land(path, table)) == (3, 3, 0, 0)


def test_a_server_that_is_down(tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text(table))
    monkeypatch.setenv("WAREHOUSE_TARGET", "server")
    monkeypatch.setenv("WAREHOUSE_HOST", "127.0.0.1")
    monkeypatch.setenv("WAREHOUSE_PORT", "1")
    monkeypatch.setenv("WAREHOUSE_USER", "nobody")
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "none")
    with pytest.raises(WarehouseError, match="does not answer"):
        land(path, table)
