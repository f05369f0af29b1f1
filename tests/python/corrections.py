"""What puts history right between two builds: withdrawals and renames, as moves of a schedule."""

from __future__ import annotations

from typing import Protocol

import pandas as pd

from feature_oracles import PRICES, frame_profile
from warehouse.errors import WarehouseError
from warehouse.landing.bars import land_frame
from warehouse.landing.corrections.renames import rename_symbol
from warehouse.landing.corrections.withdrawals import withdraw_bars
from warehouse.landing.corrections.withdrawn_actions import withdraw_action

Key = tuple[str, str]


class History(Protocol):
    """The part of a schedule that the moves need."""

    bars: dict[Key, pd.DataFrame]
    told: list[str]


def withdraw(
    history: History, key: Key, rows: list[int], *, source: str = "oracle", ticker: str = ""
) -> int:
    """Withdraw a run of rows of a source; return how many bars that took back."""
    bars = history.bars[key].iloc[[rows[0], rows[-1]]]
    column = "session_date" if key[1] == "1d" else "clock"
    first, last = (pd.Timestamp(moment) for moment in bars[column])
    if column == "session_date":
        first, last = first.date(), last.date()
    elif first.tzinfo is None:
        first, last = first.tz_localize("UTC"), last.tz_localize("UTC")
    told = f"withdraw {source} {ticker or key[0]} {key[1]} {rows[0]}..{rows[-1]}"
    try:
        result = withdraw_bars(
            source=source, symbol=ticker or key[0], timeframe=key[1], start=first, end=last
        )
    except WarehouseError as error:
        # There is no such bar: the message says so, nothing happened.
        history.told.append(f"{told}: {error.what}")
        return 0
    history.told.append(f"{told}: {result.accepted}")
    return result.accepted


def land_as(
    history: History, key: Key, rows: list[int], ticker: str, *, source: str = "oracle"
) -> None:
    """Land rows of a series under another ticker."""
    bars = history.bars[key].iloc[rows]
    daily = key[1] == "1d"
    profile = frame_profile(
        source=source,
        timeframe=key[1],
        calendar="XNYS",
        adjusted="none" if daily else "splits",
    )
    times = bars["session_date"].dt.date if daily else bars["clock"]
    result = land_frame(
        bars[[*PRICES, "volume"]].assign(symbol=ticker, time=times), profile=profile
    )
    assert result.quarantined == 0, result
    history.told.append(f"land {key} {rows[0]}..{rows[-1]} as {ticker}: {result.accepted} new")


def cancel(history: History, symbol: str, kind: str, ex_date: str) -> int:
    """Withdraw a corporate action; return 1 when there was one."""
    try:
        result = withdraw_action(source="oracle", symbol=symbol, action_type=kind, ex_date=ex_date)
    except WarehouseError as error:
        history.told.append(f"withdraw {kind} of {symbol} on {ex_date}: {error.what}")
        return 0
    history.told.append(f"withdraw {kind} of {symbol} on {ex_date}")
    return result.accepted


def rename(history: History, old: str, new: str, on: str) -> int:
    """Say that a ticker was renamed; return how many bars moved."""
    try:
        result = rename_symbol(old, new, on=on)
    except WarehouseError as error:
        history.told.append(f"rename {old} to {new} on {on}: {error.what}")
        return 0
    history.told.append(f"rename {old} to {new} on {on}: {result.bars} bars")
    return result.bars
