"""The catalogue and what is made from it: properties, docs, the built table, look-back."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import feature_oracles as oracles
from dbt_runs import dbt
from warehouse import catalog
from warehouse.database import connect


def test_properties_and_docs_are_up_to_date() -> None:
    rows = catalog.read_catalogue()
    assert catalog.file_differences(catalog.PROPERTIES, catalog.properties(rows)) == []
    assert catalog.file_differences(catalog.DOCS, catalog.documented(rows)) == []


def test_built_table_equals_catalogue(database: str) -> None:
    assert catalog.table_differences(catalog.read_catalogue()) is None
    dbt("build")
    assert catalog.table_differences(catalog.read_catalogue()) == []
    assert catalog.main(["--check"]) == 0
    _comments_are_there()


def _comments_are_there() -> None:
    with connect() as conn:
        comments = dict(
            conn.execute(
                "select attname, col_description(attrelid, attnum) from pg_attribute"
                " where attrelid = 'marts.feature_engineered_data'::regclass and attnum > 0"
            ).fetchall()
        )
    for name, (_, text) in catalog.columns(catalog.read_catalogue()).items():
        assert comments[name] == text


def test_check_names_the_difference(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    rows = catalog.read_catalogue()
    changed = tmp_path / "feature_catalog.csv"
    with changed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows[1:], {**rows[0], "name": "returns_of_tomorrow"}])
    monkeypatch.setattr(catalog, "CATALOGUE", changed)
    with connect() as conn:
        conn.execute("create schema if not exists marts")
        conn.execute("create table marts.feature_engineered_data (returns text)")
    assert catalog.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "name: returns_of_tomorrow" in said
    assert "marts.feature_engineered_data lacks returns_of_tomorrow" in said
    assert "has returns, the catalogue has not" in said


def test_catalogue_is_sound() -> None:
    rows = catalog.read_catalogue()
    assert len(rows) >= 150
    assert len({row["name"] for row in rows}) == len(rows)
    for row in rows:
        assert row["memory"] in ("finite", "recursive"), row["name"]
        assert all(row[each] for each in ("formula", "unit", "null_rule", "oracle", "description"))
        assert 0 < float(row["tolerance"]) <= 1e-6, row["name"]


@lru_cache
def _bars() -> pd.DataFrame:
    """Real hourly bars of sixty sessions."""
    return oracles.SHIPPED[4].bars().iloc[:420]


def _last(feature: str, bars: pd.DataFrame) -> float:
    bars = bars.reset_index(drop=True)
    return float(oracles.evaluate(feature, oracles.oracle_names(bars, "XNYS", 60))[-1])


@pytest.mark.parametrize("row", catalog.read_catalogue(), ids=lambda row: row["name"])
def test_lookback_is_what_the_formula_needs(row: dict[str, str]) -> None:
    """One bar less and the oracle has another value or none; an incremental build reads so many."""
    name, back = row["name"], int(row["lookback_bars"])
    if row["memory"] == "recursive":
        assert back == 0
        return
    differs = back == 0
    for end in (221, 225):
        whole = _last(name, _bars().iloc[:end])
        enough = _last(name, _bars().iloc[end - back - 1 : end])
        np.testing.assert_allclose(enough, whole, rtol=1e-6, atol=1e-9)
        if back:
            fewer = _last(name, _bars().iloc[end - back : end])
            differs |= not np.isclose(fewer, whole, rtol=1e-6, atol=1e-9, equal_nan=True)
    assert differs, f"{back - 1} bars would do"
