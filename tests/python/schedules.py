"""What can happen between two builds, on real bars: the moves of a random schedule."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dbt.contracts.graph.nodes import ModelNode

from dbt_runs import dbt, manifest
from feature_oracles import PRICES, SHIPPED, frame_profile
from warehouse import config, database
from warehouse.landing.bars import land_frame
from warehouse.landing.reference import land_table

INSTANTS = ("2000-09-30", "2001-06-01T12:30:00Z", "2026-08-03T15:00:00Z")
"""Where the dashboards' window ends: it moves from build to build, and back."""

PARTIAL = (
    ("--select", "+feature_engineered_data"),
    ("--select", "feature_engineered_data"),
    ("--select", "int_run_window+"),
    ("--select", "marts"),
)
"""Builds of a part that people type; the next whole build must make up for them."""

ADJUSTED = {"daily": "none", "hourly": "splits", "minute": "splits"}
KNOWN = """
    insert into raw_market.bars
    select distinct on (bar_ts)
        instrument_id, timeframe, bar_ts, source, revision + 1, symbol, session_date,
        open, high, low, (high + low) / 2, volume, adjusted, batch_id, now()
    from raw_market.bars
    where symbol = %s and timeframe = %s and bar_ts between %s and %s and source = 'oracle'
    order by bar_ts, revision desc
"""


def real_bars() -> dict[tuple[str, str], pd.DataFrame]:
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
    return chosen


class Schedule:
    """A random history of landings and builds of one database."""

    def __init__(self, seed: int, folder: Path, project: Path = config.PROJECT) -> None:
        """Begin with nothing landed."""
        self.random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        self.folder = folder
        self.project = project
        self.bars = real_bars()
        self.done: dict[tuple[str, str], set[int]] = {key: set() for key in self.bars}
        self.open = ExitStack()
        self.told: list[str] = []

    def land(
        self, key: tuple[str, str], rows: list[int], *, source: str = "oracle",
        adjusted: str | None = None, change: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    ) -> None:  # fmt: skip
        """Land some bars of a series, perhaps changed, perhaps by another source."""
        symbol, timeframe = key
        bars = self.bars[key].iloc[rows]
        bars = change(bars.copy()) if change else bars
        daily = timeframe == "1d"
        profile = frame_profile(
            source=source,
            timeframe=timeframe,
            calendar="XNYS",
            adjusted=adjusted or ("none" if daily else "splits"),
        )
        times = bars["session_date"].dt.date if daily else bars["clock"]
        frame = bars[[*PRICES, "volume"]].assign(symbol=symbol, time=times)
        result = land_frame(frame, profile=profile)
        assert result.quarantined == 0, result
        if source == "oracle":
            self.done[key].update(rows)
        self.told.append(f"land {source} {key} {rows[0]}..{rows[-1]}: {result.accepted} new")

    def some(self, key: tuple[str, str], most: int) -> list[int]:
        """Choose a run of rows of a series."""
        first = self.random.randrange(len(self.bars[key]))
        return list(range(first, min(first + self.random.randint(1, most), len(self.bars[key]))))

    def step(self) -> None:
        """Do one random thing."""
        key = self.random.choice(list(self.bars))
        moves = (
            (6, self._next), (3, self._late), (1, self._again), (3, self._correct),
            (2, self._other_source), (1, self._filler), (2, self._split), (1, self._dividend),
            (2, self._held_back), (6, lambda _: self.build()),
            (2, lambda _: self.build(*self.random.choice(PARTIAL))),
        )  # fmt: skip
        weights, actions = zip(*moves, strict=True)
        self.random.choices(actions, weights)[0](key)

    def _next(self, key: tuple[str, str]) -> None:
        first = max(self.done[key], default=-1) + 1
        rows = list(range(first, len(self.bars[key])))[: self.random.choice([1, 5, 60, 250])]
        if rows:
            self.land(key, rows)

    def _late(self, key: tuple[str, str]) -> None:
        self.land(key, self.some(key, 40))

    def _again(self, key: tuple[str, str]) -> None:
        if self.done[key]:
            self.land(key, sorted(self.done[key]))

    def _correct(self, key: tuple[str, str]) -> None:
        def change(bars: pd.DataFrame) -> pd.DataFrame:
            share = self.random.random()
            return bars.assign(close=bars["low"] + share * (bars["high"] - bars["low"]))

        self.land(key, self.some(key, 6), change=change)

    def _other_source(self, key: tuple[str, str]) -> None:
        def change(bars: pd.DataFrame) -> pd.DataFrame:
            return bars.assign(**{name: bars[name] * 1.001 for name in PRICES})

        source = self.random.choice(["yahoo", "zzz"])
        adjusted = self.random.choice(["none", "splits"])
        self.land(key, self.some(key, 90), source=source, adjusted=adjusted, change=change)

    def _filler(self, key: tuple[str, str]) -> None:
        def change(bars: pd.DataFrame) -> pd.DataFrame:
            flat = dict.fromkeys(["open", "high", "low"], bars["close"])
            return bars.assign(**flat, volume=0.0)

        self.land(key, self.some(key, 10), source="alpaca", change=change)

    def action(self, key: tuple[str, str], kind: str, ex_date: str, **value: float) -> None:
        """Land a corporate action."""
        path = self.folder / "action.csv"
        row = {"symbol": key[0], "ex_date": ex_date, "type": kind, **value}
        pd.DataFrame([row]).to_csv(path, index=False)
        (result,) = land_table("corporate_actions", [path], source="oracle")
        assert result.quarantined == 0, result
        self.told.append(f"{kind} of {key[0]} on {ex_date}: {value}")

    def _day(self, key: tuple[str, str]) -> str:
        return str(self.random.choice(list(self.bars[key]["session_date"])).date())

    def _split(self, key: tuple[str, str]) -> None:
        self.action(key, "split", self._day(key), ratio=self.random.choice([2, 1.5, 0.1, 7]))

    def _dividend(self, key: tuple[str, str]) -> None:
        self.action(key, "cash_dividend", self._day(key), amount=self.random.choice([0.1, 0.37]))

    def _held_back(self, key: tuple[str, str]) -> None:
        """Begin a transaction that corrects bars and commits after a build has come by."""
        self.release()
        if len(self.done[key]) < 3:
            return
        conn = self.open.enter_context(database.connect("held back"))
        clock = self.bars[key]["clock"]
        first = self.random.choice(sorted(self.done[key]))
        conn.execute(KNOWN, [*key, clock[first], clock[min(first + 3, len(clock) - 1)]])
        self.told.append(f"begin a correction of {key} from row {first}")
        # Another series moves on meanwhile; the same bars would be the same revision twice.
        other = self.random.choice([each for each in self.bars if each != key])
        self._next(other)
        self.build()
        self.release()

    def release(self) -> None:
        """Commit what is held back."""
        self.open.close()

    def build(self, *arguments: str) -> None:
        """Build the models."""
        dashboards = f'{{"dashboard_as_of": "{self.random.choice(INSTANTS)}"}}'
        dbt("run", *arguments, "--vars", dashboards, project=self.project)
        self.told.append("build " + " ".join(arguments))

    def compare(self) -> None:
        """Compare every incremental model with its full refresh, row for row and exactly."""
        self.release()
        instant = self.random.getstate()
        self.build()
        models = incremental_models(self.project)
        with database.connect("tests", autocommit=True) as conn:
            conn.execute("create schema frozen")
            for model in models:
                relation = f"{model.schema}.{model.name}"
                conn.execute(f"create table frozen.{model.name} as table {relation}")
            # What readers see is what was built.
            published = [
                difference(model, here="marts") for model in models if model.schema == "build"
            ]
        assert not any(published), "\n".join([*filter(None, published), *self.told])
        self.random.setstate(instant)  # the same window of the dashboards
        self.build("--full-refresh")
        found = [difference(model) for model in models]
        found += [difference(model, here="marts") for model in models if model.schema == "build"]
        assert not any(found), "\n".join([*filter(None, found), *self.told])


def incremental_models(project: Path) -> list[ModelNode]:
    """Return the models that the law of incremental builds binds."""
    nodes = manifest(project).nodes.values()
    models: list[Any] = [
        node
        for node in nodes
        if node.resource_type == "model" and node.config.materialized == "incremental"
    ]
    return sorted(models, key=lambda node: node.name)


def difference(model: ModelNode, here: str | None = None) -> str | None:
    """Name the first key and column in which a model, or its table in `here`, is not as frozen."""
    rebuilt, frozen = f"{here or model.schema}.{model.name}", f"frozen.{model.name}"
    with database.connect("tests") as conn:
        counts = [
            conn.execute(f"select count(*) from (table {a} except all table {b}) as d").fetchone()
            for a, b in ((frozen, rebuilt), (rebuilt, frozen))
        ]
        if counts == [(0,), (0,)]:
            return None
        key = [str(name) for name in model.config.unique_key or []]
        keys = ", ".join(f'"{name}"' for name in key)
        frames = []
        for relation in (frozen, rebuilt):
            cursor = conn.execute(f"select * from {relation} order by {keys}")
            columns = [column.name for column in cursor.description or []]
            frame = pd.DataFrame(cursor.fetchall(), columns=columns).astype(object)
            frames.append(frame.set_index(key))
    incremental, full = frames
    head = f"{model.name}: {counts[0]} rows only incremental, {counts[1]} only in full refresh; "
    for name, here, there in (("incremental", full, incremental), ("full", incremental, full)):
        missing = here.index.difference(there.index)
        if len(missing):
            return f"{head}{missing[0]} is missing in the {name} build"
    equal = (incremental == full) | (incremental.isna() & full.isna())
    row, column = np.argwhere(~equal.to_numpy())[0]
    return (
        f"{head}first at {incremental.index[row]} in {incremental.columns[column]}: "
        f"{incremental.iat[row, column]!r} incremental, {full.iat[row, column]!r} full"
    )
