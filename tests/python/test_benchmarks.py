"""The benchmarks at a tiny scale: they run, compare what is comparable, and say so."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks import alarms, features, landing, signals, storage, table
from benchmarks.data import Scale, generate
from benchmarks.peers import writers
from benchmarks.peers.formulas import check_complete
from benchmarks.peers.ways import PEERS
from benchmarks.results import Section
from benchmarks.workspace import Workspace, connect

from warehouse import config

END = date(2026, 3, 2)
SMALL = Scale(symbols=2, bars=3_700)


def test_full_scale_is_the_designs_scale() -> None:
    assert Scale.of(1.0) == Scale(1057, 1_911_610)


def test_bars_are_plausible_and_repeatable() -> None:
    bars = generate(SMALL, end=END)
    again = generate(SMALL, end=END)
    assert bars.history.equals(again.history)
    assert bars.history.height == SMALL.bars
    whole = pl.concat([bars.history, *bars.nights])
    assert whole.filter(pl.col("high") < pl.max_horizontal("open", "close", "low")).is_empty()
    assert whole.filter(pl.col("low") > pl.min_horizontal("open", "close", "high")).is_empty()
    assert whole["low"].min() > 0
    assert whole.select("symbol", "timestamp").is_duplicated().sum() == 0
    assert bars.nights[0]["timestamp"].min() > bars.history["timestamp"].max()
    days = [night["timestamp"].dt.date().unique().to_list() for night in bars.nights]
    assert days == [[date(2026, 2, 25)], [date(2026, 2, 26)], [date(2026, 2, 27)]]
    assert bars.history["close"].pct_change().abs().median() > 0.0005


def test_half_days_are_short() -> None:
    day_after_thanksgiving = date(2025, 11, 28)
    bars = generate(SMALL, end=END).history
    on_day = bars.filter(pl.col("timestamp").dt.date() == day_after_thanksgiving)
    assert on_day.group_by("symbol").len()["len"].to_list() == [4, 4]


def test_binary_rows_arrive_as_they_were(database: str) -> None:
    frame = pl.DataFrame(
        {
            "a": pl.Series([1, None, -3], dtype=pl.Int16),
            "b": pl.Series([1, None, 2**31 - 1], dtype=pl.Int32),
            "c": [1.5, None, -0.1],
            "d": [True, None, False],
            "e": ["é", None, "long enough"],
            "f": [date(1999, 12, 31), None, date(2026, 1, 1)],
            "g": [datetime(1999, 1, 1, tzinfo=UTC), None, datetime(2026, 1, 1, 1, tzinfo=UTC)],
        }
    )
    with connect() as session:
        session.execute(
            "create schema peers; create table peers.features (a smallint, b integer,"
            " c double precision, d boolean, e text, f date, g timestamptz)"
        )
        writers.two_binary_copies(frame)
        found = session.execute("select * from peers.features order by a nulls last").fetchall()
    assert found == sorted(frame.rows(), key=lambda row: (row[0] is None, row[0] or 0))


def test_every_way_makes_the_same_table(database: str, home: config.Home, tmp_path: Path) -> None:
    space = Workspace(tmp_path, home, template="warehouse_template")
    bars = generate(SMALL, end=END)
    (landed,) = landing.run(space, bars, runs=1)
    (built,) = features.run(space, bars, list(PEERS))
    agreed = [figure.name for figure in built.figures if "features agree" in figure.name]
    assert len(agreed) == len(PEERS)
    floats = agreed[0].rpartition("; ")[2]
    assert all(name.endswith(floats) for name in agreed)
    same, _, compared = floats.partition(" of ")
    assert int(same) == int(compared.split()[0]) >= 150
    text = table.markdown([landed, built], about())
    assert text.count("| figure |") == 2


def test_signals_are_judged_as_the_peer_judges_them(
    database: str, home: config.Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"AGENTS": 2, "SESSIONS": 120, "NIGHTS": 1, "LUCKY_SESSIONS": 110}.items():
        monkeypatch.setattr(signals, name, value)
    space = Workspace(tmp_path, home, template="warehouse_template")
    judged, luck = signals.run(space, 0.001)
    assert [figure.name for figure in judged.figures].count("full build against it") == 1
    assert [figure.name.partition("horizon ")[2][:2] for figure in luck.figures] == [
        "1:", "5:", "10", "21",
    ]  # fmt: skip


def test_bytes_of_a_row_without_a_columnstore(
    home: config.Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "COMMUNITY_URL", None)
    space = Workspace(tmp_path, home, template="warehouse_template")
    (found,) = storage.run(space, generate(SMALL, end=END))
    told = {figure.name.partition(",")[0]: figure.value for figure in found.figures}
    assert {"raw_market.ticks", "raw_market.bars", "marts.feature_engineered_data"} <= {*told}
    assert "1272 floats" in told["marts.feature_engineered_data"]
    assert found.notes[0].startswith("No columnstore was measured")
    assert not any("columnstore by" in figure.name for figure in found.figures)


def test_what_is_called_declared_is_declared() -> None:
    sources = Path(config.PROJECT / "models" / "staging")
    text = "".join(each.read_text() for each in sources.glob("*__sources.yml"))
    for store in storage.STORES:
        segment_by, order_by = store.tried[0]
        wanted = re.sub(r"[{} \"]", "", f"compress: segment_by: {segment_by}, order_by: {order_by}")
        assert (wanted in re.sub(r"[{} \"]", "", text)) is store.declared, store.relation


def test_blocks_of_the_page_keep_each_other(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    table.write_docs(page, "speeds")
    table.write_docs(page, "bytes", "storage")
    table.write_docs(page, "other speeds")
    text = page.read_text()
    assert "\nspeeds" not in text
    assert text.index("other speeds") < text.index("<!-- storage: begin -->\nbytes\n")


def about() -> dict[str, object]:
    return {
        **{"command": "python -m benchmarks", "date": "2026-03-02", "symbols": 2, "bars": 3},
        **{"minutes": 1.0, "cores": 2, "processor": "x", "memory_gb": 4, "postgresql": "18"},
        **{"python": "3.11", "system": "Linux"},
    }


def test_peers_may_not_compute_less() -> None:
    with pytest.raises(LookupError, match="a_new_feature"):
        check_complete({"a_new_feature"})


def test_the_page_keeps_what_surrounds_the_table(tmp_path: Path) -> None:
    section = Section("Landing")
    section.add("rows", "5", ratio=0.5, least=0.25)
    section.add("slow", "9 s", ratio=3, most=2)
    page = tmp_path / "docs" / "benchmarks.md"
    table.write_docs(page, table.markdown([section], about()))
    first = page.read_text()
    page.write_text(first + "by hand\n")
    table.write_docs(page, table.markdown([section], about()))
    assert page.read_text() == first + "by hand\n"
    assert "| rows | 5 | 0.5 | >= 0.25x | yes |" in first
    assert "| slow | 9 s | 3 | <= 2x | **no** |" in first


def test_alarms_follow_the_correlation_of_a_window() -> None:
    dice = np.random.default_rng(1)
    scores, outcomes = dice.normal(size=(2, 3, 25, 4))
    found = alarms.coefficients(scores, outcomes)
    assert found.shape == (3, 6)
    window = slice(2, 2 + alarms.WINDOW)
    expected = np.corrcoef(scores[1, window].ravel(), outcomes[1, window].ravel())[0, 1]
    np.testing.assert_allclose(found[1, 2], expected, rtol=1e-9)
