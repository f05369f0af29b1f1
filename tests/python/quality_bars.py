"""What the tests of the gate share: clean bars, a vendor, and questions to the database."""

from __future__ import annotations

from typing import Any

import exchange_calendars as xcals
import pandas as pd

from warehouse import database as db
from warehouse.landing.bars import land_frame
from warehouse.landing.profile import Profile, parse_profile
from warehouse.quality import gate

NAMES = ("symbol", "open", "high", "low", "close", "volume")


def vendor(**changes: Any) -> Profile:
    """Return a profile of daily bars of New York, with some keys changed."""
    content: dict[str, Any] = {
        "source": "acme",
        "timeframe": "1d",
        "timezone": "America/New_York",
        "calendar": "XNYS",
        "adjusted": "none",
        "columns": {**{name: name for name in NAMES}, "timestamp": "time"},
    }
    return parse_profile({**content, **changes}, where="test")


def clean(times: list[pd.Timestamp], symbol: str = "ABC", price: float = 100.0) -> pd.DataFrame:
    """Return bars that break no rule, different for each symbol."""
    steps = pd.Series(range(len(times)), dtype="float64")
    middle = price + (steps % 7) + len(symbol) / 8 + sum(map(ord, symbol)) % 13
    return pd.DataFrame(
        {
            "symbol": symbol,
            "time": times,
            "open": middle - 0.25,
            "high": middle + 1.0,
            "low": middle - 1.0,
            "close": middle + 0.5,
            "volume": 1000.0 + steps,
        }
    )


def sessions(first: str, last: str, calendar: str = "XNYS") -> list[pd.Timestamp]:
    """Return the sessions of an exchange between two dates."""
    known = xcals.get_calendar(calendar, start="2010-01-01")
    return list(known.sessions_in_range(first, last))


def minutes(first: str, last: str, step: str) -> list[pd.Timestamp]:
    """Return naive times from the first to the last, both included."""
    return list(pd.date_range(first, last, freq=step))


def land(frame: pd.DataFrame, **changes: Any) -> int:
    """Land bars; return the batch."""
    return land_frame(frame.reset_index(drop=True), profile=vendor(**changes)).batch_id


def findings(scope: str = "batch") -> set[tuple[str, str, str]]:
    """Return rule, symbol and time (UTC) of everything found."""
    with db.connect() as conn:
        rows = conn.execute(
            "select rule, symbol, to_char(bar_ts, 'YYYY-MM-DD HH24:MI') from ops.dq_findings"
            " where scope = %s",
            [scope],
        ).fetchall()
    return {(rule, symbol, moment.removesuffix(" 00:00")) for rule, symbol, moment in rows}


def found(batch: int) -> dict[str, int]:
    """Check a batch; return what each rule found."""
    result = gate.check([batch], docs=False)
    return {each.rule: each.found for each in result.results if each.found}
