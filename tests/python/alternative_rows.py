"""What is said of a made-up market, and options on it, landed row by row."""

from __future__ import annotations

from typing import Any

import pandas as pd
import psycopg
from psycopg.types.json import Jsonb

from signal_rows import CLOSES, SESSIONS
from warehouse import database

HOUR = pd.Timedelta("1h")


def close(row: int, hours: float = 0) -> pd.Timestamp:
    """Return so many hours after the close of a session."""
    return CLOSES[row] + hours * HOUR


def land(table: str, *rows: dict[str, Any], conn: psycopg.Connection | None = None) -> None:
    """Land rows as an application would, in a transaction of their own unless one is given."""
    if conn is None:
        with database.connect("tests") as session:
            land(table, *rows, conn=session)
        return
    for row in rows:
        columns, marks = ", ".join(row), ", ".join(["%s"] * len(row))
        values = [Jsonb(v) if isinstance(v, dict) else v for v in row.values()]
        conn.execute(f"insert into {table} ({columns}) values ({marks})".encode(), values)


def news(symbol: str, at: pd.Timestamp, score: float | None, **other: Any) -> dict[str, Any]:
    """Return an article about a symbol, known when it was published unless said otherwise."""
    return {
        "article_id": f"{symbol} {at}", "symbol": symbol, "published_at": at, "relevance": 0.5,
        "sentiment_score": score, "source": "wire", "known_at": at,
    } | other  # fmt: skip


def post(symbol: str, at: pd.Timestamp, score: float | None, **other: Any) -> dict[str, Any]:
    """Return a post found under a symbol."""
    return {
        "platform": "reddit", "symbol": symbol, "posted_at": at, "post_id": f"{symbol} {at}",
        "text": "to the moon", "reach": 100, "sentiment_score": score, "source": "feed",
        "known_at": at,
    } | other  # fmt: skip


def window(symbol: str, end: pd.Timestamp, score: float, **other: Any) -> dict[str, Any]:
    """Return an hour of sentiment of a symbol on a platform."""
    return {
        "platform": "reddit", "symbol": symbol, "window_start": end - HOUR, "window_end": end,
        "score": score, "mentions": 10, "source": "feed", "known_at": end,
    } | other  # fmt: skip


def value(symbol: str | None, at: pd.Timestamp, payload: Any, **other: Any) -> dict[str, Any]:
    """Return a value of alternative data that was published ten days after what it is about."""
    return {
        "dataset": "cards", "entity": "shop", "as_of_ts": at - 240 * HOUR, "symbol": symbol,
        "published_at": at, "payload": payload, "source": "feed", "known_at": at,
    } | other  # fmt: skip


def chain(
    symbol: str, row: int, *, shift: float = 0.0, spot: float = 50.0, **other: Any
) -> list[dict[str, Any]]:
    """Return the options on an instrument at the end of a session: 3 expiries, 9 strikes."""
    with database.connect("tests") as conn:
        found = conn.execute(
            "select instrument_id from ref.instruments where symbol = %s", [symbol]
        ).fetchone()
    assert found
    day = SESSIONS[row]
    rows: list[dict[str, Any]] = []
    for number, days in enumerate((14, 45, 120)):
        for step in range(-4, 5):
            for right, sign in (("call", 1), ("put", -1)):
                smile = 0.2 + 0.01 * number + 0.002 * step**2 - 0.004 * step + shift
                delta = sign * (0.5 - sign * step * 0.11)
                rows.append({
                    "instrument_id": found[0], "symbol": symbol, "quote_ts": f"{day.date()}Z",
                    "expiry": day + pd.Timedelta(days=days), "strike": spot + 2.5 * step,
                    "option_right": right, "bid": 1.0, "ask": 1.2, "source": "feed",
                    "volume": 10 + step + number,
                    "open_interest": 50 + (3 * step + 9) * sign + number,
                    "implied_volatility": smile, "delta": delta, "gamma": 0.05,
                    "underlying_price": spot + 0.3, "known_at": close(row),
                } | other)  # fmt: skip
    return rows
