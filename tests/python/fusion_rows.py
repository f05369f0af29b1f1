"""Fused signals, landed; and what is to be attributed by pandas, from what landed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import psycopg

from label_oracles import HORIZONS, forward_returns, frame
from signal_rows import CLOSES, SESSIONS
from warehouse import database

FUSED = """
    insert into raw_signals.fused_signals (
        fused_id, agent_id, symbol, signal_ts, horizon, direction, strength
    ) values (%s, 'allocator', %s, %s, 5, %s, %s)
"""
INPUT = """
    insert into raw_signals.fusion_inputs (fused_id, agent_id, signal_id, weight)
    values (%s, %s, %s, %s)
"""
SIDES = {"long": 1, "short": -1, "flat": 0}

Input = tuple[str, str, float]
"""Agent, id of its signal, weight."""


def fuse(
    conn: psycopg.Connection, fused_id: str, symbol: str, at: pd.Timestamp, score: float,
    inputs: Iterable[Input] = (), *, direction: str | None = None,
) -> None:  # fmt: skip
    """Write a fused signal with its inputs; the sign of the score is its direction."""
    said = direction or ("flat" if score == 0 else "long" if score > 0 else "short")
    conn.execute(FUSED, [fused_id, symbol, at, said, abs(score)])
    for agent, signal, weight in inputs:
        conn.execute(INPUT, [fused_id, agent, signal, weight])


def fuse_all(symbols: Iterable[str], rows: Iterable[int], agents: tuple[str, ...]) -> None:
    """Fuse what some agents said of symbols after closes, by weights that sum to nothing.

    A call finds the signals by what is landed, one that no agent has said included.
    """
    said = frame(
        "select agent_id, signal_id, symbol, date(signal_ts) as day from raw_signals.signals"
    )
    with database.connect("tests") as conn:
        for row in rows:
            for number, symbol in enumerate(symbols):
                dice = np.random.default_rng([row, number])
                heard = said[(said["day"] == CLOSES[row].date()) & (said["symbol"] == symbol)]
                heard = heard[heard["agent_id"].isin(agents)].sort_values("signal_id")
                inputs = [
                    (agent, signal, float(dice.uniform(-1, 2)))
                    for agent, signal in heard[["agent_id", "signal_id"]].itertuples(index=False)
                ]
                score = round(float(dice.uniform(-1, 1)), 6)
                at = CLOSES[row] + pd.Timedelta("10min")
                fuse(conn, f"f-{symbol}-{row}", symbol, at, score, inputs)


def side(rows: pd.DataFrame) -> pd.Series:
    """Return the signed strength."""
    return rows["direction"].map(SIDES) * rows["strength"].astype(float)


def fused() -> pd.DataFrame:
    """Return what landed of fused signals, each with its entry, by another hand."""
    rows = frame(
        "select f.fused_id, f.symbol, f.signal_ts, f.direction::text as direction, f.strength,"
        " i.instrument_id from raw_signals.fused_signals as f left join ref.instruments as i"
        " using (symbol) order by fused_id"
    )
    rows["score"] = side(rows)
    at = CLOSES.searchsorted(pd.to_datetime(rows["signal_ts"], utc=True), side="right")
    rows["entry"] = [SESSIONS[n] if n < len(SESSIONS) else pd.NaT for n in at]
    return rows


def inputs() -> pd.DataFrame:
    """Return what landed of inputs, each with the score of its signal: NaN when there is none."""
    rows = frame(
        "select f.fused_id, f.agent_id, f.signal_id, f.weight, s.direction::text as direction,"
        " s.strength from raw_signals.fusion_inputs as f"
        " left join raw_signals.signals as s using (agent_id, signal_id)"
    )
    rows["signal_score"] = side(rows)
    rows["part"] = rows["weight"] * rows["signal_score"]
    return rows


def labels() -> pd.DataFrame:
    """Return forward returns by instrument, session of entry and horizon: NaN while open."""
    parts = []
    for horizon in HORIZONS:
        table = forward_returns(horizon).stack(future_stack=True).rename("label").reset_index()
        table.columns = pd.Index(["entry", "instrument_id", "label"])
        parts.append(table.assign(horizon=horizon))
    return pd.concat(parts, ignore_index=True).astype({"instrument_id": float})
