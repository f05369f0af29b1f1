"""Fused signals and who made them right or wrong, against pandas, from what was landed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from databases import cloned_database
from dbt_runs import dbt
from fusion_rows import fuse, fuse_all, fused, inputs, labels
from label_oracles import HORIZONS, frame
from signal_rows import CLOSES, SYMBOLS, Speaker, land_agents, land_market
from warehouse import database
from warehouse.config import Home

AGENTS = ("smooth_agent", "momentum_agent")
EXACT = {"rtol": 1e-9, "atol": 1e-12}
AT = CLOSES[20] + pd.Timedelta("10min")
MISSING = (("S2", 30),)
SIGNALS = {"strong": 0.8, "weak": 0.2, "against": -0.5, "nothing": 0.0, "tiny": 1e-200}
"""Signals of the agent `odd_agent` by id."""

ODD: dict[str, tuple[float, list[tuple[str, float]]]] = {
    "orphan": (0.5, [("strong", 0.5), ("never_landed", 0.5)]),
    "orphans": (-0.5, [("never_landed", 0.5), ("neither", -3.0)]),
    "zero": (0.0, [("strong", 0.25), ("weak", -1.0)]),
    "offset": (0.0, [("strong", 0.5), ("against", 0.5)]),
    "no inputs": (0.7, []),
    "weighed nothing": (0.3, [("strong", 0.0), ("against", 0.0)]),
    "said nothing": (0.0, [("nothing", 0.6)]),
    "softmax": (0.8, [("strong", 1.0), ("weak", 5e-324), ("tiny", 1e-200)]),
    "beyond": (-0.1, [("strong", 1.7e308), ("weak", -1.7e308), ("against", 0.2)]),
    "leveraged": (1.0, [("strong", 40.0), ("against", 70.0), ("weak", -3.0)]),
}
"""Fused score and weights of inputs, by id of the fused signal."""


@pytest.fixture(scope="module")
def landed(home: Home, built_on_nothing: str) -> Iterator[None]:
    """Fused signals of two strategies and many odd ones, attributed in two builds and tested."""
    with cloned_database(home, "test_fusion", built_on_nothing):
        land_agents(*AGENTS, "odd_agent", "allocator")
        speaker = Speaker()
        land_market(list(range(50)), but=MISSING)
        for agent in AGENTS:
            speaker.rounds(agent, list(range(15, 45)))
        fuse_all(SYMBOLS[:5], range(15, 45), AGENTS)
        dbt("run")
        # Only signals land, no bar: what is built of them is published all the same.
        odd = list(SIGNALS.items())
        with database.connect("tests") as conn:
            conn.cursor().executemany(
                "insert into raw_signals.signals (agent_id, signal_id, symbol, signal_ts, horizon,"
                " direction, strength) values ('odd_agent', %s, 'S1', %s, 5, %s, %s)",
                [(key, AT, direction_of(score), abs(score)) for key, score in odd],
            )
            for fused_id, (score, weights) in ODD.items():
                parts = [("odd_agent", signal, weight) for signal, weight in weights]
                fuse(conn, fused_id, "S1", AT, score, parts)
            fuse(conn, "flat", "S1", AT, 0.4, [("odd_agent", "strong", 0.1)], direction="flat")
            fuse(conn, "unknown", "XYZ", AT, 0.4, [("odd_agent", "strong", 0.1)])
            fuse(conn, "at the bell", "S3", CLOSES[20], 0.4, [("odd_agent", "strong", 0.5)])
            fuse(conn, "not traded", "S2", CLOSES[29], 0.4, [("odd_agent", "strong", 0.5)])
            fuse(conn, "last", "S1", CLOSES[49], 0.4, [("odd_agent", "strong", 0.5)])
        dbt("build", "--select", "int_run_window+")
        yield


def direction_of(score: float) -> str:
    return "flat" if score == 0 else "long" if score > 0 else "short"


def usable(rows: pd.DataFrame) -> pd.DataFrame:
    """What the marts count as a weight: nothing below 1e-30, none beyond 1e30."""
    small = rows[["weight", "signal_score"]].abs() < 1e-30
    rows[["weight", "signal_score"]] = rows[["weight", "signal_score"]].mask(small, 0.0)
    rows.loc[rows["weight"].abs() > 1e30, "weight"] = np.nan
    return rows.assign(part=rows["weight"] * rows["signal_score"])


def test_what_was_fused(landed: None) -> None:
    ours = frame("select * from marts.fused_signals order by fused_id").set_index("fused_id")
    said = fused().set_index("fused_id")
    heard = usable(inputs())
    assert sorted(ours.index) == sorted(said.index)
    said = said.reindex(ours.index)
    np.testing.assert_array_equal(ours["score"], said["score"])
    groups = dict(list(heard.groupby("fused_id")))
    for fused_id, row in ours.iterrows():
        parts = groups.get(fused_id, heard.iloc[:0])
        known = parts.dropna(subset=["part"])
        weights, scores = known["weight"].abs(), np.sign(known["weight"]) * known["signal_score"]
        assert row["inputs"] == len(parts)
        assert row["agents"] == parts["agent_id"].nunique()
        assert row["missing_inputs"] == len(parts) - len(known)
        total = np.nan if parts["weight"].isna().any() else parts["weight"].sum()
        gross = known["part"].abs().sum()
        mean = np.average(scores, weights=weights) if weights.sum() else np.nan
        spread = np.average((scores - mean) ** 2, weights=weights) if weights.sum() else np.nan
        theirs = {
            "weight_sum": total,
            "explained_score": known["part"].sum(),
            "residual_score": row["score"] - known["part"].sum(),
            "agreement": abs(known["part"].sum()) / gross if gross else np.nan,
            "dispersion": np.sqrt(spread),
        }
        mine = row[list(theirs)].astype(float)
        np.testing.assert_allclose(mine, list(theirs.values()), err_msg=str(fused_id), **EXACT)
    assert ours["agreement"].dropna().between(0, 1).all()
    assert ours["dispersion"].dropna().between(0, 1).all()


def test_what_came_of_it(landed: None) -> None:
    """Entry, maturity and returns, per horizon."""
    ours = frame(
        "select f.fused_id, f.instrument_id, f.session_date, f.score, o.* from marts.fused_signals"
        " as f cross join unnest(f.horizons, f.is_mature, f.forward_returns, f.position_returns)"
        " as o (horizon, is_mature, forward_return, position_return) order by fused_id, horizon"
    )
    assert len(ours) == len(HORIZONS) * len(fused())
    theirs = ours[["fused_id", "horizon"]].merge(fused(), on="fused_id", how="left")
    theirs = theirs.astype({"instrument_id": float}).merge(
        labels(), on=["instrument_id", "entry", "horizon"], how="left"
    )
    np.testing.assert_array_equal(ours["is_mature"].astype(bool), theirs["label"].notna())
    np.testing.assert_allclose(ours["forward_return"].astype(float), theirs["label"], **EXACT)
    np.testing.assert_allclose(
        ours["position_return"].astype(float), theirs["label"] * theirs["score"], **EXACT
    )
    entered = ours.groupby("fused_id")["session_date"].first()
    assert entered["at the bell"] == CLOSES[21].date()
    assert entered["f-S2-28"] == CLOSES[29].date()
    assert entered[["unknown", "not traded", "last", "f-S2-29"]].isna().all()
    assert ours["is_mature"].astype(bool).mean() > 0.5
    assert not ours["is_mature"].astype(bool).all()


def test_contributions_are_those_of_pandas_and_sum_to_the_total(landed: None) -> None:
    ours = frame("select * from marts.fused_signal_attribution")
    whole = frame(
        "select f.fused_id, o.* from marts.fused_signals as f cross join"
        " unnest(f.horizons, f.position_returns) as o (horizon, position_return)"
    ).set_index(["fused_id", "horizon"])["position_return"]
    heard = usable(inputs())
    assert len(ours) == len(HORIZONS) * len(heard)
    both = ours.merge(heard, on=["fused_id", "agent_id", "signal_id"], suffixes=("", "_theirs"))
    assert len(both) == len(ours)
    number = both.select_dtypes("number").astype(float)
    for name, theirs in (
        ("weight", number["weight_theirs"]),
        ("signal_score", number["signal_score_theirs"]),
        ("score_contribution", number["part"]),
        ("return_contribution", number["part"] * both["forward_return"].astype(float)),
        ("residual_return", number["residual_score"] * both["forward_return"].astype(float)),
    ):
        np.testing.assert_allclose(both[name].astype(float), theirs, **EXACT, err_msg=name)

    sums = ours.astype({"return_contribution": float, "residual_return": float}).groupby(
        ["fused_id", "horizon"]
    )
    score = sums["score_contribution"].sum().astype(float) + sums["residual_score"].first()
    np.testing.assert_allclose(score, sums["fused_score"].first(), rtol=0, atol=1e-9)
    mature = sums["is_mature"].all().astype(bool)
    earned = sums["return_contribution"].sum() + sums["residual_return"].first()
    total = whole.reindex(earned.index).astype(float)
    assert total[~mature].isna().all()
    np.testing.assert_allclose(earned[mature], total[mature], rtol=0, atol=1e-9)
    assert mature.sum() > 100


def test_an_orphan_is_there_and_a_zero_is_attributed(landed: None) -> None:
    rows = frame(
        "select fused_id, signal_id, score_contribution, return_contribution, residual_score,"
        " residual_return, position_return from marts.fused_signal_attribution where horizon = 1"
    ).set_index(["fused_id", "signal_id"])
    missing = rows[rows["score_contribution"].isna()]
    assert set(missing.index.get_level_values("signal_id")) == {
        "never_landed", "neither", "strong", "weak",
    }  # fmt: skip
    assert set(missing.index.get_level_values("fused_id")) == {"orphan", "orphans", "beyond"}
    assert missing["return_contribution"].isna().all()
    orphans = frame("select value from ops.orphans where relation = 'raw_signals.fusion_inputs'")
    assert set(orphans["value"]) == {"odd_agent, never_landed", "odd_agent, neither"}
    alone = rows.loc["orphans"].iloc[0]
    assert alone["residual_return"] == alone["position_return"] != 0
    # Long and short cancelled: nothing was held, and the two are told apart all the same.
    zero = rows.loc["zero"]
    assert (zero["position_return"] == 0).all()
    assert abs(zero["residual_score"]).max() < 1e-15
    assert (zero["return_contribution"] != 0).all()
    assert abs(zero["return_contribution"].sum()) < 1e-15
