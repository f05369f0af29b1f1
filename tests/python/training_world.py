"""A day that was exported before and after the next one, and what only the next one knows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from corrections import land_as, withdraw
from feature_oracles import PRICES, frame_profile
from schedules import Schedule, closed_at
from warehouse import cli, config, database
from warehouse.landing.bars import land_frame

IBM = ("IBM", "1d")
BARS = 160
AHEAD = 8
"""Bars that land after the instant, behind all others."""
COMMAND = ("export", "training-set", "--label", "fwd_ret_5")
DOCS = config.PROJECT / "docs" / "training_sets.md"

# A ticker each for what a later day knows; all on the bars of IBM.
APPENDED, CORRECTED, LATE, WITHDRAWN = "APND", "CORR", "LATE", "WDRW"
SPLIT, DIVIDEND, SOURCE, NEW, LIVE = "SPLT", "DIVI", "SRCE", "NEWB", "LIVE"
CHANGED = {CORRECTED, LATE, WITHDRAWN, SPLIT, DIVIDEND, SOURCE}


def warehouse(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words), catch_exceptions=False)


def export(to: Path, *words: str, features: str = "all", code: int = 0) -> dict[str, Any]:
    told = warehouse(*COMMAND, "--features", features, "-o", str(to), "--json", *words)
    assert told.exit_code == code, told.output
    return dict(json.loads(told.stdout))


def now() -> datetime:
    with database.connect("tests") as conn:
        row = conn.execute("select clock_timestamp()").fetchone()
    assert row
    return row[0]


@dataclass
class World:
    """A database in which a day was exported before and after the next one."""

    folder: Path
    then: datetime
    later: datetime | None = None
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def table(self, name: str) -> pa.Table:
        return pq.read_table(self.file(name)).replace_schema_metadata(None)

    def rows(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.file(name))

    def export(self, name: str, *words: str, **options: Any) -> None:
        self.told[name] = export(self.file(name), *words, **options)


def land_the_day(schedule: Schedule) -> None:
    """Land what is known at the instant."""
    days = list(range(BARS))
    for ticker in (APPENDED, CORRECTED, WITHDRAWN, SPLIT, DIVIDEND, SOURCE):
        land_as(schedule, IBM, days, ticker)
    land_as(schedule, IBM, [day for day in days if day != 41], LATE)
    land_other(schedule, CORRECTED, [20], share=0.6)
    act(schedule, SPLIT, "split", 120, ratio=2)
    act(schedule, DIVIDEND, "cash_dividend", BARS + 5, amount=0.5)
    land_live(schedule)


def plant_the_future(schedule: Schedule) -> None:
    """Land what only a later day knows, each of it with prices that cannot be overlooked."""
    ahead = list(range(BARS, BARS + AHEAD))
    for ticker in (APPENDED, DIVIDEND):
        land_as(schedule, IBM, ahead, ticker)
    land_other(schedule, CORRECTED, [70], share=0.1)
    land_as(schedule, IBM, [41], LATE)
    withdraw(schedule, IBM, [60], ticker=WITHDRAWN)
    act(schedule, SPLIT, "split", 100, ratio=4)
    # A better source of another basis has only the bars that follow, and yet changes all before.
    land_other(schedule, SOURCE, ahead, source="yahoo", adjusted="splits")
    land_as(schedule, IBM, list(range(BARS)), NEW)
    with database.connect("tests", autocommit=True) as conn:
        for revision, value in enumerate((1, 1_000_000)):
            conn.execute(
                "insert into raw_alt.alternative_data"
                " (dataset, entity, as_of_ts, published_at, revision, payload, source)"
                " values ('cards', 'APND', '2000-06-01', '2000-06-02', %s, %s, 'tests')",
                [revision, json.dumps({"sales": value})],
            )


def land_other(schedule: Schedule, ticker: str, rows: list[int], *, source: str = "oracle",
               adjusted: str = "none", share: float = 0.5) -> None:  # fmt: skip
    """Land other values of some bars."""
    bars = closed_at(schedule.bars[IBM].iloc[rows].copy(), share)
    profile = frame_profile(source=source, calendar="XNYS", adjusted=adjusted)
    times = bars["session_date"].dt.date
    landed = land_frame(
        bars[[*PRICES, "volume"]].assign(symbol=ticker, time=times), profile=profile
    )
    assert landed.accepted == len(rows), landed


def act(schedule: Schedule, ticker: str, kind: str, row: int, **value: float) -> None:
    """Land a corporate action of a ticker on the day of a row."""
    schedule.tickers["IBM"] = (ticker, "1900-01-01")
    schedule.action(IBM, kind, schedule.day(IBM, row), **value)
    schedule.tickers.clear()


def land_live(schedule: Schedule) -> None:
    """Land a series as if each bar had been known an hour after its session, one of them corrected
    ten days later."""
    land_as(schedule, IBM, list(range(BARS)), LIVE)
    land_other(schedule, LIVE, [50], share=0.2)
    with database.connect("tests", autocommit=True) as conn:
        conn.execute("set session_replication_role = replica")  # the ledger refuses updates
        conn.execute(
            "update raw_market.bars set known_at = session_date + case revision"
            " when 0 then interval '22 hours' else interval '10 days' end where symbol = %s",
            [LIVE],
        )
        conn.execute(
            "update ref.series set first_known_at = (select min(known_at) from raw_market.bars"
            " where symbol = %s) where instrument_id = (select instrument_id from"
            " ref.symbol_history where symbol = %s)",
            [LIVE, LIVE],
        )


def learn_and_land(world: World, patch: pytest.MonkeyPatch) -> None:
    """Run the example of the documentation, on the bars of this test."""
    text = DOCS.read_text()
    patch.chdir(world.folder)
    (shell,) = re.findall(r"```sh\n(warehouse export (?:.+\n)+?)```", text.split("## From")[1])
    (train,) = re.findall(r"```python\n(import pandas(?:.*\n)+?)```", text)
    for line in shell.splitlines():
        words = line.replace("2012-01-01", "2000-11-01").split()
        if words == ["python", "train.py"]:
            exec(compile(train, "train.py", "exec"), {})  # noqa: S102 (our own page)
        elif words != ["warehouse", "build"]:
            told = warehouse(*words[1:])
            assert told.exit_code == 0, (line, told.output)
