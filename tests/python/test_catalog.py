"""The catalogue and what is made from it: properties, docs, the built table, look-back."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import feature_oracles as oracles
from dbt_runs import dbt
from warehouse import catalog
from warehouse.database import connect
from warehouse.feature_families import FAMILIES, Family


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.mart)
def test_properties_and_docs_are_up_to_date(family: Family) -> None:
    rows = catalog.read_catalogue(family)
    assert catalog.file_differences(family.properties, catalog.properties(rows, family)) == []
    assert catalog.file_differences(family.docs, catalog.documented(rows, family)) == []


def test_built_table_equals_catalogue(database: str) -> None:
    for family in FAMILIES:
        assert catalog.table_differences(catalog.read_catalogue(family), family) is None
    dbt("build")
    for family in FAMILIES:
        assert catalog.table_differences(catalog.read_catalogue(family), family) == []
        _comments_are_there(family)
    assert catalog.main(["--check"]) == 0


def _comments_are_there(family: Family) -> None:
    with connect() as conn:
        comments = dict(
            conn.execute(
                "select attname, col_description(attrelid, attnum) from pg_attribute"
                " where attrelid = %s::regclass and attnum > 0",
                [f"marts.{family.mart}"],
            ).fetchall()
        )
    for name, (_, text) in catalog.columns(catalog.read_catalogue(family), family).items():
        assert comments[name] == text


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.mart)
def test_check_names_the_difference(
    database: str,
    family: Family,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    rows = catalog.read_catalogue(family)
    changed = tmp_path / "changed.csv"
    with changed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows[1:], {**rows[0], "name": "returns_of_tomorrow"}])
    seed = replace(family, seed=changed)
    monkeypatch.setattr(Family, "source", family.source)
    monkeypatch.setattr(catalog, "FAMILIES", (seed,))
    with connect() as conn:
        conn.execute("create schema if not exists marts")
        conn.execute(f"create table marts.{family.mart} (returns text)".encode())
    assert catalog.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "name: returns_of_tomorrow" in said
    assert f"marts.{family.mart} lacks returns_of_tomorrow" in said
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
