"""Training sets: what landed after the instant is never in them; folds do not leak."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from purgedcv import PurgedKFold

from databases import cloned_database
from dbt_runs import dbt
from label_oracles import frame
from schedules import Schedule
from training_rows import FEATURES, expected
from training_world import (
    AHEAD,
    APPENDED,
    BARS,
    CHANGED,
    COMMAND,
    DIVIDEND,
    DOCS,
    LIVE,
    NEW,
    SOURCE,
    World,
    export,
    land_the_day,
    learn_and_land,
    now,
    plant_the_future,
    warehouse,
)
from warehouse import currency, database
from warehouse.config import Home
from warehouse.training import writing


@pytest.fixture(scope="module")
def world(home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
          ) -> Iterator[World]:  # fmt: skip
    with (
        cloned_database(home, "test_training", built_on_nothing),
        pytest.MonkeyPatch.context() as patch,
    ):
        # As `warehouse build` does: the publication says which code built it.
        patch.setenv(currency.VARIABLE, currency.fingerprint())
        folder = tmp_path_factory.mktemp("training")
        schedule = Schedule(folder)
        land_the_day(schedule)
        dbt("run")
        made = World(folder, now())
        as_of = ("--as-of", made.then.isoformat(), "--folds", "3", "--embargo", "4")
        made.export("then", *as_of)
        made.export("again", *as_of)
        made.export(
            "split",
            *as_of[:2],
            "--split-at",
            "2000-11-01",
            "--embargo",
            "3",
            "--split-until",
            "2000-11-30",
        )
        learn_and_land(made, patch)
        plant_the_future(schedule)
        made.export("not built", *as_of)
        dbt("run")
        made.later = now()
        made.export("built", *as_of)
        made.export("now", "--as-of", made.later.isoformat(), "--unlabelled")
        yield made


def equal(ours: pa.Table, theirs: pa.Table) -> None:
    """Say which column of two tables differs first."""
    assert ours.schema == theirs.schema
    assert ours.num_rows == theirs.num_rows
    for name in ours.column_names:
        # NaN is not in any of them: what is missing is NULL.
        assert ours[name].equals(theirs[name]), name


# -------------------------------------------------------------------------------------- as known


@pytest.mark.parametrize("name", ["not built", "built"])
def test_a_planted_future_never_appears(world: World, name: str) -> None:
    equal(world.table(name), world.table("then"))
    assert NEW not in set(world.rows(name)["symbol"])


def test_only_what_changed_is_built_once_more(world: World) -> None:
    assert world.told["then"]["recomputed"] == {}
    assert set(world.told["built"]["recomputed"]) == CHANGED
    assert {APPENDED, LIVE}.isdisjoint(world.told["not built"]["recomputed"])
    with database.connect("tests") as conn:
        left = conn.execute(
            "select nspname from pg_namespace where starts_with(nspname, 'as_known')"
        ).fetchall()
    assert left == []


def test_the_future_was_planted_where_it_shows(world: World) -> None:
    then, later = (
        world.rows(name).set_index(["symbol", "timestamp"])["sma_20"] for name in ("then", "now")
    )
    later = later.reindex(then.index)
    differs = (then != later) & then.notna()
    assert set(differs[differs].index.get_level_values("symbol")) == CHANGED - {DIVIDEND}
    labels = [
        world.rows(name).set_index(["symbol", "timestamp"])["fwd_ret_5"] for name in ("then", "now")
    ]
    differs = labels[0] != labels[1].reindex(labels[0].index)
    assert DIVIDEND in set(differs[differs].index.get_level_values("symbol"))


def test_the_same_instant_is_the_same_file(world: World) -> None:
    assert world.file("then").read_bytes() == world.file("again").read_bytes()


def test_labels_that_were_open_are_left_out(world: World) -> None:
    then, later = world.rows("then"), world.rows("now")
    assert then["fwd_ret_5"].notna().all()
    assert (then["label_end_at"] <= world.then).all()
    appended = {n: f[f["symbol"] == APPENDED] for n, f in (("then", then), ("now", later))}
    assert len(appended["then"]) == BARS - 5
    assert len(appended["now"]) == BARS + AHEAD
    assert appended["now"]["fwd_ret_5"].isna().sum() == 5
    assert (later["fwd_ret_5"].isna() == later["label_end_at"].isna()).all()


@pytest.mark.parametrize("name", ["then", "now"])
def test_pandas_says_the_same_of_the_landing_tables(world: World, name: str) -> None:
    rows = world.rows(name).dropna(subset=["fwd_ret_5"])
    as_of = datetime.fromisoformat(world.told[name]["as_of"])
    ids = dict(frame("select symbol, instrument_id from ref.symbol_history").to_numpy().tolist())
    # Two sources: which of them wins is not the matter here.
    rows = rows[rows["symbol"] != SOURCE].sort_values(["instrument_id", "prediction_at"])
    theirs = expected(as_of, 5, without=(ids[SOURCE],))
    assert len(rows) == len(theirs) > 1000
    for column in ("instrument_id", "prediction_at", "label_end_at"):
        assert (rows[column].to_numpy() == theirs[column].to_numpy()).all(), column
    for ours, column in (*((f, f) for f in FEATURES), ("fwd_ret_5", "label")):
        np.testing.assert_allclose(
            rows[ours].to_numpy(float), theirs[column].to_numpy(float),
            rtol=1e-9, atol=1e-12, err_msg=ours,
        )  # fmt: skip


def test_known_within_keeps_what_was_known_when_it_was_needed(world: World, tmp_path: Path) -> None:
    to = tmp_path / "live.parquet"
    export(to, "--as-of", world.then.isoformat(), "--symbols", LIVE, "--known-within", "1d")
    kept = pd.read_parquet(to)
    assert (kept["known_at"] <= kept["prediction_at"] + pd.Timedelta("1D")).all()
    everything = world.rows("then").query("symbol == @LIVE").reset_index(drop=True)
    corrected = everything["timestamp"][50] + pd.Timedelta("10D")
    early = everything["prediction_at"] + pd.Timedelta("1D") < corrected
    spoilt = early & (everything.index >= 50)
    assert 3 < spoilt.sum() < 9
    assert kept["timestamp"].tolist() == everything["timestamp"][~spoilt].tolist()
    told = warehouse(*COMMAND, "--features", "all", "--known-within", "1d", "-o", str(to) + "2",
                     "--symbols", APPENDED)  # fmt: skip
    assert told.exit_code == 2
    assert "No row has features and a label" in told.stderr


# ----------------------------------------------------------------------------------------- folds


def test_folds_are_those_of_purgedcv(world: World) -> None:
    """Of one series, where times are rows: an embargo after the labels is one after the test."""
    rows = world.rows("then").query("symbol == @APPENDED").reset_index(drop=True)
    splitter = PurgedKFold(
        3, prediction_times=rows["prediction_at"], evaluation_times=rows["label_end_at"],
        embargo_observations=5 - 1 + 4,
    )  # fmt: skip
    for number, (train, test) in enumerate(splitter.split(rows), start=1):
        assert rows.index[rows["fold"] == number].tolist() == test.tolist()
        assert rows.index[rows[f"train_{number}"]].tolist() == train.tolist()


def test_folds_of_all_series_are_what_their_definition_says(world: World) -> None:
    rows = world.rows("then")
    times = np.sort(rows["prediction_at"].unique())
    blocks = np.array_split(times, 3)
    for number, block in enumerate(blocks, start=1):
        test = rows["prediction_at"].isin(block)
        assert (test == (rows["fold"] == number)).all()
        ends = rows["label_end_at"][test].max()
        after = times[times >= ends][4:]
        allowed = (rows["label_end_at"] <= block[0]) | rows["prediction_at"].isin(after)
        assert (allowed == rows[f"train_{number}"]).all()
        overlaps = (rows["prediction_at"] < ends) & (rows["label_end_at"] > block[0])
        assert not (overlaps & rows[f"train_{number}"]).any()
        assert rows[f"train_{number}"].sum() > len(rows) / 3


def test_a_split_has_a_gap_on_both_sides(world: World) -> None:
    rows = world.rows("split")
    test = rows[rows["split"] == "test"]
    assert test["timestamp"].min() == pd.Timestamp("2000-11-01", tz="UTC")
    assert test["timestamp"].max() == pd.Timestamp("2000-11-30", tz="UTC")
    counts = rows[rows["symbol"] == APPENDED]["split"].value_counts()
    assert counts["purged"] == 4 + 4
    assert counts["embargo"] == 3
    train = rows[rows["split"] == "train"]
    beside = (train["label_end_at"] > test["prediction_at"].min()) & (
        train["prediction_at"] < test["label_end_at"].max()
    )
    assert not beside.any()


# ---------------------------------------------------------------------------- the worked example


def test_the_example_of_the_documentation(world: World) -> None:
    text = DOCS.read_text()
    (query,) = re.findall(r"```sql\n(select model_id(?:.*\n)+?)```", text)
    judged = frame(query).iloc[0]
    test = world.rows("set").query("split == 'test'")
    # Judged by what is known now: a series whose source went has no price for them any more.
    assert judged["predictions"] == len(test) > 300
    assert judged["mature"] == (test["symbol"] != SOURCE).sum()
    assert abs(judged["accuracy_gap"]) < 0.1
    os.chdir(world.folder)
    for line in re.findall(r"^(?:pandas|polars)\.read_parquet.*$", text, re.MULTILINE):
        read = eval(line, {"pandas": pd, "polars": pl})  # noqa: S307 (our own page)
        assert len(read) > 1000
    (line,) = re.findall(r"^json\.loads.*$", text, re.MULTILINE)
    about = eval(line, {"json": json, "pyarrow": pa})  # noqa: S307
    assert about["rows"] == len(read)
    assert about["query"].startswith("select")


# -------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--features", "rsi_15"), "did you mean rsi_"),
        (("--features", "momentun"), "did you mean momentum"),
        (("--features", " , "), "No feature was named"),
        (("--features", "split_factor"), "There is no feature"),
        (("--label", "fwd_ret_7"), "there are fwd_ret_1, fwd_ret_5"),
        (("--label", "return_5"), "There is no label"),
        (("--timeframe", "1h"), "no labels of bars of 1h"),
        (("--symbols", "APNDD"), "did you mean APND"),
        (("--as-of", "2100-01-01"), "is in the future"),
        (("--as-of", "1999-01-01"), "Nothing was known at 1999-01-01"),
        (("--as-of", "yesterday"), "is no time"),
        (("--since", "2001-13-01"), "is no date"),
        (("--since", "2030-01-01"), "No row has features"),
        (("--since", "2001-01-02", "--until", "2001-01-01"), "is after --until"),
        (("--known-within", "soon"), "no length of time"),
        (("--folds", "1"), "not between 2 and 50"),
        (("--folds", "3", "--split-at", "2000-11-01"), "two ways"),
        (("--embargo", "3"), "needs --folds or --split-at"),
        (("--split-until", "2000-11-01"), "needs a --split-at"),
        (("--split-at", "2030-01-01"), "0 of 1 test windows"),
        (("--format", "xlsx"), "There is no format"),
        (("-o", "nowhere/set.parquet"), "There is no folder"),
        (("-o", "."), "is a folder"),
    ],
)
def test_bad_input_is_named_and_leaves_no_file(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    defaults = {"--features": "rsi_14", "-o": "set.parquet"}
    given = {k: v for k, v in defaults.items() if k not in words}
    result = warehouse(*COMMAND, *[word for pair in given.items() for word in pair], *words)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_kept_unless_told_otherwise(world: World, tmp_path: Path) -> None:
    to = tmp_path / "set.csv"
    to.write_text("mine")
    words = ("--symbols", f"{APPENDED},{NEW}", "--as-of", world.then.isoformat())
    told = warehouse(*COMMAND, "--features", "rsi_14", "-o", str(to))
    assert told.exit_code == 2
    assert to.read_text() == "mine"
    done = export(to, "--force", *words, features="rsi_14", code=1)
    assert done["missing"] == [NEW]
    read = pd.read_csv(to)
    then = world.rows("then").query("symbol == @APPENDED")
    np.testing.assert_array_equal(read["rsi_14"].to_numpy(), then["rsi_14"].to_numpy())
    np.testing.assert_array_equal(read["fwd_ret_5"].to_numpy(), then["fwd_ret_5"].to_numpy())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_nothing_half_written_is_left(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(reader: pa.RecordBatchReader, to: Path, **_: Any) -> int:
        to.write_bytes(b"PAR1")
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(writing, "write", fails)
    to = tmp_path / "set.parquet"
    told = warehouse(*COMMAND, "--features", "rsi_14", "-o", str(to))
    assert told.exit_code == 2
    assert "The disk is full" in told.stderr if number == errno.ENOSPC else "cannot be written"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("expired_at", "told"), [("2000-05-01", "have expired"), ("now", "nobody knows what was")]
)
def test_history_that_has_expired_is_not_made_up(
    world: World, tmp_path: Path, expired_at: str, told: str
) -> None:
    with database.connect("tests", autocommit=True) as conn:
        conn.execute(
            "insert into ops.expired_bars (timeframe, kept_from, rows, expired_at)"
            " values ('1d', '2000-05-01', 1, %s)",
            [expired_at],
        )
    try:
        result = warehouse(*COMMAND, "--features", "rsi_14", "--as-of", world.then.isoformat(),
                           "-o", str(tmp_path / "set.parquet"))  # fmt: skip
        assert result.exit_code == 2
        assert told in result.stderr
    finally:
        with database.connect("tests", autocommit=True) as conn:
            conn.execute("delete from ops.expired_bars")


def test_before_the_first_build_there_is_nothing(database: str, tmp_path: Path) -> None:
    told = warehouse(*COMMAND, "--features", "rsi_14", "-o", str(tmp_path / "set.parquet"))
    assert told.exit_code == 2
    assert "Nothing was built yet" in told.stderr
