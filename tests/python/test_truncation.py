"""No feature looks ahead: built on data cut at t, every row up to t is the same to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import alpha158_oracle
from conftest import TEMPLATE
from databases import cloned_database
from dbt_runs import copied_project, dbt
from feature_oracles import PRICES, catalogue, frame_profile
from schedules import real_bars
from warehouse import config, database
from warehouse.config import Home
from warehouse.landing.bars import land_frame

CUTS = (1, 2, 14, 25, 34, 63, 64, 65, 133, 200, 201, 256, 270)
"""Around the first bars, the full windows and the stored states, and in the middle of sessions."""

WHOLE = 280
LEAK = (
    "models/intermediate/features/int_features_returns.sql",
    "bars.close_at[bars.bar - 1]) - 1 as returns",
    "bars.close_at[bars.bar + 1]) - 1 as returns",
)


@pytest.fixture(scope="module")
def landed(home: Home) -> Iterator[str]:
    """Each series whole, and once more for every cut under a symbol of its own."""
    with cloned_database(home, "test_truncation", TEMPLATE) as name:
        frames: dict[str, list[pd.DataFrame]] = {}
        for (symbol, timeframe), bars in real_bars().items():
            times = bars["session_date"].dt.date if timeframe == "1d" else bars["clock"]
            frame = bars[[*PRICES, "volume"]].assign(time=times)
            frames.setdefault(timeframe, []).extend(
                frame.head(cut).assign(symbol=f"{symbol}@{cut}") for cut in (*CUTS, WHOLE)
            )
        for timeframe, parts in frames.items():
            profile = frame_profile(timeframe=timeframe, calendar="XNYS")
            result = land_frame(pd.concat(parts), profile=profile)
            assert result.quarantined == 0, result
        yield name


def leaks() -> dict[str, str]:
    """Return the features whose past depends on the future, with the first row that shows it."""
    names = ", ".join(["symbol", "timeframe", "bar_number", *PRICES, *catalogue()])
    with database.connect("tests") as conn:
        cursor = conn.execute(f"select {names} from marts.feature_engineered_data")
        columns = [column.name for column in cursor.description or []]
        rows = pd.DataFrame(cursor.fetchall(), columns=columns).astype(object)
    rows["cut"] = rows["symbol"].str.partition("@")[2].astype(int)
    rows["symbol"] = rows["symbol"].str.partition("@")[0]
    key = ["symbol", "timeframe", "bar_number"]
    whole = rows[rows["cut"] == WHOLE].set_index(key)
    found: dict[str, str] = {}
    for cut in CUTS:
        part = rows[rows["cut"] == cut].set_index(key)
        assert len(part) == cut * len(real_bars())
        same = whole.loc[part.index]
        for name in catalogue():
            differs = ~((part[name] == same[name]) | (part[name].isna() & same[name].isna()))
            if differs.any() and name not in found:
                at = part.index[differs][0]
                found[name] = f"cut at {cut}: {at} {part[name][at]!r}, whole {same[name][at]!r}"
    return found


def alpha158_leaks() -> dict[str, str]:
    """Return the columns of Alpha158 whose past depends on the future, with the first cut."""
    names = list(alpha158_oracle.catalogue())
    with database.connect("tests") as conn:
        query = f'select symbol, "timestamp", {", ".join(names)} from marts.features_alpha158'
        rows = pd.DataFrame(
            conn.execute(query.encode()).fetchall(), columns=["symbol", "at", *names]
        )
    rows["cut"] = rows["symbol"].str.partition("@")[2].astype(int)
    rows["symbol"] = rows["symbol"].str.partition("@")[0]
    parts = {cut: part.set_index(["symbol", "at"])[names] for cut, part in rows.groupby("cut")}
    found: dict[str, str] = {}
    for cut in CUTS:
        part, whole = parts[cut].astype(float), parts[WHOLE].astype(float).loc[parts[cut].index]
        assert len(part) == cut * sum(timeframe == "1d" for _, timeframe in real_bars())
        differs = ~((part == whole) | (part.isna() & whole.isna()))
        found |= dict.fromkeys(differs.columns[differs.any()], f"cut at {cut}")
    return found


def test_no_feature_looks_ahead(landed: str) -> None:
    dbt("build")
    found = leaks() | alpha158_leaks()
    assert not found, "\n".join(f"{name}: {leak}" for name, leak in found.items())


def test_planted_look_ahead_is_caught(home: Home, landed: str, tmp_path: Path) -> None:
    file, right, wrong = LEAK
    project = copied_project(tmp_path / "leaking")
    text = (config.PROJECT / file).read_text(encoding="utf-8")
    assert right in text, f"{file} has changed: adapt the planted look-ahead to it"
    (project / file).write_text(text.replace(right, wrong), encoding="utf-8")
    with cloned_database(home, "test_leak", landed):
        dbt("build", project=project)
        assert set(leaks()) == {"returns", "price_acceleration"}
