"""What a simulation stands on: real bars on real sessions, a seed, and names for everything."""

from __future__ import annotations

import uuid
import zlib
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from hashlib import blake2s
from typing import Any

import numpy as np
from numpy.typing import NDArray

GENERATION = "1"
"""To be raised when the same seed says something else: what has landed must not be contradicted."""

LOOKBACK = 60
"""Sessions that a feature looks back."""

HISTORY = 2 * LOOKBACK
"""Sessions before the first simulated one: features need some, models train on the rest."""

NAMESPACE = uuid.UUID("5f0c5d0a-8d7c-5a55-9a54-3a2f1e6b7c01")
"""Ids of the prop application are UUIDs; here they come from names, so that they repeat."""

Floats = NDArray[np.float64]
Row = dict[str, Any]


@dataclass(frozen=True)
class Session:
    """One session of the exchange calendar."""

    day: date
    open_at: datetime
    close_at: datetime


@dataclass(frozen=True)
class Bar:
    """One daily bar, exact."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None

    def clip(self, price: Decimal) -> Decimal:
        """Return a price that can be quoted inside the bar's range."""
        return min(max(quoted(price), self.low), self.high)


@dataclass(frozen=True)
class Market:
    """Daily bars of some symbols on the sessions that all of them share; `first` is simulated."""

    calendar: str
    currency: str
    symbols: tuple[str, ...]
    universe: tuple[str, ...]
    """Symbols with the source of their bars and what these are adjusted for."""
    sessions: tuple[Session, ...]
    bars: dict[str, tuple[Bar, ...]]
    first: int

    @cached_property
    def closes(self) -> dict[str, Floats]:
        """Closes of each symbol, for features."""
        return self._floats("close")

    @cached_property
    def highs(self) -> dict[str, Floats]:
        """Highs of each symbol, for features."""
        return self._floats("high")

    @cached_property
    def lows(self) -> dict[str, Floats]:
        """Lows of each symbol, for features."""
        return self._floats("low")

    def _floats(self, name: str) -> dict[str, Floats]:
        return {
            symbol: np.array([float(getattr(bar, name)) for bar in bars])
            for symbol, bars in self.bars.items()
        }


@dataclass
class World:
    """A market and a seed: together with the number of days they decide every row."""

    market: Market
    seed: int
    days: int
    rows: dict[str, list[Row]] = field(default_factory=dict)
    late: list[Row] = field(default_factory=list)
    """Fills that arrive after all the others."""

    @cached_property
    def name(self) -> str:
        """Name in every id: another seed, start or universe is another world beside this one."""
        start = self.market.sessions[self.market.first].day
        told = ",".join((GENERATION, *self.market.universe)).encode()
        universe = blake2s(told, digest_size=2).hexdigest()
        return f"sim{self.seed}-{start:%Y%m%d}-{universe}"

    @property
    def span(self) -> range:
        """Positions of the simulated sessions in the market."""
        return range(self.market.first, self.market.first + self.days)

    def random(self, stream: str, at: int) -> np.random.Generator:
        """Return the dice of one stream and session: more days never change earlier throws."""
        day = self.market.sessions[at].day.toordinal()
        return np.random.default_rng([self.seed, zlib.crc32(stream.encode()), day])

    def uuid(self, name: str) -> str:
        """Return the UUID of something by its name."""
        return str(uuid.uuid5(NAMESPACE, f"{self.name}/{name}"))

    def number(self, name: str) -> int:
        """Return the number of a line of a log by its name, so that it repeats."""
        return int.from_bytes(blake2s(f"{self.name}/{name}".encode(), digest_size=6).digest())

    def day(self, at: int) -> str:
        """Return a session as it stands in ids."""
        return f"{self.market.sessions[at].day:%Y%m%d}"

    def decision(self, at: int, symbol: str) -> str:
        """Return the correlation id of what follows from one symbol's close."""
        return f"{self.name}-{self.day(at)}-{symbol}"

    def emit(self, table: str, **row: object) -> None:
        """Add a row of a table."""
        self.rows.setdefault(table, []).append(row)


def quoted(price: Decimal) -> Decimal:
    """Return a price in cents, or with eight digits where a unit costs less than one."""
    return round(price, 2 if price >= 1 else 8)


def plain(value: float) -> float:
    """Return a number short enough to be the same on every machine."""
    return round(float(value), 6) + 0.0
