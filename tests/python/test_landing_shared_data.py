"""Real files beside the project: what is quarantined is what their key of known defects says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from landing_files import COLUMNS, ask, vendor
from warehouse.landing.bars import land_bars, land_frame
from warehouse.landing.profile import Profile
from warehouse.landing.reference import land_table

pytestmark = pytest.mark.usefixtures("database")

ERRORS = ("null_ohlc", "high_lt_low", "high_lt_max_open_close", "low_gt_min_open_close")
INTRADAY = {**COLUMNS, "timestamp": "ts"}
QUOTES = {key: value for key, value in INTRADAY.items() if key != "volume"}


def profile(**keys: Any) -> Profile:
    return vendor(**({"adjusted": "splits", "timezone": None} | keys))


@pytest.mark.parametrize(
    ("name", "landed", "quarantined"),
    [
        ("daily_sp500", 619_040, 23),
        ("daily_yahoo88", 108_592, 3),
        ("daily_lean_unadjusted", 36_375, 0),
    ],
)
def test_daily(shared_data: Path, name: str, landed: int, quarantined: int) -> None:
    path = shared_data / f"{name}.parquet"
    (result,) = land_bars([path], profile=profile())
    assert (result.landed, result.quarantined) == (landed, quarantined)
    key = pd.read_csv(shared_data / "known_defects.csv.gz")
    key = key[(key["file"] == path.name) & key["defect"].isin(ERRORS)]
    found = ask(
        "select symbol, bar_ts::date::text, broken from ops.quarantine, unnest(rules) as broken"
    )
    assert sorted(found) == sorted(zip(key["symbol"], key["ts"], key["defect"], strict=True))
    assert result.rules == dict(Counter(key["defect"]))


@pytest.mark.parametrize(
    ("name", "timeframe", "landed"), [("1h_us", "1h", 204_105), ("1m_us", "1m", 15_732)]
)
def test_us_intraday(shared_data: Path, name: str, timeframe: str, landed: int) -> None:
    described = profile(timeframe=timeframe, timezone="America/New_York", columns=INTRADAY)
    (result,) = land_bars([shared_data / f"intraday_{name}.parquet"], profile=described)
    assert (result.landed, result.accepted) == (landed, landed)
    wrong = ask("""
        select count(*) from raw_market.bars
        where session_date <> (bar_ts at time zone 'America/New_York')::date
    """)
    assert wrong == [(0,)]


def test_crypto_and_future(shared_data: Path) -> None:
    frame = pd.read_parquet(shared_data / "intraday_1m_crypto_future.parquet")
    described = profile(timeframe="1m", timezone="UTC", columns=INTRADAY)
    for symbol, keys in {
        "BTC-PERP": {"calendar": "24/7", "asset_class": "crypto"},
        "6EH4": {"calendar": "CMES", "asset_class": "future", "label": "end"},
    }.items():
        rows = frame[frame["symbol"].str.startswith(symbol)]
        described = profile(timeframe="1m", timezone="UTC", columns=INTRADAY, **keys)
        result = land_frame(rows, profile=described, name=symbol)
        assert result.accepted == len(rows) > 0
    evening = ask("""
        select min(session_date)::text from raw_market.bars
        where symbol like '6EH4%%' and bar_ts = '2024-01-01 23:00Z'
    """)
    assert evening == [("2024-01-02",)]


def test_quotes(shared_data: Path) -> None:
    columns = {**QUOTES, "symbol": ["symbol", "side"]}
    path = shared_data / "intraday_1m_fx_quotes.parquet"
    described = profile(timeframe="1m", calendar="24/7", columns=columns, asset_class="fx")
    (result,) = land_bars([path], profile=described)
    assert result.accepted == 60_234
    assert ask(
        "select symbol, count(*), count(volume) from raw_market.bars group by 1 order by 1"
    ) == [
        ("GBPUSD.ask", 30_117, 0),
        ("GBPUSD.bid", 30_117, 0),
    ]
    only = profile(
        timeframe="1m", calendar="24/7", columns=QUOTES, filter={"side": "bid"}, source="bid"
    )
    assert land_bars([path], profile=only)[0].landed == 30_117


def test_stock_info(shared_data: Path) -> None:
    (result,) = land_table("stock_info", [shared_data / "stock_info.csv"], source="listings")
    assert (result.landed, result.accepted) == (536, 536)
    assert ask(
        "select company_name, sector, industry from raw_market.stock_info where symbol = 'A'"
    ) == [("Agilent Technologies Inc", "Health Care", "Diagnostics & Research")]


def test_the_same_bars_as_csv_and_parquet(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "daily_yahoo88.parquet"
    land_bars([path], profile=profile())
    text = tmp_path / "daily.csv.gz"
    pd.read_parquet(path).sample(frac=1, random_state=3).to_csv(text, index=False)
    (again,) = land_bars([text], profile=profile())
    assert (again.accepted, again.known, again.quarantined) == (0, 108_589, 3)
