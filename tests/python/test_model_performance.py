"""marts.model_performance against scikit-learn and scipy, fed from what landed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from databases import cloned_database
from dbt_runs import dbt
from prediction_rows import outcomes, predict, register
from schedules import Key, Schedule
from warehouse import database
from warehouse.config import Home
from warehouse.landing.reference import land_table

AAPL, IBM, HOURS = ("AAPL", "1d"), ("IBM", "1d"), ("AAPL", "1h")
SPLIT, DIVIDEND = 60, 90
"""Rows of AAPL that a split and a dividend come before."""
MISSING = 100
"""A session of AAPL whose bar has not landed."""
COST = 10 / 1e4
KEY = ["model_id", "prediction_type", "timeframe", "horizon_bars", "segment", "period"]

Pairs = pd.DataFrame


@pytest.fixture(scope="module")
def built(
    home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[pd.DataFrame, Pairs]]:
    """The mart, and the pairs of prediction and outcome as pandas has them."""
    with cloned_database(home, "test_models", built_on_nothing):
        schedule = Schedule(tmp_path_factory.mktemp("models"))
        land(schedule)
        pairs = pd.concat([landed_pairs(schedule, key) for key in (AAPL, IBM, HOURS)])
        dbt("build")
        with database.connect("tests") as conn:
            cursor = conn.execute("select * from marts.model_performance")
            names = [column.name for column in cursor.description or []]
            mart = pd.DataFrame(cursor.fetchall(), columns=names)
        yield mart, pairs


def land(schedule: Schedule) -> None:
    """Land bars, a split, a dividend, a sector, and models that predict in every awkward way."""
    schedule.land(AAPL, [row for row in range(140) if row != MISSING])
    schedule.land(IBM, list(range(60)))
    schedule.land(HOURS, list(range(80)))
    schedule.action(AAPL, "split", schedule.day(AAPL, SPLIT), ratio=2)
    schedule.action(AAPL, "cash_dividend", schedule.day(AAPL, DIVIDEND), amount=0.37)
    info = schedule.folder / "info.csv"
    info.write_text("symbol,sector\nAAPL,Technology\n")
    land_table("stock_info", [info], source="vendor")
    random = np.random.default_rng(7)
    rows = list(range(140))
    tied = list(random.integers(0, 11, 140) / 10)
    signs = list(random.integers(-1, 2, 140).astype(float))
    sizes = list(random.normal(0, 0.03, 140))
    for model, values, ups in (
        ("ties, zeros and ones", [None] * 140, tied),
        ("value as well", signs, list(random.random(140))),
        ("no probabilities", signs, []),
        ("some probabilities", signs, [None, *tied[1:]]),
        ("always down", [-1.0] * 140, []),
    ):
        predict(schedule, AAPL, rows, model=model, values=values, ups=ups)
        predict(schedule, IBM, rows[:60], model=model, values=values[:60], ups=ups[:60])
    rises = np.flatnonzero(
        outcomes(schedule, IBM, 1, factors(schedule, IBM))["realised_return"] > 0
    )
    predict(
        schedule,
        IBM,
        list(rises),
        model="one class",
        values=[None] * len(rises),
        ups=tied[: len(rises)],
    )
    for horizon in (1, 5, 21):
        predict(schedule, AAPL, rows, model="returns", kind="return", horizon=horizon, values=sizes)
        predict(
            schedule, IBM, rows[:60], model="score", kind="momentum", horizon=horizon,
            values=list(np.round(sizes[:60], 2)),
        )  # fmt: skip
    predict(schedule, IBM, rows[:60], model="constant", kind="return", values=[0.001] * 60)
    predict(schedule, IBM, [3], model="once", kind="return", values=[0.001])
    predict(
        schedule,
        IBM,
        rows[:60],
        model="width",
        kind="volatility",
        values=list(np.abs(sizes[:60]) + 1e-3),
    )
    predict(
        schedule,
        IBM,
        rows[:60],
        model="no width",
        kind="volatility",
        values=[0.0, *np.abs(sizes[1:60])],
    )
    predict(schedule, HOURS, rows[:80], model="hours", values=[None] * 80, ups=tied[:80], horizon=3)
    predict(schedule, IBM, rows[:3], model="stranger", values=signs[:3], symbol="NOBODY")
    register("returns", '{"rmse": 0.02, "r2": 0.1, "mae": "small"}')
    register("value as well", '{"accuracy": 0.6, "auc": 0.55, "precision": 0.5}')


def factors(schedule: Schedule, key: Key) -> np.ndarray:
    """Return what makes the landed closes of a series total-return prices."""
    found = np.ones(len(schedule.bars[key]))
    if key == AAPL:
        found[:SPLIT] /= 2
        found[:DIVIDEND] *= 1 - 0.37 / float(schedule.bars[key]["close"][DIVIDEND - 1])
    return found


def landed_pairs(schedule: Schedule, key: Key) -> Pairs:
    """Return the landed predictions about a series, with what came true of them."""
    with database.connect("tests") as conn:
        cursor = conn.execute(
            "select model_id, prediction_type, timeframe, horizon_bars, prediction_value as value,"
            " (class_probabilities ->> 'up')::float8 as up, to_char(timestamp, 'YYYY-MM') as month,"
            " split_part(prediction_id, ' ', -1)::integer as row"
            " from raw_ml.predictions where symbol = %s and timeframe = %s",
            key,
        )
        names = [column.name for column in cursor.description or []]
        pairs = pd.DataFrame(cursor.fetchall(), columns=names)
    pairs["sector"] = "Technology" if key[0] == "AAPL" else "unknown"
    for horizon, rows in pairs.groupby("horizon_bars")["row"]:
        true = outcomes(schedule, key, int(horizon), factors(schedule, key)).iloc[rows]
        for name in true:
            pairs.loc[rows.index, name] = true[name].to_numpy()
    return pairs.astype({"value": float, "up": float})


def windows(pairs: Pairs) -> Iterator[tuple[tuple[object, ...], Pairs]]:
    """Yield every window with its pairs."""
    for segment in ("all", "sector"):
        for period in ("all", "month"):
            keys = [pairs[name] for name in KEY[:4]]
            keys.append(pairs["sector"] if segment == "sector" else pd.Series("all", pairs.index))
            keys.append(pairs["month"] if period == "month" else pd.Series("all", pairs.index))
            yield from pairs.reset_index(drop=True).groupby([k.to_numpy() for k in keys])


def test_every_window_has_its_row(built: tuple[pd.DataFrame, Pairs]) -> None:
    mart, pairs = built
    expected = {
        key: (len(rows), rows["realised_return"].notna().sum()) for key, rows in windows(pairs)
    }
    known = mart[mart["model_id"] != "stranger"].set_index(KEY)
    assert not known.index.duplicated().any()
    assert known[["predictions", "mature"]].apply(tuple, axis=1).to_dict() == expected
    stranger = mart[mart["model_id"] == "stranger"]
    assert set(stranger["predictions"]) == {3}
    assert set(stranger["mature"]) == {0}
    assert stranger[["accuracy", "roc_auc", "mean_net_return"]].isna().all(axis=None)
    # What lands last is not mature, nor what starts or ends at the missing bar.
    returns = known.loc[("returns", "return", "1d", 21, "all", "all")]
    assert returns["mature"] == 140 - 21 - 2
    assert returns["maturity"] == (140 - 23) / 140


def test_numbers_are_those_of_scikit_learn(built: tuple[pd.DataFrame, Pairs]) -> None:
    mart, pairs = built
    rows = mart.set_index(KEY)
    compared = set()
    for key, window in windows(pairs):
        row = rows.loc[key]
        for name, expected in oracle(window).items():
            actual = row[name]
            where = f"{name} of {key}"
            if expected is None:
                assert np.all(pd.isna(actual)), where
                continue
            assert actual is not None, where
            np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12, err_msg=where)
            compared.add(name)
    assert len(compared) == 29, compared


def test_outcomes_are_the_labels_of_signals(built: tuple[pd.DataFrame, Pairs]) -> None:
    """Signals and models are judged by the same returns, whichever model computed them."""
    with database.connect("tests") as conn:
        row = conn.execute("""
            select
                count(*),
                count(*) filter (where o.is_mature is distinct from f.is_mature),
                count(distinct horizon),
                max(abs(o.realised_return - f.fwd_ret))
            from intermediate.int_prediction_outcomes as o
            join intermediate.int_forward_returns as f
                on (f.instrument_id, f.timeframe, f.bar_ts, f.horizon)
                = (o.instrument_id, o.timeframe, o.base_bar_at, o.horizon_bars)
        """).fetchone()
    assert row is not None
    compared, other, horizons, difference = row
    assert compared > 1000
    assert (other, horizons) == (0, 3)
    assert difference < 1e-12


def test_what_is_not_defined_is_null(built: tuple[pd.DataFrame, Pairs]) -> None:
    mart, _ = built
    everything = mart[(mart["segment"] == "all") & (mart["period"] == "all")]
    rows = everything.set_index("model_id")
    assert rows.loc["one class", "accuracy"] > 0
    assert np.isnan(rows.loc["one class", "roc_auc"])
    assert rows.loc["one class", "pr_auc"] == 1
    assert np.isnan(rows.loc["some probabilities", "roc_auc"])
    assert np.isnan(rows.loc["some probabilities", "log_loss"])
    assert rows.loc["some probabilities", "accuracy"] > 0
    assert rows.loc["always down", "precision_up"] == rows.loc["always down", "f1_up"] == 0
    assert np.isnan(rows.loc["constant", "information_coefficient"])
    assert np.isnan(rows.loc["once", "r2"])
    assert np.isnan(rows.loc["no width", "qlike"])
    assert np.isnan(rows.loc["width", "mean_net_return"])
    assert rows.loc["ties, zeros and ones", "log_loss"] > 1


def test_claims_are_set_against_what_came_true(built: tuple[pd.DataFrame, Pairs]) -> None:
    mart, _ = built
    for row in mart[mart["model_id"].isin(["returns", "value as well"])].to_dict("records"):
        if row["model_id"] == "returns":
            assert pd.isna(row["mae_gap"]), "not a number, so nothing is claimed"
            assert row["rmse_gap"] == row["rmse"] - 0.02 or not row["evaluated"]
        else:
            assert row["accuracy_gap"] == row["accuracy"] - 0.6 or not row["evaluated"]
            assert row["precision_up_gap"] == row["precision_up"] - 0.5 or not row["evaluated"]
        assert row["model_name"] == f"name of {row['model_id']}"


# ------------------------------------------------------------------------------------ the oracle


def oracle(window: Pairs) -> dict[str, object]:
    """Return the numbers of one window; None where the mart shall have NULL."""
    mature = window[window["realised_return"].notna()]
    if mature.empty:
        return {"accuracy": None, "rmse": None, "mean_gross_return": None}
    kind = mature["prediction_type"].iloc[0]
    if kind == "price_direction":
        return classified(mature) | followed(mature, mature["up"].fillna(mature["value"]))
    numbers = followed(mature, mature["value"])
    if kind == "momentum":
        return numbers | {"rmse": None, "accuracy": None}
    true = mature["realised_volatility" if kind == "volatility" else "realised_return"]
    return numbers | errors(mature["value"], true, kind) | {"accuracy": None}


def classified(mature: Pairs) -> dict[str, object]:
    """Return what scikit-learn says of a classifier."""
    true = mature["realised_return"] > 0
    up = np.where(mature["up"].isna(), mature["value"] > 0, mature["up"] >= 0.5)
    tn, fp, fn, tp = sk.confusion_matrix(true, up, labels=[False, True]).ravel()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one class
        numbers: dict[str, object] = {
            "true_positives": tp,
            "false_positives": fp,
            "false_negatives": fn,
            "true_negatives": tn,
            "accuracy": sk.accuracy_score(true, up),
            "precision_up": sk.precision_score(true, up, zero_division=0),
            "recall_up": sk.recall_score(true, up, zero_division=0),
            "f1_up": sk.f1_score(true, up, zero_division=0),
            "matthews_correlation": sk.matthews_corrcoef(true, up),
        }
    share = mature["up"].notna().mean()
    score = mature["up"] if share else mature["value"]
    comparable = share in (0, 1)
    numbers["roc_auc"] = (
        sk.roc_auc_score(true, score) if comparable and 0 < true.mean() < 1 else None
    )
    numbers["pr_auc"] = (
        sk.average_precision_score(true, score) if comparable and true.any() else None
    )
    names = ("log_loss", "brier_score", "expected_calibration_error")
    return numbers | (calibrated(true, mature["up"]) if share == 1 else dict.fromkeys(names))


def calibrated(true: pd.Series, up: pd.Series) -> dict[str, object]:
    """Return what scikit-learn says of probabilities."""
    share, mean = calibration_curve(true, up, n_bins=10, strategy="uniform")
    bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], up)
    numbers, counts = np.unique(bins, return_counts=True)
    return {
        "log_loss": sk.log_loss(true, up, labels=[False, True]),
        "brier_score": sk.brier_score_loss(true, up),
        "expected_calibration_error": (counts * np.abs(mean - share)).sum() / len(up),
        "reliability_bins": numbers,
        "reliability_predictions": counts,
        "reliability_mean_probability": mean,
        "reliability_share_up": share,
    }


def errors(value: pd.Series, true: pd.Series, kind: str) -> dict[str, object]:
    """Return what scikit-learn says of a regression."""
    qlike = (np.log(value.clip(lower=1e-99) ** 2) + (true / value) ** 2).mean()
    return {
        "mae": sk.mean_absolute_error(true, value),
        "rmse": sk.root_mean_squared_error(true, value),
        "r2": sk.r2_score(true, value) if true.nunique() > 1 else None,
        "qlike": qlike if kind == "volatility" and (value > 0).all() else None,
    }


def followed(mature: Pairs, score: pd.Series) -> dict[str, object]:
    """Return correlations, and what following the predictions would have brought."""
    volatility = mature["prediction_type"].iloc[0] == "volatility"
    true = mature["realised_volatility" if volatility else "realised_return"]
    direction = mature["prediction_type"].iloc[0] == "price_direction"
    mixed = direction and 0 < mature["up"].notna().mean() < 1

    def correlation(of: Callable[..., object]) -> object:
        constant = score.nunique() < 2 or true.nunique() < 2
        return None if constant or mixed else of(score, true).statistic  # type: ignore[attr-defined]

    side = np.where(mature["up"].notna(), np.where(score >= 0.5, 1, -1), np.sign(score))
    trades = pd.Series(side * mature["realised_return"])[side != 0]
    none = volatility or trades.empty
    return {
        "evaluated": len(mature),
        "information_coefficient": correlation(stats.pearsonr),
        "rank_information_coefficient": correlation(stats.spearmanr),
        "trades": None if volatility else len(trades),
        "mean_gross_return": None if none else trades.mean(),
        "mean_net_return": None if none else trades.mean() - COST,
        "breakeven_cost_bps": None if none else trades.mean() * 1e4,
    }
