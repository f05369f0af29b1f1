"""A made-up market and what agents say of it, landed; and the frames that oracles start from."""

from __future__ import annotations

from pathlib import Path

import exchange_calendars as xcals
import numpy as np
import pandas as pd

from feature_oracles import frame_profile
from label_oracles import frame
from warehouse import database
from warehouse.landing.bars import land_frame
from warehouse.landing.reference import land_table

SYMBOLS = tuple(f"S{number}" for number in range(8))
CALENDAR = xcals.get_calendar("XNYS", start="2000-01-01")
SESSIONS = CALENDAR.sessions_in_range("2024-01-02", "2024-06-28")
CLOSES = pd.DatetimeIndex(CALENDAR.closes.loc[SESSIONS])

LAND = """
    insert into raw_signals.signals (
        agent_id, signal_id, symbol, signal_ts, horizon, direction, strength
    ) values (%s, %s, %s, %s, 5, %s, %s)
"""


def closes_of(symbol: str) -> np.ndarray:
    """Return the closes of all sessions of a symbol."""
    dice = np.random.default_rng(int(symbol[1:]))
    return np.round(50 * np.exp(np.cumsum(dice.normal(0, 0.02, len(SESSIONS)))), 2)


def land_agents(*agents: str) -> None:
    """Land agents."""
    with database.connect("tests", autocommit=True) as conn:
        for agent in agents:
            conn.execute(
                "insert into raw_signals.agents (agent_id, name) values (%s, %s)", [agent, agent]
            )


def land_market(
    rows: list[int],
    symbols: tuple[str, ...] = SYMBOLS,
    *,
    shift: float = 0.0,
    but: tuple[tuple[str, int], ...] = (),
) -> None:
    """Land daily bars of some sessions; `shift` corrects them, `but` leaves some out."""
    parts = []
    for symbol in symbols:
        closes = closes_of(symbol) + shift
        at = [row for row in rows if (symbol, row) not in but]
        parts.append(pd.DataFrame({
            "symbol": symbol, "time": [SESSIONS[row].date() for row in at], "open": closes[at],
            "high": closes[at] + 1, "low": closes[at] - 1, "close": closes[at], "volume": 1000.0,
        }))  # fmt: skip
    result = land_frame(pd.concat(parts), profile=frame_profile(calendar="XNYS", adjusted="none"))
    assert result.quarantined == 0, result


def say_what_they_are(sectors: dict[str, str], folder: Path) -> None:
    """Land companies and their sectors."""
    file = folder / "info.csv"
    rows = [{"symbol": symbol, "sector": sector} for symbol, sector in sectors.items()]
    pd.DataFrame(rows).to_csv(file, index=False)
    (result,) = land_table("stock_info", [file], source="vendor")
    assert result.quarantined == 0


class Speaker:
    """Lands signals with ids of their own."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.said = 0

    def say(self, agent: str, symbol: str, at: pd.Timestamp, score: float) -> None:
        """Land one signal; the sign of the score is its direction."""
        self.many([(agent, symbol, at, score)])

    def many(self, signals: list[tuple[str, str, pd.Timestamp, float]]) -> None:
        """Land some signals in one transaction."""
        rows = []
        for agent, symbol, at, score in signals:
            self.said += 1
            direction = "flat" if score == 0 else "long" if score > 0 else "short"
            rows.append((agent, f"g{self.said:06}", symbol, at, direction, abs(score)))
        with database.connect("tests") as conn, conn.cursor() as cursor:
            cursor.executemany(LAND, rows)

    def rounds(self, agent: str, rows: list[int], *, digits: int = 9, after: str = "5min") -> None:
        """Land a score of every symbol after the close of each session."""
        dice = np.random.default_rng([len(agent), len(rows), rows[0]])
        self.many([
            (agent, symbol, CLOSES[row] + pd.Timedelta(after), round(dice.uniform(-1, 1), digits))
            for row in rows for symbol in SYMBOLS
        ])  # fmt: skip

    def foresee(self, agent: str, rows: list[int]) -> None:
        """Land what the session after the entry will bring: worth less at longer horizons."""
        self.many([
            (agent, symbol, CLOSES[row] + pd.Timedelta("5min"),
             round(float(np.clip(10 * (closes[row + 2] / closes[row + 1] - 1), -1, 1)), 9))
            for symbol in SYMBOLS for closes in [closes_of(symbol)] for row in rows
        ])  # fmt: skip


def opinions() -> pd.DataFrame:
    """Return the last thing that each agent said before each close, by pandas, from what landed."""
    signals = frame(
        "select s.agent_id, s.signal_id, s.signal_ts, s.direction::text as direction, s.strength,"
        " i.instrument_id from raw_signals.signals as s"
        " left join ref.instruments as i using (symbol)"
    )
    signals["side"] = signals["direction"].map({"long": 1, "short": -1, "flat": 0})
    signals["score"] = signals["side"] * signals["strength"].astype(float)
    at = CLOSES.searchsorted(pd.to_datetime(signals["signal_ts"], utc=True), side="right")
    signals["entry"] = [SESSIONS[n] if n < len(SESSIONS) else pd.NaT for n in at]
    signals = signals.sort_values(["signal_ts", "signal_id"])
    return signals.drop_duplicates(["agent_id", "instrument_id", "entry"], keep="last")
