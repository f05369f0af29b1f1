"""Landing bars: idempotent, append-only, revisions, conservation, streams."""

from __future__ import annotations

import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landing_files import BARS, HEADER, ask, counts, do, land, rejected, vendor, write
from warehouse.errors import WarehouseError
from warehouse.landing.bars import land_bars, land_frame

pytestmark = pytest.mark.usefixtures("database")

DAYS = [day.date().isoformat() for day in pd.bdate_range("2023-01-03", periods=40)]


def bars(symbols: int = 5, days: int = 20) -> list[str]:
    """Return rows of several symbols, some of them bad."""
    rows = []
    for symbol in range(symbols):
        for at, day in enumerate(DAYS[:days]):
            low, high = 10 + symbol + at / 8, 12 + symbol + at / 8
            close = "" if (symbol, at) == (1, 3) else f"{high - 0.25}"
            volume = -1 if (symbol, at) == (2, 5) else 1000 + at
            rows.append(f"S{symbol},{day},{low},{high},{low},{close},{volume}")
    return rows


def clear() -> None:
    """Empty the landing tables, which refuse it otherwise."""
    do("""
        set session_replication_role = replica;
        truncate raw_market.bars, ops.quarantine, ops.batches, ref.instruments, ref.symbol_history,
            ref.series, ops.change_log cascade
    """)


def test_same_file_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", bars())
    first, second = land(path), land(path)
    assert (first.landed, first.accepted, first.known, first.quarantined) == (100, 98, 0, 2)
    assert (second.landed, second.accepted, second.known, second.quarantined) == (100, 0, 98, 2)
    assert len(ask(BARS)) == 98


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), parts=st.integers(1, 4), repeats=st.integers(0, 30))
def test_shuffled_split_and_repeated_gives_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, seed: int, parts: int, repeats: int
) -> None:
    folder = tmp_path_factory.mktemp("split")
    clear()
    land(write(folder / "whole.csv", bars()))
    expected = ask(BARS)
    clear()
    rng = random.Random(seed)  # noqa: S311
    rows = bars()
    rows += rng.choices(rows, k=repeats)
    rng.shuffle(rows)
    paths = [write(folder / f"{part}.csv", rows[part::parts]) for part in range(parts)]
    results = land_bars(paths, profile=vendor())
    assert ask(BARS) == expected
    assert sum(result.landed for result in results) == len(rows)
    for result in results:
        assert result.landed == result.accepted + result.known + result.quarantined
    quarantined = ask("select count(*) from ops.quarantine")[0][0]
    assert sum(result.quarantined for result in results) == quarantined


def test_changed_values_are_the_next_revision(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for close in ("1.5", "1.6", "1.60", "1.5"):
        land(write(path, [f"A,2024-01-02,1,2,1,{close},10"]))
    found = ask("select revision, close, batch_id from raw_market.bars order by revision")
    assert [(revision, float(close)) for revision, close, _ in found] == [
        (0, 1.5),
        (1, 1.6),
        (2, 1.5),
    ]
    known = ask("select known_at from raw_market.bars order by revision")
    assert known == sorted(known)
    land(write(path, ["A,2024-01-02,1,2,1,1.5,"]))
    land(write(path, ["A,2024-01-02,1,2,1,1.5,"]), adjusted="splits")
    assert ask(
        "select revision, volume, adjusted from raw_market.bars where revision > 2 order by 1"
    ) == [
        (3, None, "none"),
        (4, None, "splits"),
    ]


def test_beyond_ten_decimals_nothing_is_new(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", ["A,2024-01-02,1,2,1,1.00000000004,10"]))
    again = land(write(tmp_path / "b.csv", ["A,2024-01-02,1,2,1,1.00000000001,10"]))
    assert (again.accepted, again.known) == (0, 1)


def test_conflicting_rows_are_all_quarantined(tmp_path: Path) -> None:
    rows = ["A,2024-01-02,1,2,1,1.5,10", "A,2024-01-02,1,2,1,1.7,10", "A,2024-01-02,1,2,1,1.5,10",
            "A,2024-01-03,1,2,1,1.5,10", "A,2024-01-03,1.0,2,1,1.5,10"]  # fmt: skip
    result = land(write(tmp_path / "a.csv", rows))
    assert (result.accepted, result.known, result.quarantined) == (1, 1, 3)
    assert rejected() == [(line, ["conflicting_duplicate"]) for line in (2, 3, 4)]


def test_sources_and_timeframes_stand_side_by_side(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["A,2024-01-02,1,2,1,1.5,10"])
    land(path)
    land(path, source="other")
    land_bars([path], profile=vendor(), timeframe="1h")
    assert ask(
        "select source, timeframe, revision, instrument_id from raw_market.bars order by 1, 2"
    ) == [
        ("acme", "1d", 0, 1),
        ("acme", "1h", 0, 1),
        ("other", "1d", 0, 1),
    ]


def test_the_batch_tells_what_was_landed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", bars())
    result = land(path)
    ((file, size, source, timeframe, profile),) = ask(
        "select file, file_bytes, source, timeframe, profile from ops.batches"
    )
    assert (file, size) == (str(path), path.stat().st_size)
    assert (source, timeframe, profile["label"]) == ("acme", "1d", "start")
    assert result.rules == {"null_ohlc": 1, "negative_volume": 1}
    assert ask("select distinct batch_id from raw_market.bars") == [(result.batch_id,)]


def test_one_note_in_the_change_log_for_each_series(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", bars()))
    notes = ask(
        "select count(*), sum(rows) from ops.change_log"
        " where operation = 'I' and relation = 'raw_market.bars'::regclass"
    )
    assert notes == [(5, 98)]


def test_bars_cannot_be_changed(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", bars()))
    for statement in ("delete from", "truncate"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            do(f"{statement} raw_market.bars")


def test_negative_prices_where_they_are_real(tmp_path: Path) -> None:
    row = ["CLK20,2020-04-20,17.73,17.85,-40.32,-37.63,247947"]
    assert land(write(tmp_path / "a.csv", row), calendar="CMES").quarantined == 1
    oil = {"calendar": "CMES", "allow_negative_price": True, "asset_class": "future"}
    assert land(write(tmp_path / "a.csv", row), **oil).accepted == 1
    assert ask("select calendar, allow_negative_price, asset_class from ref.instruments") == [
        ("CMES", True, "future")
    ]
    # What the instrument is known for counts, not what this profile says.
    assert land(write(tmp_path / "a.csv", row), calendar="CMES").known == 1


def test_reused_ticker_is_another_instrument(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", ["FB,2013-01-03,1,2,1,1.5,10"]))
    do("update ref.symbol_history set valid_from = '2012-05-18', valid_to = '2022-06-09'")
    rows = [
        f"FB,{day},1,2,1,1.5,10" for day in ("2003-01-03", "2014-01-03", "2023-01-03", "2003-01-06")
    ]
    assert land(write(tmp_path / "b.csv", rows)).accepted == 4
    found = ask(
        "select extract(year from session_date)::int, instrument_id from raw_market.bars"
        " order by bar_ts"
    )
    assert found == [(2003, 2), (2003, 2), (2013, 1), (2014, 1), (2023, 3)]
    assert ask(
        "select valid_from::text, valid_to::text, instrument_id from ref.symbol_history"
        " order by valid_from"
    ) == [
        ("-infinity", "2012-05-18", 2),
        ("2012-05-18", "2022-06-09", 1),
        ("2022-06-09", "infinity", 3),
    ]


def test_two_tickers_of_one_instrument_may_conflict(tmp_path: Path) -> None:
    land(write(tmp_path / "a.csv", ["OLD,2024-01-02,1,2,1,1.5,10"]))
    do(
        "insert into ref.symbol_history (symbol, calendar, instrument_id, source)"
        " values ('NEW', 'XNYS', 1, 't')"
    )
    rows = ["NEW,2024-01-03,1,2,1,1.5,10", "OLD,2024-01-03,1,2,1,1.6,10"]
    assert land(write(tmp_path / "b.csv", rows)).rules == {"conflicting_duplicate": 2}


def test_parquet_types(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "symbol": pa.array(["A", "A", "B", None]).dictionary_encode(),
            "date": pa.array([pd.Timestamp(day).date() for day in DAYS[:4]]),
            "open": pa.array([0.1, 1e-7, None, 1.0]),
            "high": pa.array([Decimal("123.4567890123")] * 4),
            "low": pa.array([0.1, 1e-7, 1.0, 1.0], pa.float32()),
            "close": pa.array(["0.1", "1", "1", "1"], pa.large_string()),
            "volume": pa.array([2**46, 0, 1, None]),
        }
    )
    pq.write_table(table, path)
    assert land(path).accepted == 2
    assert rejected() == [(3, ["null_ohlc"]), (4, ["missing_symbol"])]
    first, second = ask("select open, high, low, volume from raw_market.bars order by bar_ts")
    assert first == (Decimal("0.1"), Decimal("123.4567890123"), Decimal("0.1"), 2**46)
    assert second[0] == Decimal("1e-7")


def test_frame(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"symbol": ["A", "A"], "date": pd.to_datetime(DAYS[:2]), "open": [1.0, None], "high": 2,
         "low": 1, "close": 1.5, "volume": 7}
    )  # fmt: skip
    result = land_frame(frame, profile=vendor(), name="my frame")
    assert (result.file, result.accepted, result.rules) == ("my frame", 1, {"null_ohlc": 1})
    assert rejected() == [(2, ["null_ohlc"])]
    again = land_frame(frame.set_index(["symbol", "date"]), profile=vendor())
    assert again.known == 1
    assert land(write(tmp_path / "a.csv", [f"A,{DAYS[0]},1,2,1,1.5,7"])).known == 1
    with pytest.raises(WarehouseError, match="'volume' is missing"):
        land_frame(frame.drop(columns="volume"), profile=vendor())


def test_frame_of_mixed_objects() -> None:
    frame = pd.DataFrame(
        {"symbol": ["A", "B"], "date": DAYS[:2], "open": [1.0, "x"], "high": 2, "low": 1,
         "close": 1.5, "volume": 7}
    )  # fmt: skip
    assert land_frame(frame, profile=vendor()).rules == {"not_a_number": 1}


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", bars())
    told: list[tuple[str, int, int | None]] = []
    land_bars([path], profile=vendor(), progress=lambda *step: told.append(step))
    assert told[-1] == (str(path), path.stat().st_size, path.stat().st_size)


def test_two_landings_at_once_wait_for_each_other(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", bars())
    script = (
        "import sys; from pathlib import Path; from landing_files import land; "
        "land(Path(sys.argv[1]))"
    )
    others = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=Path(__file__).parent)
        for _ in range(3)
    ]
    assert [other.wait(timeout=120) for other in others] == [0, 0, 0]
    assert ask("select sum(accepted), sum(known), sum(quarantined) from ops.batches") == [
        (98, 196, 6)
    ]


MEMORY = """
import resource, sys
from pathlib import Path
from landing_files import land
land(Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Land 12 and 120 MB in processes of their own: ten times the rows, the same memory."""
    peaks = {}
    for factor in (1, 10):
        path = tmp_path / f"{factor}.csv"
        with path.open("w") as file:
            file.write(HEADER + ",comment\n")
            for number in range(22_000 * factor):
                # All known after the first, so that the server has little to do.
                file.write(f"A,2024-01-02,1,2,1,1.5,10,{'x' * 500}{number % 10}\n")
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True,
            cwd=Path(__file__).parent,
        )  # fmt: skip
        peaks[factor] = int(done.stdout)
        path.unlink()
    assert peaks[10] < peaks[1] * 1.25 + 20, peaks
    assert counts()[0] == 1
