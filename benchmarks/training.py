"""How fast a training set is exported against pandas' merge_asof on the same tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks import workspace
from benchmarks.peers import merge_asof
from benchmarks.results import Section, seconds
from benchmarks.signals import PROFILE, market
from benchmarks.workspace import Workspace, dbt_build, say, timed
from warehouse.landing.bars import land_frame
from warehouse.landing.profile import parse_profile
from warehouse.training.export import export
from warehouse.training.request import feature_names, request

INSTRUMENTS, SESSIONS = 500, 2_005
"""A million rows that have a label of five sessions."""
FEATURES, LABEL = 100, "fwd_ret_5"
RUNS = 3


def run(space: Workspace, scale: float) -> list[Section]:
    """Export what is published, with folds, and let pandas join the same."""
    section = Section("Training sets")
    names = max(5, round(INSTRUMENTS * scale))
    chosen = feature_names("all")[:FEATURES]
    with space.fresh("bench_training"):
        land(names)
        say("training: building what is exported")
        dbt_build()
        ours, theirs = space.folder / "ours.parquet", space.folder / "theirs.parquet"
        asked = request(
            features=",".join(chosen), label=LABEL, to=ours, folds=5, embargo=5, force=True
        )
        export(asked)  # both read from a warm cache
        workspace.settle()
        say("training: the export")
        spent = timed(lambda: export(asked), runs=RUNS)
        say("training: pandas")
        peer = timed(lambda: merge_asof.export(theirs, chosen, LABEL), runs=RUNS)
        rows, difference = merge_asof.difference(ours, theirs, [*chosen, LABEL])
        section.add(
            f"{rows:,} rows of {len(chosen)} features, as known, five purged folds", seconds(spent)
        )
        section.add("pandas: ADBC, merge_asof, to_parquet; no folds, no instant", seconds(peer))
        section.add("how much faster", "", ratio=peer / spent, least=2)
        section.add("largest difference of values", f"{difference:.1e}")
    return [section]


def land(names: int) -> None:
    """Land daily bars of random walks, with ranges and volumes."""
    say(f"training: landing {names * SESSIONS:,} bars")
    closes = market(names, SESSIONS)
    random = np.random.default_rng(13)
    bars = closes.stack().rename("close").rename_axis(["timestamp", "symbol"]).reset_index()
    spread = random.uniform(0.001, 0.03, (3, len(bars)))
    opens = bars["close"] * (1 + spread[0] - 0.015)
    both = pd.DataFrame({"open": opens, "close": bars["close"]})
    bars = bars.assign(
        timestamp=bars["timestamp"].dt.date,
        open=opens,
        high=both.max(axis=1) * (1 + spread[1]),
        low=both.min(axis=1) * (1 - spread[2]),
        volume=np.round(random.lognormal(12, 1, len(bars))),
    )
    landed = land_frame(bars, profile=parse_profile(PROFILE, where="benchmark"))
    if landed.accepted != len(bars):
        raise RuntimeError(f"{landed.accepted} of {len(bars)} bars accepted: {landed.rules}")
