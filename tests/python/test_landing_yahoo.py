"""Bars from Yahoo Finance, on frames in the shape yfinance returns them; no network is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yfinance

from landing_files import ask
from warehouse.errors import WarehouseError
from warehouse.landing.yahoo import land_yahoo

RECORDED = Path(__file__).parent / "recorded" / "yahoo_daily.csv"
"""Two symbols, three days, the last without MSFT; prices plausible for those days."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Answer yfinance's download with `asked["frame"]` and keep what it was asked."""
    asked: dict[str, Any] = {
        "frame": pd.read_csv(RECORDED, header=[0, 1], index_col=0, parse_dates=True)
    }

    def download(symbols: list[str], **arguments: Any) -> pd.DataFrame:
        asked.update(symbols=symbols, **arguments)
        if isinstance(asked["frame"], Exception):
            raise asked["frame"]
        return asked["frame"]

    monkeypatch.setattr(yfinance, "download", download)
    return asked


@pytest.mark.usefixtures("database")
def test_daily(asked: dict[str, Any]) -> None:
    (result,) = land_yahoo(["aapl", "MSFT", "AAPL"], "2024-01-02", "2024-01-04")
    assert (result.landed, result.accepted, result.quarantined) == (5, 5, 0)
    assert asked["symbols"] == ["AAPL", "MSFT"]
    assert (asked["start"], asked["end"]) == ("2024-01-02", "2024-01-05")
    assert asked["auto_adjust"] is False
    found = ask(
        "select symbol, session_date, source, adjusted, round(close, 2)::float from raw_market.bars"
        " where session_date > '2024-01-02' order by 1, 2"
    )
    assert found == [
        ("AAPL", date(2024, 1, 3), "yahoo", "splits", 184.25),
        ("AAPL", date(2024, 1, 4), "yahoo", "splits", 181.91),
        ("MSFT", date(2024, 1, 3), "yahoo", "splits", 370.6),
    ]
    assert land_yahoo(["AAPL", "MSFT"], date(2024, 1, 2))[0].known == 5


@pytest.mark.usefixtures("database")
def test_hourly_and_grouped_by_column(asked: dict[str, Any]) -> None:
    frame = asked["frame"].dropna().swaplevel(axis=1)
    frame.index = pd.DatetimeIndex(["2024-01-02 14:30Z", "2024-01-02 15:30Z"], name="Datetime")
    asked["frame"] = frame
    assert land_yahoo(["MSFT"], "2024-01-02", timeframe="60m")[0].accepted == 2
    assert asked["interval"] == "60m"
    assert ask("select min(bar_ts), min(timeframe) from raw_market.bars") == [
        (datetime(2024, 1, 2, 14, 30, tzinfo=UTC), "1h")
    ]


@pytest.mark.usefixtures("database")
def test_unknown_symbol_lands_nothing(asked: dict[str, Any]) -> None:
    assert asked
    with pytest.raises(WarehouseError, match="no bars of NOPE"):
        land_yahoo(["AAPL", "NOPE"], "2024-01-02")
    assert ask("select count(*) from ops.batches") == [(0,)]


@pytest.mark.parametrize("answer", [OSError("no route to host"), pd.DataFrame(), None])
def test_no_answer(asked: dict[str, Any], answer: Any) -> None:
    asked["frame"] = answer
    with pytest.raises(WarehouseError) as caught:
        land_yahoo(["AAPL"], "2024-01-02")
    assert caught.value.what.startswith("Yahoo Finance did not answer")
    assert "check the network" in caught.value.do


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"symbols": [" "], "start": "2024-01-02"}, "No symbol"),
        ({"symbols": ["A"], "start": "yesterday"}, "start 'yesterday' is not a date"),
        ({"symbols": ["A"], "start": "2024-01-02", "end": "2023-01-02"}, "before the start"),
        ({"symbols": ["A"], "start": "2024-01-02", "timeframe": "7m"}, "no bars of 7m"),
    ],
)
def test_bad_questions(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(WarehouseError, match=told):
        land_yahoo(**arguments)
