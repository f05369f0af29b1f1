"""The machine of test_stateful.py: what may happen to a database, and the law that must hold."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from corrections import cancel, rename, withdraw
from databases import cloned_database
from dbt_runs import nth
from prediction_rows import TYPES, predict
from schedules import INSTANTS, PARTIAL, SERIES, Key, Schedule
from warehouse import config
from warehouse.config import Home

STATEMENTS = 400
"""A build sends about so many statements; what is to happen before a later one never does."""

KNOWN_AT = ("2001-01-01Z", "2019-01-01Z", "2026-01-01Z", "2030-01-01Z")
"""Clocks of the sessions: they run backwards too, and no build may care."""

series = st.sampled_from(SERIES)
symbols = st.sampled_from(sorted({symbol for symbol, _ in SERIES}))
firsts = st.integers(0, 419)
shares = st.sampled_from([0.0, 0.25, 1.0])
instants = st.sampled_from(INSTANTS)
statements = st.integers(1, STATEMENTS)


class Histories(RuleBasedStateMachine):
    """Sessions that land and correct, builds that run, fail and are killed, in any order."""

    home: Home
    base: str
    project = config.PROJECT
    tally: Counter[str]

    def __init__(self) -> None:
        """Begin with a fresh database."""
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="warehouse-history-"))
        self.database = cloned_database(self.home, "test_history", self.base)
        self.database.__enter__()
        self.schedule = Schedule(self.folder, self.project)
        self.changes = 0
        self.tally["histories"] += 1

    def did(self, what: str, changes: int = 1) -> None:
        """Count an operation."""
        self.tally["operations"] += 1
        self.tally[what] += 1
        self.changes += changes

    def free(self, key: Key) -> Key:
        """Return a series that no open transaction works on, the one asked for if possible."""
        at = SERIES.index(key)
        taken = {held for _, held in self.schedule.held}
        return next(each for each in SERIES[at:] + SERIES[:at] if each not in taken)

    # ------------------------------------------------------------------------------ landings

    @initialize(counts=st.lists(st.sampled_from([1, 70, 260]), min_size=4, max_size=4))
    def begin_history(self, counts: list[int]) -> None:
        for key, count in zip(SERIES, counts, strict=True):
            self.schedule.next(key, count)
        self.build(INSTANTS[0])

    @rule(key=series, count=st.sampled_from([1, 5, 60, 250]))
    def land_next(self, key: Key, count: int) -> None:
        self.schedule.next(self.free(key), count)
        self.did("landings")

    @rule(key=series, first=firsts, count=st.integers(1, 40))
    def land_late(self, key: Key, first: int, count: int) -> None:
        key = self.free(key)
        self.schedule.land(key, self.schedule.rows(key, first, count))
        self.did("landings")

    @rule(key=series)
    def land_again(self, key: Key) -> None:
        self.schedule.again(self.free(key))
        self.did("landings")

    @rule(key=series, first=firsts, count=st.integers(1, 6), share=shares)
    def correct(self, key: Key, first: int, count: int, share: float) -> None:
        key = self.free(key)
        self.schedule.correct(key, self.schedule.rows(key, first, count), share)
        self.did("corrections")

    @rule(
        key=series, first=firsts, count=st.integers(1, 90),
        source=st.sampled_from(["yahoo", "zzz"]), adjusted=st.sampled_from(["none", "splits"]),
    )  # fmt: skip
    def other_source(self, key: Key, first: int, count: int, source: str, adjusted: str) -> None:
        key = self.free(key)
        self.schedule.other_source(key, self.schedule.rows(key, first, count), source, adjusted)
        self.did("landings")

    @rule(key=series, first=firsts, count=st.integers(1, 10))
    def filler(self, key: Key, first: int, count: int) -> None:
        key = self.free(key)
        self.schedule.filler(key, self.schedule.rows(key, first, count))
        self.did("landings")

    @rule(key=series, row=firsts, ratio=st.sampled_from([2, 1.5, 0.1, 7]))
    def split(self, key: Key, row: int, ratio: float) -> None:
        self.schedule.action(key, "split", self.schedule.day(key, row), ratio=ratio)
        self.did("corporate actions")

    @rule(key=series, row=firsts, amount=st.sampled_from([0.1, 0.37]))
    def dividend(self, key: Key, row: int, amount: float) -> None:
        self.schedule.action(key, "cash_dividend", self.schedule.day(key, row), amount=amount)
        self.did("corporate actions")

    @rule(key=series, first=firsts, count=st.integers(1, 60),
          source=st.sampled_from(["oracle", "oracle", "yahoo"]))  # fmt: skip
    def withdraw(self, key: Key, first: int, count: int, source: str) -> None:
        self.take_back(self.free(key), first, count, source)

    @rule(key=series)
    def withdraw_series(self, key: Key) -> None:
        self.take_back(self.free(key), 0, 1000, "oracle")

    def take_back(self, key: Key, first: int, count: int, source: str) -> None:
        rows = self.schedule.rows(key, first, count)
        ticker = self.schedule.named(key, rows)[0]
        withdraw(self.schedule, key, rows, source=source, ticker=ticker)
        self.did("withdrawals")

    @precondition(lambda self: self.schedule.actions)
    @rule(number=st.integers(0, 9))
    def cancel(self, number: int) -> None:
        """Take back a corporate action that never happened."""
        cancel(self.schedule, *self.schedule.actions.pop(number % len(self.schedule.actions)))
        self.did("withdrawals")

    @rule(symbol=symbols, row=firsts)
    def change_ticker(self, symbol: str, row: int) -> None:
        """The sources send another ticker from a day on, which becomes an instrument."""
        key = next(each for each in SERIES if each[0] == symbol)
        self.schedule.change_ticker(symbol, self.schedule.day(key, row))
        self.did("changes of ticker", 0)

    # A rename waits for whoever writes.
    @precondition(lambda self: self.schedule.tickers and not self.schedule.held)
    @rule(symbol=symbols)
    def rename(self, symbol: str) -> None:
        if symbol in self.schedule.tickers:
            rename(self.schedule, symbol, *self.schedule.tickers[symbol])
            self.did("renames")

    # ------------------------------------------------------------------- sessions held open

    @precondition(lambda self: len(self.schedule.held) < 2)
    @rule(key=series, first=firsts, count=st.integers(0, 5), share=shares,
          known_at=st.sampled_from(KNOWN_AT))  # fmt: skip
    def begin(self, key: Key, first: int, count: int, share: float, known_at: str) -> None:
        """Begin a transaction, with or without a first write."""
        key = self.free(key)
        self.schedule.begin(key)
        if count:
            rows = self.schedule.rows(key, first, count)
            self.schedule.write(len(self.schedule.held) - 1, rows, share, known_at)
        self.did("transactions begun")

    @precondition(lambda self: self.schedule.held)
    @rule(number=st.integers(0, 1), first=firsts, count=st.integers(1, 5), share=shares,
          known_at=st.sampled_from(KNOWN_AT), undone=st.booleans())  # fmt: skip
    def write(self, number: int, first: int, count: int, share: float, known_at: str,
              undone: bool) -> None:  # fmt: skip
        number %= len(self.schedule.held)
        rows = self.schedule.rows(self.schedule.held[number][1], first, count)
        self.schedule.write(number, rows, share, known_at, undone=undone)
        self.did("late writes")

    @precondition(lambda self: self.schedule.held)
    @rule(number=st.integers(0, 1))
    def commit(self, number: int) -> None:
        self.schedule.end(number % len(self.schedule.held), commit=True)
        self.did("commits")

    @precondition(lambda self: self.schedule.held)
    @rule(number=st.integers(0, 1))
    def roll_back(self, number: int) -> None:
        self.schedule.end(number % len(self.schedule.held), commit=False)
        self.did("rollbacks")

    # -------------------------------------------------------------------------------- builds

    @precondition(lambda self: self.changes)
    @rule(instant=instants)
    def build(self, instant: str) -> None:
        self.schedule.build(instant=instant)
        self.did("builds", -self.changes)

    @precondition(lambda self: self.changes)
    @rule(part=st.sampled_from(PARTIAL), instant=instants)
    def partial_build(self, part: tuple[str, str], instant: str) -> None:
        self.schedule.partial_build(*part, instant=instant)
        self.did("partial builds", 0)

    @precondition(lambda self: self.changes)
    @rule(statement=statements)
    def killed_build(self, statement: int) -> None:
        killed = self.schedule.killed_build(statement)
        self.did("killed builds" if killed else "builds", 0)

    @precondition(lambda self: self.changes)
    @rule(statement=statements, key=series, first=firsts, share=shares)
    def landing_while_building(self, statement: int, key: Key, first: int, share: float) -> None:
        """Correct bars just before a statement of a build."""
        key = self.free(key)
        rows = self.schedule.rows(key, first, 3)
        self.schedule.build(at=nth(statement), do=lambda: self.schedule.correct(key, rows, share))
        self.did("landings while building")

    @precondition(lambda self: self.schedule.held)
    @rule(statement=statements, number=st.integers(0, 1))
    def commit_while_building(self, statement: int, number: int) -> None:
        """Commit an open transaction just before a statement of a build."""
        number %= len(self.schedule.held)
        self.schedule.build(at=nth(statement), do=lambda: self.schedule.end(number, commit=True))
        self.did("commits while building")

    @precondition(lambda self: self.changes > 3)
    @rule(as_of=st.sampled_from(["2020-01-01", "2028-01-01"]))
    def build_as_of(self, as_of: str) -> None:
        """Build as known at an instant; the next build takes that back."""
        self.schedule.build(as_of=as_of)
        self.did("builds as of an instant", 0)

    @precondition(lambda self: self.changes > 3)
    @rule(instant=instants, as_of=st.sampled_from(["", "", "2028-01-01"]))
    def compare(self, instant: str, as_of: str) -> None:
        """Build when every session has ended, and check the law; the history goes on."""
        self.schedule.compare(instant=instant, as_of=as_of, keep=True)
        self.did("comparisons", -self.changes)

    def teardown(self) -> None:
        """Check the law at the end, unless the history was broken off."""
        try:
            if sys.exc_info()[0] is None:
                self.schedule.compare()
                self.did("comparisons")
        finally:
            self.schedule.release(commit=False)
            self.database.__exit__(None, None, None)
            shutil.rmtree(self.folder)


class PredictedHistories(Histories):
    """The same, and models that predict meanwhile."""

    @initialize(kinds=st.lists(st.sampled_from(TYPES), min_size=4, max_size=4))
    def begin_predicting(self, kinds: list[str]) -> None:
        """Predict of each series, as a history may draw no later prediction."""
        for key, kind in zip(SERIES, kinds, strict=True):
            self.predict(key, 200, 20, kind, 5, is_held=False)

    @rule(key=series, first=firsts, count=st.integers(1, 40), kind=st.sampled_from(TYPES),
          horizon=st.sampled_from([1, 5]), is_held=st.booleans())  # fmt: skip
    def predict(self, key: Key, first: int, count: int, kind: str, horizon: int,
                is_held: bool) -> None:  # fmt: skip
        """Predict at bars that have landed or not yet, perhaps in a transaction held open."""
        rows = self.schedule.rows(key, first, count)
        conn = self.schedule.held[0][0] if is_held and self.schedule.held else None
        values = [(row * 7 % 11 - 5) / 10 for row in rows]
        ups = [row * 3 % 11 / 10 for row in rows] if kind == TYPES[0] else []
        predict(
            self.schedule, key, rows, model=f"model {'held' if conn else 'free'}", kind=kind,
            horizon=horizon, values=values, ups=ups, conn=conn,
        )  # fmt: skip
        self.did("predictions")
