"""What can happen between two builds, on real bars: the moves of a history."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path

import pandas as pd
import psycopg

from children import killed_dbt
from comparison import differences, freeze, incremental_models
from databases import kept_database
from dbt_runs import Moment, dbt, dbt_failures
from feature_oracles import PRICES, SHIPPED, frame_profile
from warehouse import config, database
from warehouse.landing.bars import land_frame
from warehouse.landing.reference import land_table

Key = tuple[str, str]

INSTANTS = ("2000-09-30", "2001-06-01T12:30:00Z", "2026-08-03T15:00:00Z")
"""Where the dashboards' window ends: it moves from build to build, and back."""

PARTIAL = (
    ("--select", "+feature_engineered_data"),
    ("--select", "feature_engineered_data"),
    ("--select", "int_run_window+"),
    ("--exclude", "feature_engineered_data"),
    ("--select", "marts"),
)
"""Builds of a part that people type; the next whole build must make up for them."""

REFUSED = r"earlier run window|: (None|Skip.*)$"

KNOWN = """
    insert into raw_market.bars
    select distinct on (bar_ts)
        instrument_id, timeframe, bar_ts, source, revision + 1, symbol, session_date,
        open, high, low, (high + low) / 2, volume, adjusted, batch_id, now()
    from raw_market.bars
    where symbol = %s and timeframe = %s and bar_ts between %s and %s and source = 'oracle'
    order by bar_ts, revision desc
"""
WRITTEN = """
    insert into raw_market.bars (
        instrument_id, timeframe, bar_ts, source, revision, symbol, session_date,
        open, high, low, close, volume, adjusted, batch_id, known_at
    )
    select
        names.instrument_id, %(timeframe)s, bars.bar_ts, 'oracle', coalesce(last.revision, -1) + 1,
        bars.symbol, bars.session_date, bars.open, bars.high, bars.low, bars.close, bars.volume,
        %(adjusted)s, 0, %(known_at)s
    from unnest(
        %(symbol)s::text[], %(clock)s::timestamptz[], %(session_date)s::date[], %(open)s::numeric[],
        %(high)s::numeric[], %(low)s::numeric[], %(close)s::numeric[], %(volume)s::numeric[]
    ) as bars (symbol, bar_ts, session_date, open, high, low, close, volume)
    inner join ref.symbol_history as names
        on names.symbol = bars.symbol and names.calendar = 'XNYS'
        and bars.session_date >= names.valid_from and bars.session_date < names.valid_to
    left join lateral (
        select max(revision) as revision from raw_market.bars as known
        where known.instrument_id = names.instrument_id and known.timeframe = %(timeframe)s
            and known.bar_ts = bars.bar_ts and known.source = 'oracle'
    ) as last on true
"""


SERIES: list[Key] = [("AAPL", "1d"), ("IBM", "1d"), ("AAPL", "1h"), ("AAPL", "1m")]


@lru_cache
def real_bars() -> dict[Key, pd.DataFrame]:
    """Return some real bars of each timeframe, with a true split among the daily ones."""
    chosen = {}
    for case, first, count in (
        (SHIPPED[0], 0, 420),
        (SHIPPED[1], 100, 330),
        (SHIPPED[4], 3000, 300),
        (SHIPPED[5], 1500, 280),
    ):
        bars = case.read().iloc[first : first + count].reset_index(drop=True)
        chosen[case.symbol, case.timeframe] = bars
    assert list(chosen) == SERIES
    return chosen


class Schedule:
    """A history of landings and builds of one database."""

    def __init__(self, folder: Path, project: Path = config.PROJECT) -> None:
        """Begin with nothing landed."""
        self.folder = folder
        self.project = project
        self.bars = dict(real_bars())
        self.done: dict[Key, set[int]] = {key: set() for key in self.bars}
        self.actions: list[tuple[str, str, str]] = []
        self.tickers: dict[str, tuple[str, str]] = {}
        self.held: list[tuple[psycopg.Connection, Key]] = []
        self.told: list[str] = []

    def rows(self, key: Key, first: int, count: int) -> list[int]:
        """Return a run of rows of a series, whatever its length."""
        first %= len(self.bars[key])
        return list(range(first, min(first + count, len(self.bars[key]))))

    def day(self, key: Key, row: int) -> str:
        """Return the session date of a row."""
        return str(self.bars[key]["session_date"][row % len(self.bars[key])].date())

    def ticker(self, symbol: str, day: str) -> str:
        """Return what an instrument is called on a day."""
        renamed = self.tickers.get(symbol)
        return renamed[0] if renamed and day >= renamed[1] else symbol

    def named(self, key: Key, rows: list[int]) -> list[str]:
        """Return what an instrument is called in each of some rows."""
        return [self.ticker(key[0], self.day(key, row)) for row in rows]

    # ------------------------------------------------------------------------------ landings

    def land(
        self, key: Key, rows: list[int], *, source: str = "oracle", adjusted: str | None = None,
        change: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    ) -> None:  # fmt: skip
        """Land some bars of a series, perhaps changed, perhaps by another source."""
        timeframe = key[1]
        bars = self.bars[key].iloc[rows]
        bars = change(bars.copy()) if change else bars
        profile = frame_profile(
            source=source, timeframe=timeframe, calendar="XNYS", adjusted=adjusted or basis(key)
        )
        times = bars["session_date"].dt.date if timeframe == "1d" else bars["clock"]
        frame = bars[[*PRICES, "volume"]].assign(symbol=self.named(key, rows), time=times)
        result = land_frame(frame, profile=profile)
        assert result.quarantined == 0, result
        if source == "oracle":
            self.done[key].update(rows)
        self.told.append(f"land {source} {key} {rows[0]}..{rows[-1]}: {result.accepted} new")

    def next(self, key: Key, count: int) -> None:
        """Land the bars after the last one."""
        first = max(self.done[key], default=-1) + 1
        if first < len(self.bars[key]):
            self.land(key, self.rows(key, first, count))

    def again(self, key: Key) -> None:
        """Land everything of a series once more; corrected bars go back to what they were."""
        if self.done[key]:
            self.land(key, sorted(self.done[key]))

    def correct(self, key: Key, rows: list[int], share: float) -> None:
        """Land bars with another close."""
        self.land(key, rows, change=lambda bars: closed_at(bars, share))

    def other_source(self, key: Key, rows: list[int], source: str, adjusted: str) -> None:
        """Land bars by a source that is better or worse than ours."""
        self.land(
            key, rows, source=source, adjusted=adjusted,
            change=lambda bars: bars.assign(**{name: bars[name] * 1.001 for name in PRICES}),
        )  # fmt: skip

    def filler(self, key: Key, rows: list[int]) -> None:
        """Land flat bars without volume, over which any other source wins."""

        def flat(bars: pd.DataFrame) -> pd.DataFrame:
            return bars.assign(**dict.fromkeys(["open", "high", "low"], bars["close"]), volume=0.0)

        self.land(key, rows, source="alpaca", change=flat)

    def action(self, key: Key, kind: str, ex_date: str, **value: float) -> None:
        """Land a corporate action."""
        path = self.folder / "action.csv"
        symbol = self.ticker(key[0], ex_date)
        row = {"symbol": symbol, "ex_date": ex_date, "type": kind, **value}
        pd.DataFrame([row]).to_csv(path, index=False)
        (result,) = land_table("corporate_actions", [path], source="oracle")
        assert result.quarantined == 0 or self.tickers, result
        self.actions.append((symbol, kind, ex_date))
        self.told.append(f"{kind} of {symbol} on {ex_date}: {value}, {result.accepted} new")

    def change_ticker(self, symbol: str, day: str) -> None:
        """Let the sources send a new ticker from a day on, of which nobody has told us."""
        self.tickers.setdefault(symbol, (f"{symbol}2", day))
        self.told.append(f"{symbol} is called {self.tickers[symbol]}")

    # ------------------------------------------------------------------- sessions held open

    def begin(self, key: Key) -> None:
        """Begin a transaction that has its id, and therefore its place in every snapshot."""
        conn = database.connect("held back")
        conn.execute("select pg_current_xact_id()")
        self.held.append((conn, key))
        self.told.append(f"begin on {key}")

    def write(
        self, number: int, rows: list[int], share: float, known_at: str, *, undone: bool = False
    ) -> None:
        """Write corrections or late bars in an open transaction, whose clock may run backwards."""
        conn, key = self.held[number]
        bars = closed_at(self.bars[key].iloc[rows].copy(), share)
        columns = ("clock", "session_date", *PRICES, "volume")
        arrays = {name: bars[name].tolist() for name in columns} | {"symbol": self.named(key, rows)}
        values = {"timeframe": key[1], "adjusted": basis(key)}
        with conn.transaction() as savepoint:
            conn.execute(WRITTEN, {**values, **arrays, "known_at": known_at})
            if undone:
                raise psycopg.Rollback(savepoint)
        self.told.append(f"write {key} {rows[0]}..{rows[-1]}, undone: {undone}")

    def end(self, number: int, *, commit: bool) -> None:
        """Commit an open transaction, or roll it back."""
        conn, key = self.held.pop(number)
        with conn:
            (conn.commit if commit else conn.rollback)()
        self.told.append(f"{'commit' if commit else 'roll back'} on {key}")

    def release(self, *, commit: bool = True) -> None:
        """End every open transaction."""
        while self.held:
            self.end(0, commit=commit)

    # -------------------------------------------------------------------------------- builds

    def build(
        self, *arguments: str, instant: str = INSTANTS[0], as_of: str = "",
        at: Moment | None = None, do: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        """Build the models; something may happen in the middle of it."""
        self.told.append(" ".join(["build", *arguments, instant, as_of]))
        options = variables(instant, as_of)
        dbt("run", *arguments, *options, project=self.project, at=at, do=do)

    def partial_build(self, *arguments: str, instant: str = INSTANTS[0]) -> None:
        """Build a part; a model that would read inputs of an earlier window may refuse to."""
        self.told.append(" ".join(["build", *arguments, instant]))
        _, bad = dbt_failures("run", *arguments, *variables(instant), project=self.project)
        unexpected = [each for each in bad if not re.search(REFUSED, each)]
        assert not unexpected, "\n".join([*unexpected, *self.told])

    def killed_build(self, statement: int, instant: str = INSTANTS[0]) -> bool:
        """Begin a build and kill it before a statement; say whether it came so far."""
        killed = killed_dbt(statement, *variables(instant), project=self.project)
        self.told.append(f"build, killed: {killed}")
        return killed

    def compare(self, *, instant: str = INSTANTS[0], as_of: str = "", keep: bool = False) -> None:
        """Build; compare every incremental model with its full refresh, row for row and exactly.

        keep: go on from the incremental build afterwards.
        """
        self.release()
        self.build(instant=instant, as_of=as_of)
        models = incremental_models(self.project)
        with kept_database() if keep else nullcontext():
            freeze(models)
            unpublished = differences(models, published=True)
            assert not unpublished, "\n".join(["Built but not published", *unpublished, *self.told])
            self.build("--full-refresh", instant=instant, as_of=as_of)
            found = differences(models)
        assert not found, "\n".join([*found, *self.told])


def basis(key: Key) -> str:
    """Return what the prices of a series are adjusted for."""
    return "none" if key[1] == "1d" else "splits"


def closed_at(bars: pd.DataFrame, share: float) -> pd.DataFrame:
    """Close bars somewhere between their low and their high."""
    return bars.assign(close=bars["low"] + share * (bars["high"] - bars["low"]))


def variables(instant: str, as_of: str = "") -> tuple[str, str]:
    """Return the vars of a build."""
    return "--vars", f'{{"dashboard_as_of": "{instant}", "as_of": "{as_of}"}}'
