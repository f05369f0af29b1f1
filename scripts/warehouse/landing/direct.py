"""The way of a block of rows straight into a landing table, which judges them itself.

Its constraints and triggers refuse whatever the loader would quarantine. A block that is refused is
taken back by its savepoint and goes through the scratch table, where each row is judged by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from psycopg import errors

from warehouse.landing.symbols import Symbols

REFUSALS = 2
"""After so many refused blocks the file is not what is hoped for here, and none is tried any more:
each left its rows behind for vacuum."""
COALESCE = "select lower(span), upper(span) from ops.coalesce_changes(%s) as span"


class Contradiction(Exception):
    """Two rows of a batch differ for one key, and one of them was written already."""


class Way:
    """The way into one table, open until too much is refused."""

    def __init__(self, symbols: Symbols) -> None:
        """Begin open."""
        self.symbols = symbols
        self.rows = 0
        """How many it took."""
        self.refusals = 0

    @property
    def is_open(self) -> bool:
        """Say whether the next block may try."""
        return self.refusals < REFUSALS

    def take(self, write: Callable[[], int]) -> int:
        """Write a block, whole or not at all; return how many rows."""
        learnt, taken = self.symbols.learnt, 0
        try:
            with self.symbols.conn.transaction():
                taken = write()
        except (errors.IntegrityError, errors.DataError, errors.RaiseException):
            self.symbols.forget(learnt)
        self.refusals += not taken
        self.rows += taken
        return taken
