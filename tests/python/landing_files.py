"""What the tests of landing share: small vendor files, and questions to the database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from warehouse import database
from warehouse.landing.bars import land_bars
from warehouse.landing.batches import BatchResult
from warehouse.landing.profile import Profile, parse_profile

HEADER = "symbol,date,open,high,low,close,volume"
COLUMNS = {
    "symbol": "symbol",
    "timestamp": "date",
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume": "volume",
}
BARS = """
    select
        symbol, timeframe, bar_ts, session_date, source, revision,
        open, high, low, close, volume, adjusted
    from raw_market.bars
    order by symbol, timeframe, bar_ts, source, revision
"""


def vendor(**keys: Any) -> Profile:
    """Return a profile of a vendor of daily bars, with some keys changed."""
    content = {
        "source": "acme",
        "timeframe": "1d",
        "timezone": "America/New_York",
        "calendar": "XNYS",
        "adjusted": "none",
        "columns": COLUMNS,
    }
    return parse_profile(content | keys, where="test")


def write(path: Path, rows: Iterable[str], *, header: str = HEADER) -> Path:
    """Write a CSV file and return its path."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def land(path: Path, **keys: Any) -> BatchResult:
    """Land one file of the vendor."""
    return land_bars([path], profile=vendor(**keys))[0]


def ask(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with database.connect() as conn:
        return conn.execute(sql, list(parameters) or None).fetchall()


def do(sql: str) -> None:
    """Run a statement."""
    with database.connect() as conn:
        conn.execute(sql)


def counts() -> tuple[int, ...]:
    """Return the numbers of bars, batches, quarantined rows, instruments and sessions."""
    tables = (
        "raw_market.bars",
        "ops.batches",
        "ops.quarantine",
        "ref.instruments",
        "ref.symbol_history",
    )
    return tuple(ask(f"select count(*) from {table}")[0][0] for table in tables)


def rejected() -> list[tuple[int, list[str]]]:
    """Return line and rules of the quarantined rows."""
    return ask("select line, rules from ops.quarantine order by quarantine_id")
