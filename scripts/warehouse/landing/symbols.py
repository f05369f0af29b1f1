"""Which instruments the symbols of a batch mean; one that nobody knows becomes an instrument."""

from __future__ import annotations

from collections.abc import Collection

from psycopg import Connection

from warehouse.landing.bars import scratch

IDS = "select symbol, instrument_id from resolved where symbol = any(%s)"


class Symbols:
    """What the temporary table `resolved` says of the symbols seen so far."""

    def __init__(self, conn: Connection, facts: dict[str, object]) -> None:
        """Begin with none; `facts`: calendar, source, and what new instruments get."""
        self.conn = conn
        self.facts = facts
        self.learnt: frozenset[str] = frozenset()
        self.ids: dict[str, int] = {}
        """Of the symbols that always meant one instrument, as far as `find()` was asked."""

    def learn(self, symbols: Collection[str]) -> None:
        """Fetch what symbols mean."""
        fresh = [each for each in symbols if each not in self.learnt]
        self.conn.execute(scratch.RESOLVE, self.facts | {"symbols": fresh})
        self.learnt |= {*fresh}

    def make(self, symbols: Collection[str], *, is_aside: bool) -> None:
        """Make an instrument of each symbol that good rows of scratch name and nobody knows.

        `is_aside`: some rows are no good ones.
        """
        strange = self._strange(symbols)
        if any(strange.values()):
            # Most often every row is good and no symbol is known in part: no need to look at rows.
            look = is_aside or strange["partly"]
            strangers = scratch.STRANGERS_AMONG_GOOD if look else scratch.STRANGERS
            self._make(strangers, strange)

    def find(self, symbols: Collection[str]) -> dict[str, int] | None:
        """Return the instrument of each symbol, made where nobody knew it.

        None where one changed hands: then it is a matter of each row.
        """
        fresh = [each for each in symbols if each not in self.learnt]
        if fresh:
            self.learn(fresh)
            strange = self._strange(fresh)
            if strange["partly"]:
                return None
            if strange["unknown"]:
                self._make(scratch.STRANGERS, strange)
            self.ids |= dict(self.conn.execute(IDS, [fresh]).fetchall())
        if any(each not in self.ids for each in symbols):
            return None
        return {each: self.ids[each] for each in symbols}

    def forget(self, learnt: frozenset[str]) -> None:
        """Know no more than before a transaction that was taken back."""
        self.learnt = learnt
        self.ids = {name: number for name, number in self.ids.items() if name in learnt}

    def _strange(self, symbols: Collection[str]) -> dict[str, list[str]]:
        """Return the symbols that nobody knows, and those that are not known for all time."""
        found = self.conn.execute(scratch.STRANGE, {"symbols": list(symbols)}).fetchall()
        return {
            "unknown": [symbol for symbol, partly in found if not partly],
            "partly": [symbol for symbol, partly in found if partly],
        }

    def _make(self, strangers: str, strange: dict[str, list[str]]) -> None:
        self.conn.execute(strangers + scratch.NEW_INSTRUMENTS, self.facts | strange)
