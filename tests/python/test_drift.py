"""marts.model_drift_daily against numpy and scipy, fed from what landed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import psycopg
import pytest
from benchmarks.alarms import ALLOWANCE, BASELINE, THRESHOLD, WINDOW
from scipy import stats
from scipy.spatial.distance import jensenshannon

from databases import cloned_database
from dbt_runs import dbt
from oracle_formulas import exchange
from prediction_rows import outcomes, predict
from schedules import Schedule
from warehouse import database, drift
from warehouse.config import Home
from warehouse.errors import WarehouseError

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")
DAYS = 30
BREAK = 300
"""Row from which on the model that fades is wrong."""


def day(schedule: Schedule, row: int) -> datetime:
    """Return the start of a session of AAPL."""
    return datetime.fromisoformat(schedule.day(AAPL, row)).replace(tzinfo=UTC)


def served(count: int) -> list[dict[str, object]]:
    """Return features as a model might have seen them, some of them in awkward ways."""
    random = np.random.default_rng(11)
    odd: list[object] = ["text", None, True, [1], {"a": 1}, 0]
    return [
        {
            "steady": random.normal(),
            "shifts": random.normal(2.0 if row > 80 else 0.0),
            "ties": int(random.integers(0, 3)),
            "constant": 7 if row < 90 else 7.5,
            "sparse": None if row % 3 else random.random(),
            "wild": odd[row % 6],
        }
        for row in range(count)
    ]


@pytest.fixture(scope="module")
def built(
    home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Schedule]:
    """Two series and a model about them, frozen references, and the marts."""
    with cloned_database(home, "test_drift", built_on_nothing):
        schedule = Schedule(tmp_path_factory.mktemp("drift"))
        schedule.land(AAPL, list(range(len(schedule.bars[AAPL]))))
        schedule.land(IBM, list(range(140)))
        for number, key in enumerate((AAPL, IBM)):
            ups = list(np.random.default_rng(number).random(140))
            predict(
                schedule, key, list(range(140)), model="m", values=[None] * 140, ups=ups,
                features=served(140),
            )  # fmt: skip
        decaying(schedule)
        dbt("run")
        for bins in (10, 4):
            drift.freeze(
                f"m {bins}", since=day(schedule, 0), until=day(schedule, 60), model="m",
                kind="price_direction", horizon=1, bins=bins,
            )  # fmt: skip
        drift.freeze(
            "bars", since=day(schedule, 20), until=day(schedule, 70),
            features="returns,lag_close_1,sma_200,is_half_day",
        )  # fmt: skip
        dbt("build")
        yield schedule


def decaying(schedule: Schedule) -> None:
    """Let a model know something of the next return, and nothing but the contrary from BREAK on."""
    count = len(schedule.bars[AAPL])
    true = outcomes(schedule, AAPL, 1, np.ones(count))["realised_return"].fillna(0).to_numpy()
    noise = np.random.default_rng(5).normal(0, 0.06, count)
    said = np.where(np.arange(count) < BREAK, true, -true) + noise
    predict(schedule, AAPL, list(range(count)), model="fades", kind="return", values=list(said))
    predict(schedule, IBM, list(range(140)), model="fades", kind="return", values=list(said[:140]))
    predict(schedule, AAPL, list(range(30)), model="flat", kind="return", values=[0.5] * 30)


def table(query: str) -> pd.DataFrame:
    """Return the rows of a query."""
    with database.connect("tests") as conn:
        cursor = conn.execute(query.encode())
        names = [column.name for column in cursor.description or []]
        return pd.DataFrame(cursor.fetchall(), columns=names)


def number(value: object) -> float:
    """Return a JSON number or flag, NaN for everything else."""
    return float(value) if isinstance(value, int | float) else np.nan


def values_of_model() -> pd.DataFrame:
    """Return what landed: one row per prediction and feature."""
    landed = table(
        "select timestamp, features, (class_probabilities ->> 'up')::float8 as up"
        " from raw_ml.predictions where model_id = 'm'"
    )
    frames = [
        pd.DataFrame(
            {
                "at": landed["timestamp"],
                "feature": name,
                "value": landed["up"]
                if name == "prediction_score"
                else [number(each.get(name)) for each in landed["features"]],
            }
        )
        for name in ("prediction_score", *landed["features"][0])
    ]
    return pd.concat(frames, ignore_index=True)


def expected(values: pd.DataFrame, bins: int, since: datetime, until: datetime) -> pd.DataFrame:
    """Return the drift of each feature and day by numpy and scipy."""
    found = []
    for feature, rows in values.groupby("feature"):
        known = rows[(rows["at"] >= since) & (rows["at"] < until)]
        reference = known["value"].dropna().to_numpy()
        if not len(reference):
            continue
        edges = np.unique(np.quantile(reference, np.arange(1, bins) / bins))
        if len(edges) == 1:
            edges = np.append(edges, edges[0] + max(abs(edges[0]), 1) * 1e-9)
        share = shares(reference, edges)
        dates = rows["at"].dt.tz_convert("UTC").dt.normalize()
        for date in dates.unique():
            window = rows[(dates > date - pd.Timedelta(days=DAYS)) & (dates <= date)]
            now = window["value"].dropna().to_numpy()
            p, q = shares(now, edges), share
            a, b = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
            found.append(
                {
                    "feature": feature,
                    "observed_on": date.date(),
                    "observations": len(window),
                    "missing_share": window["value"].isna().mean(),
                    "reference_observations": len(known),
                    "psi": ((a - b) * np.log(a / b)).sum(),
                    "psi_by_chance": ((q > 0).sum() - 1) * (1 / len(now) + 1 / len(reference))
                    if len(now)
                    else np.nan,
                    "ks_statistic": np.abs(np.cumsum(p - q)).max(),
                    "js_divergence": jensenshannon(p, q, base=2) ** 2 if len(now) else np.nan,
                }
            )
    return pd.DataFrame(found)


def shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the share of values in each bin."""
    if not len(values):
        return np.full(len(edges) + 1, np.nan)
    return np.bincount(np.digitize(values, edges), minlength=len(edges) + 1) / len(values)


def assert_same(reference: str, oracle: pd.DataFrame) -> None:
    mart = table(f"select * from marts.model_drift_daily where reference = '{reference}'")
    assert len(mart) == len(oracle) > 0
    both = mart.merge(oracle, on=["feature", "observed_on"], suffixes=("", "_oracle"))
    assert len(both) == len(oracle)
    for name in oracle.columns[2:]:
        np.testing.assert_allclose(
            both[name].astype(float), both[f"{name}_oracle"].astype(float),
            rtol=1e-9, atol=1e-12, err_msg=name,
        )  # fmt: skip


@pytest.mark.parametrize("bins", [10, 4])
def test_drift_of_a_model_is_that_of_scipy(built: Schedule, bins: int) -> None:
    oracle = expected(values_of_model(), bins, day(built, 0), day(built, 60))
    assert_same(f"m {bins}", oracle)


def test_drift_of_bars_is_that_of_scipy(built: Schedule) -> None:
    frames = []
    for key, count in ((AAPL, 420), (IBM, 140)):
        bars = built.bars[key].iloc[:count]
        close = bars["close"].astype(float)
        at = pd.to_datetime(bars["session_date"]).dt.tz_localize("UTC")
        short = bars["session_date"].isin(exchange("XNYS").early_closes.tz_localize(None))
        for feature, value in (
            ("lag_close_1", close.shift(1)),
            ("returns", close.pct_change()),
            ("is_half_day", short.astype(float)),
        ):
            frames.append(pd.DataFrame({"at": at, "feature": feature, "value": value}))
    assert_same("bars", expected(pd.concat(frames), 10, day(built, 20), day(built, 70)))


def test_what_shifts_is_told_from_what_does_not(built: Schedule) -> None:
    last = table(
        "select distinct on (feature) * from marts.model_drift_daily"
        " where reference = 'm 10' order by feature, observed_on desc"
    ).set_index("feature")
    assert last.loc["shifts", "drift_level"] == last.loc["constant", "drift_level"] == "major"
    assert last.loc["shifts", "psi"] > 10 * last.loc["shifts", "psi_by_chance"]
    assert last.loc["steady", "psi"] < 4 * last.loc["steady", "psi_by_chance"]
    assert last.loc["constant", "js_divergence"] == 1
    assert "sma_200" not in last.index


def test_a_reference_stays_what_it_is(built: Schedule) -> None:
    period = {"since": day(built, 0), "until": day(built, 9)}
    with pytest.raises(WarehouseError, match="frozen already"):
        drift.freeze("bars", **period, features="returns")
    with pytest.raises(WarehouseError, match="no number"):
        drift.freeze("none", **period, features="sma_200")
    with (
        pytest.raises(psycopg.errors.RestrictViolation),
        database.connect("tests") as conn,
    ):
        conn.execute("update ops.drift_references set edges = '{1}', counts = '{1,1}'")


# ------------------------------------------------------------------------------------ alarms


def replayed(schedule: Schedule) -> pd.DataFrame:
    """Return coefficients by scipy, and the CUSUM as the recursion that textbooks have."""
    pairs = []
    for key, count in ((AAPL, 420), (IBM, 140)):
        true = outcomes(schedule, key, 1, np.ones(len(schedule.bars[key])))["realised_return"]
        said = table(
            "select prediction_value, split_part(prediction_id, ' ', -1)::integer as row from"
            f" raw_ml.predictions where model_id = 'fades' and symbol = '{key[0]}' order by 2"
        )["prediction_value"].astype(float)
        rows = pd.DataFrame({"at": schedule.bars[key]["session_date"][:count], "x": said})
        pairs.append(rows.assign(y=true.to_numpy()[:count]))
    mature = pd.concat(pairs).dropna()
    days = np.sort(mature["at"].unique())
    ics = [np.nan] * (WINDOW - 1)
    for last in range(WINDOW - 1, len(days)):
        window = mature[mature["at"].between(days[last - WINDOW + 1], days[last])]
        ics.append(stats.pearsonr(window["x"], window["y"]).statistic)
    known = ics[WINDOW - 1 : WINDOW - 1 + BASELINE]
    mean, deviation = np.mean(known), np.std(known, ddof=1)
    cusums, last_sum = [np.nan] * (WINDOW - 1 + BASELINE), 0.0
    for ic in ics[WINDOW - 1 + BASELINE :]:
        last_sum = max(0.0, last_sum + ((mean - ic) / deviation - ALLOWANCE) / WINDOW)
        cusums.append(last_sum)
    return pd.DataFrame({"day": days, "ic": ics, "cusum": cusums})


def test_alarms_are_those_of_a_replay(built: Schedule) -> None:
    mart = table("select * from marts.model_ic_alarms where model_id = 'fades' order by bar_no")
    oracle = replayed(built)
    assert len(mart) == len(oracle)
    for name, column in (("information_coefficient", "ic"), ("cusum", "cusum")):
        np.testing.assert_allclose(
            mart[name].astype(float), oracle[column], rtol=1e-9, atol=1e-12, err_msg=name
        )
    assert list(mart["is_alarm"]) == list(oracle["cusum"] > THRESHOLD)
    alarmed = oracle.index[oracle["cusum"] > THRESHOLD][0]
    assert BREAK < alarmed < BREAK + 3 * WINDOW
    zeros = oracle.index[(oracle["cusum"] == 0) & (oracle.index < alarmed)]
    change = zeros[-1] + 1 if len(zeros) else WINDOW - 1 + BASELINE
    first = mart.loc[alarmed]
    assert mart["alarm_at"].first_valid_index() == alarmed
    assert first["alarm_at"] == first["label_end_at"]
    assert first["change_estimated_at"] == mart["base_bar_at"][change]
    assert first["delay_bars"] == alarmed - change + 1


def test_what_does_not_vary_has_no_coefficient(built: Schedule) -> None:
    flat = table("select * from marts.model_ic_alarms where model_id = 'flat'")
    assert len(flat) == 30
    assert flat["information_coefficient"].isna().all()
    assert not flat["is_alarm"].any()
