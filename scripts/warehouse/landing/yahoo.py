"""Fetch bars from Yahoo Finance through yfinance and land them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from warehouse.errors import WarehouseError
from warehouse.landing.bars import land_frame
from warehouse.landing.batches import BatchResult
from warehouse.landing.profile import Profile, load_profile

INTERVALS = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "60m", "1d": "1d"}
"""Bar lengths that Yahoo has, by our names."""

PRICES = ("Open", "High", "Low", "Close", "Volume")


def land_yahoo(
    symbols: Sequence[str],
    start: str | date,
    end: str | date | None = None,
    timeframe: str = "1d",
) -> list[BatchResult]:
    """Land bars of some symbols from `start` to `end`, both included.

    Yahoo's prices are adjusted for splits only; its dividend-adjusted column is not asked for.
    Raises WarehouseError when Yahoo does not answer or does not know a symbol; nothing lands then.
    """
    profile = load_profile("yahoo").with_timeframe(timeframe)
    if profile.timeframe not in INTERVALS:
        raise WarehouseError(
            f"Yahoo has no bars of {timeframe}.", do=f"use one of: {', '.join(INTERVALS)}"
        )
    first = _day(start, "start")
    last = _day(end, "end") if end is not None else None
    if last is not None and last < first:
        raise WarehouseError(f"The end {last} is before the start {first}.", do="swap them")
    wanted = list(dict.fromkeys(symbol.strip().upper() for symbol in symbols if symbol.strip()))
    if not wanted:
        raise WarehouseError("No symbol was named.", do="`warehouse land yahoo AAPL MSFT …`")
    frame = fetch(wanted, first, last, INTERVALS[profile.timeframe])
    return land_download(frame, wanted, profile)


def land_download(
    frame: pd.DataFrame, symbols: Sequence[str], profile: Profile
) -> list[BatchResult]:
    """Land a frame as yfinance's `download(group_by="ticker")` returns it, all symbols or none."""
    frames = {symbol: of_symbol(frame, symbol) for symbol in symbols}
    empty = [symbol for symbol, rows in frames.items() if rows.empty]
    if empty:
        raise WarehouseError(
            f"Yahoo has no bars of {', '.join(empty)} in that range. Nothing landed.",
            where="Yahoo Finance",
            do="check the symbols (BRK-B, not BRK.B) and the dates; minutes reach back days only",
        )
    columns = profile.columns.model_copy(update={"symbol": "Symbol"})
    described = profile.model_copy(update={"columns": columns, "symbol": None})
    whole = pd.concat(rows.assign(Symbol=symbol) for symbol, rows in frames.items())
    return [land_frame(whole, profile=described, name=f"yahoo {' '.join(symbols)}")]


def of_symbol(frame: pd.DataFrame, symbol: str) -> pd.DataFrame:
    """Return one symbol's bars as flat columns, without days on which only others traded."""
    part = frame
    if isinstance(frame.columns, pd.MultiIndex):
        mine = [names for names in frame.columns if symbol in names]
        # The level of the prices is first or second, as `group_by` said.
        part = frame[mine].set_axis(
            [next(name for name in names if name != symbol) for names in mine], axis=1
        )
        if part.columns.empty:
            return frame.iloc[0:0]
    missing = [name for name in PRICES if name not in part.columns]
    if missing:
        raise WarehouseError(
            f"Yahoo's answer has no {', '.join(missing)}.",
            where="yfinance",
            do="install the version of yfinance in requirements/runtime.txt: `make setup`",
        )
    bars = part[list(PRICES)].dropna(how="all")
    # The index is named Date for days and Datetime for shorter bars.
    return bars.rename_axis("Date").reset_index()


def fetch(symbols: list[str], first: date, last: date | None, interval: str) -> pd.DataFrame:
    """Ask Yahoo.

    Raises WarehouseError when it does not answer.
    """
    import yfinance

    arguments: dict[str, Any] = {
        "start": first.isoformat(),
        "interval": interval,
        # Yahoo's end is exclusive.
        "end": (last + timedelta(days=1)).isoformat() if last else None,
        # Prices as they were, adjusted for splits only.
        "auto_adjust": False,
        "actions": False,
        "group_by": "ticker",
        "progress": False,
        "threads": False,
    }
    told = _Told()
    log = logging.getLogger("yfinance")
    log.addHandler(told)
    propagate, log.propagate = log.propagate, False
    try:
        with warnings.catch_warnings():
            # yfinance is not yet quiet on pandas 3.
            warnings.simplefilter("ignore")
            answer: pd.DataFrame | None = yfinance.download(symbols, **arguments)
    except Exception as error:
        raise _no_answer(f"{type(error).__name__}: {error}") from None
    finally:
        log.removeHandler(told)
        log.propagate = propagate
    if answer is None or answer.empty:
        raise _no_answer(told.lines[-1] if told.lines else "an empty answer")
    return answer


class _Told(logging.Handler):
    """Keeps what yfinance logs: it tells failures there and does not raise."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [line for line in record.getMessage().splitlines() if line.strip()]


def _no_answer(reason: str) -> WarehouseError:
    return WarehouseError(
        f"Yahoo Finance did not answer: {reason}. Nothing landed.",
        where="query1.finance.yahoo.com",
        do="check the network and the symbols, then try again; Yahoo blocks too many questions",
    )


def _day(value: str | date, name: str) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except ValueError:
        raise WarehouseError(
            f"The {name} {value!r} is not a date.", do="write 2024-01-31"
        ) from None
