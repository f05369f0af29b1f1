"""Random histories: whatever happens, in any order, an incremental build equals a full refresh.

One history lives in a database of its own. `make prove` runs them for half an hour.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from histories import Histories, PredictedHistories
from mutants import MUTANTS, planted
from warehouse import config
from warehouse.config import Home

MINUTES = float(os.environ.get("PROVE_MINUTES", "0"))
FIXED = settings(
    derandomize=True, database=None, deadline=None, max_examples=4, stateful_step_count=16,
    suppress_health_check=list(HealthCheck), print_blob=False,
)  # fmt: skip


def machine(
    home: Home, base: str, project: Path = config.PROJECT, kind: type[Histories] = Histories
) -> type[Histories]:
    """Return the machine for a server and a project, with a tally of its own."""
    facts: dict[str, Any] = {"home": home, "base": base, "project": project, "tally": Counter()}
    return type(kind.__name__, (kind,), facts)


@pytest.mark.timeout(1800)
def test_histories(home: Home, built_on_nothing: str) -> None:
    random = machine(home, built_on_nothing, kind=PredictedHistories)
    run_state_machine_as_test(random, settings=FIXED)
    assert random.tally["comparisons"] >= FIXED.max_examples
    assert random.tally["operations"] > 50, random.tally
    assert random.tally["predictions"], random.tally


@pytest.mark.timeout(1800)
def test_search_finds_what_is_wrong_with_known_at(
    home: Home, built_on_nothing: str, tmp_path: Path
) -> None:
    """The search itself must find what is wrong with the usual watermark."""
    project = planted(
        MUTANTS["watermark is max(known_at)"], tmp_path / "mutant", "feature_coverage"
    )
    searched = settings(FIXED, max_examples=25, phases=[Phase.generate])
    with pytest.raises(AssertionError, match="full refresh"):
        run_state_machine_as_test(machine(home, built_on_nothing, project), settings=searched)


@pytest.mark.skipif(not MINUTES, reason="the long search: make prove MINUTES=30")
@pytest.mark.timeout(0)
def test_prove(home: Home, built_on_nothing: str) -> None:
    random = machine(home, built_on_nothing, kind=PredictedHistories)
    began = time.monotonic()
    rounds = int(os.environ.get("PROVE_SEED", time.time()))
    try:
        while time.monotonic() - began < MINUTES * 60:
            rounds += 1
            seeded = seed(rounds)(random)
            long = settings(FIXED, derandomize=False, max_examples=3, stateful_step_count=25)
            run_state_machine_as_test(seeded, settings=long)
            _print(random.tally, began, rounds, mismatches=0)
    except AssertionError:
        _print(random.tally, began, rounds, mismatches=1)
        raise


def _print(tally: Counter[str], began: float, rounds: int, *, mismatches: int) -> None:
    minutes = (time.monotonic() - began) / 60
    counts = ", ".join(f"{number} {what}" for what, number in tally.most_common())
    print(f"{minutes:.1f} min, seed {rounds}: {counts}, {mismatches} mismatches", flush=True)
