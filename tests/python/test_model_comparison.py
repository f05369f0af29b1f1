"""marts.model_comparison against statsmodels and scipy, fed from what landed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from databases import cloned_database
from dbt_runs import dbt
from prediction_rows import outcomes, predict
from schedules import Schedule
from significance_oracles import cosine_test
from warehouse import database
from warehouse.config import Home

AAPL, IBM, HOURS = ("AAPL", "1d"), ("IBM", "1d"), ("AAPL", "1h")
KEY = ["champion_id", "challenger_id", "prediction_type", "timeframe", "horizon_bars", "period"]
RIVALS = ["champion_id", "prediction_type", "timeframe", "horizon_bars", "period"]
TASK = ["prediction_type", "timeframe", "horizon_bars"]
COST = 10 / 1e4
SHADOW = ("shadow", "twin", "stranger", "sharp")
EXACT = {"rtol": 1e-9, "atol": 1e-12}

Frame = pd.DataFrame


@pytest.fixture(scope="module")
def compared(
    home: Home, built_on_nothing: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Frame, Frame, list[str]]]:
    """The mart, what was said of each bar as pandas has it, and what the build warned of."""
    with cloned_database(home, "test_comparisons", built_on_nothing):
        schedule = Schedule(tmp_path_factory.mktemp("comparisons"))
        land(schedule)
        results = dbt("build")
        said = pd.concat([landed(schedule, key) for key in (AAPL, IBM, HOURS)])
        with database.connect("tests") as conn:
            cursor = conn.execute("select * from marts.model_comparison")
            names = [column.name for column in cursor.description or []]
            mart = Frame(cursor.fetchall(), columns=names)
        yield mart, said, [each.node.name for each in results if each.status == "warn"]


def land(schedule: Schedule) -> None:
    """Land bars of two instruments that share days, and models that compete in every task."""
    schedule.land(AAPL, list(range(140)))
    schedule.land(IBM, list(range(60)))
    schedule.land(HOURS, list(range(80)))
    random = np.random.default_rng(11)

    def say(model: str, kind: str, horizon: int, *, first: int = 0, last: int = 140) -> None:
        for key, count in ((AAPL, last), (IBM, min(last, 60)), (HOURS, min(last, 80))):
            rows = list(range(first, count))
            values = list(random.normal(0, 0.03, len(rows)).round(3))
            if kind == "price_direction":
                values = list(np.sign(values))
            if kind == "volatility":
                values = list(np.abs(values) + 1e-3)
            predict(schedule, key, rows, model=model, kind=kind, horizon=horizon, values=values)

    for kind in ("price_direction", "return", "volatility", "momentum"):
        for horizon in (1, 5, 21):
            say("active", kind, horizon)
            say("shadow", kind, horizon, first=3)
    say("other active", "return", 5, last=50)
    say("retired", "return", 5)
    # One that knows what comes, one that says the same, and one that says nothing of the same bars.
    twins = list(random.choice([-1.0, 1.0], 60))
    truth = outcomes(schedule, IBM, 1, np.ones(len(schedule.bars[IBM])))["realised_return"]
    knows = list(np.sign(truth.iloc[:59]))
    for model, rows, values in (
        ("dull", range(60), twins),
        ("twin", range(60), twins),
        ("sharp", range(59), knows),
    ):
        predict(schedule, IBM, list(rows), model=model, kind="next_direction", values=values)
    predict(schedule, AAPL, [110, 111], model="stranger", kind="next_direction", values=[1, -1])
    with database.connect("tests") as conn:
        for status, models in (("shadow", SHADOW), ("retired", ("retired",))):
            conn.execute(
                "update raw_ml.models set status = %s where model_id = any(%s)",
                [status, list(models)],
            )
        # Said again of the same bar: the last word counts.
        conn.execute(
            "insert into raw_ml.predictions (prediction_id, model_id, symbol, timestamp,"
            " prediction_type, prediction_value, horizon_bars, timeframe)"
            " select 'again ' || prediction_id, model_id, symbol, timestamp + interval '1 minute',"
            " prediction_type, -prediction_value, horizon_bars, timeframe from raw_ml.predictions"
            " where model_id = 'shadow' and prediction_type <> 'volatility'"
            " and prediction_id like '%%0'"
        )


def landed(schedule: Schedule, key: tuple[str, str]) -> Frame:
    """Return the last landed word of each model about each bar, its loss and what it brought."""
    with database.connect("tests") as conn:
        cursor = conn.execute(
            "select distinct on (model_id, prediction_type, horizon_bars, row) model_id,"
            " prediction_type, timeframe, horizon_bars, prediction_value as value, row"
            " from raw_ml.predictions, lateral ("
            "   select split_part(prediction_id, ' ', -1)::integer as row) as bar"
            " where symbol = %s and timeframe = %s"
            " order by model_id, prediction_type, horizon_bars, row, timestamp desc",
            key,
        )
        names = [column.name for column in cursor.description or []]
        said = Frame(cursor.fetchall(), columns=names).astype({"value": float})
    said["instrument"] = key[0]
    bars = schedule.bars[key]
    said["bar"] = bars["clock"].dt.tz_localize(None).iloc[said["row"]].to_numpy()
    for horizon, rows in said.groupby("horizon_bars")["row"]:
        true = outcomes(schedule, key, int(horizon), np.ones(len(bars))).iloc[rows]
        for name in true:
            said.loc[rows.index, name] = true[name].to_numpy()
    kind = said["prediction_type"]
    side = np.sign(said["value"]).where(kind != "volatility")
    said["net"] = side * said["realised_return"] - side.abs() * COST
    said["right"] = (said["value"] > 0) == (said["realised_return"] > 0)
    true = said["realised_return"].where(kind != "volatility", said["realised_volatility"])
    said["loss"] = (said["value"] - true) ** 2
    said["loss"] = said["loss"].where(kind != "momentum", -said["net"])
    said["loss"] = said["loss"].where(~kind.str.contains("direction"), 1.0 - said["right"])
    return said[said["realised_return"].notna()]


def test_every_number_is_that_of_statsmodels_or_scipy(
    compared: tuple[Frame, Frame, list[str]],
) -> None:
    mart, said, _ = compared
    rows = mart.set_index(KEY)
    checked: dict[str, int] = {}
    for key, row in rows.iterrows():
        for name, expected in oracle(pairs_of(said, key), key).items():
            where = f"{name} of {key}"
            if pd.isna(expected):
                assert pd.isna(row[name]), where
                continue
            np.testing.assert_allclose(float(row[name]), expected, **EXACT, err_msg=where)
            checked[name] = checked.get(name, 0) + 1
    assert len(checked) == 26, checked
    assert min(checked.values()) > 15, checked


def test_who_is_compared_with_whom(compared: tuple[Frame, Frame, list[str]]) -> None:
    mart, _, _ = compared
    pairs = set(mart[["champion_id", "challenger_id"]].itertuples(index=False, name=None))
    assert pairs == {
        ("active", "shadow"), ("other active", "shadow"),
        ("active", "other active"), ("other active", "active"),
        ("dull", "twin"), ("dull", "sharp"), ("dull", "stranger"),
    }  # fmt: skip
    assert set(mart.loc[mart["champion_id"] == "other active", "prediction_type"]) == {"return"}
    # Both sides of two active models say the same, with the sign turned.
    rows = mart.set_index(KEY)
    one = rows.loc[("active", "other active", "return", "1d", 5, "all")]
    other = rows.loc[("other active", "active", "return", "1d", 5, "all")]
    assert one["loss_difference"] == -other["loss_difference"] != 0
    assert one["p_value"] == other["p_value"]
    # Every common month has its row, and together they have all pairs.
    months = mart[mart["period"] != "all"].groupby(KEY[:-1])["pairs"].sum()
    whole = mart[mart["period"] == "all"].set_index(KEY[:-1])["pairs"]
    pd.testing.assert_series_equal(months.sort_index(), whole.sort_index())


def test_the_better_one_is_named_and_only_when_sure(
    compared: tuple[Frame, Frame, list[str]],
) -> None:
    mart, _, warned = compared
    rows = mart[(mart["period"] == "all") & (mart["timeframe"] == "1d")].set_index("challenger_id")
    sharp, twin, stranger = rows.loc["sharp"], rows.loc["twin"], rows.loc["stranger"]
    assert (sharp["better"], sharp["is_significant"]) == ("challenger", True)
    assert sharp["net_return_difference"] > 0
    # The same predictions: nothing to tell them apart.
    assert (twin["mcnemar_exact_p_value"], twin["loss_difference"]) == (1, 0)
    assert twin[["better", "is_significant", "p_value", "mcnemar_statistic"]].isna().all()
    assert (stranger["pairs"], stranger["bars"]) == (0, 0)
    assert stranger[["champion_loss", "p_value", "better", "first_bar_at"]].isna().all()
    # The gate of promotion warns, and readers get their marts all the same.
    assert warned == ["better_challengers"]
    # Few bars decide nothing.
    months = mart[(mart["horizon_bars"] == 21) & (mart["bars"] <= 21)]
    assert len(months) > 10
    assert months[["p_value", "is_significant", "loss_t_diebold_mariano"]].isna().all(axis=None)
    undecided = mart["q_value"].isna()
    assert (mart["is_significant"][~undecided] == (mart["q_value"][~undecided] < 0.05)).all()


def test_q_values_are_those_of_statsmodels(compared: tuple[Frame, Frame, list[str]]) -> None:
    mart, _, _ = compared
    rivals = [len(rows) for _, rows in mart.groupby(RIVALS) if tell(rows)]
    assert max(rivals) > 1


def tell(rows: Frame) -> bool:
    """Whether a champion's challengers have p-values; then their q-values are statsmodels'."""
    told = rows[rows["p_value"].notna()]
    assert rows["q_value"].notna().equals(rows["p_value"].notna())
    if told.empty:
        return False
    expected = multipletests(told["p_value"], method="fdr_bh")[1]
    np.testing.assert_allclose(told["q_value"], expected, **EXACT)
    return True


@pytest.mark.parametrize("degrees", [1, 2, 5, 20, 251, 5000])
def test_distributions_are_those_of_scipy(
    compared: tuple[Frame, Frame, list[str]], degrees: int
) -> None:
    shapes = [(degrees / 2, 0.5), (0.5, degrees / 2), (7.5, degrees), (degrees, degrees + 1)]
    cases = [(x, a, b) for a, b in shapes for x in (1e-9, 0.1, 0.5, a / (a + b), 0.999, 1.0)]
    with database.connect("tests") as conn:
        ours = conn.execute(
            "select array_agg(indicators.regularized_beta(x, a, b) order by n) from unnest("
            "%s::float8[], %s::float8[], %s::float8[]) with ordinality as c (x, a, b, n)",
            [[float(each) for each in column] for column in zip(*cases, strict=True)],
        ).fetchone()
    assert ours is not None
    theirs = [special.betainc(a, b, x) for x, a, b in cases]
    np.testing.assert_allclose(ours[0], theirs, rtol=1e-9, atol=1e-250)


# ------------------------------------------------------------------------------------ the oracle


def pairs_of(said: Frame, key: tuple[str, str, str, str, int, str]) -> Frame:
    """Return what both models of a row said of the same instrument and bar."""
    champion, challenger, kind, timeframe, horizon, period = key
    task = said[(said[TASK] == [kind, timeframe, horizon]).all(axis=1)]
    pairs = task[task["model_id"] == champion].merge(
        task[task["model_id"] == challenger], on=["instrument", "bar"]
    )
    return pairs if period == "all" else pairs[pairs["bar"].dt.strftime("%Y-%m") == period]


def oracle(pairs: Frame, key: tuple[object, ...]) -> dict[str, float | None]:
    """Return the numbers of one row; None where the mart shall have NULL."""
    if pairs.empty:
        return {"pairs": 0, "champion_loss": None, "loss_p_value": None, "both_right": None}
    by_bar = pairs.groupby("bar")[["loss_x", "loss_y", "net_x", "net_y"]].mean()
    numbers: dict[str, float | None] = {
        "pairs": len(pairs),
        "bars": len(by_bar),
        "champion_loss": by_bar["loss_x"].mean(),
        "challenger_loss": by_bar["loss_y"].mean(),
        "loss_difference": (by_bar["loss_x"] - by_bar["loss_y"]).mean(),
    }
    naive = stats.ttest_rel(pairs["loss_x"], pairs["loss_y"]) if len(pairs) > 1 else None
    is_told = naive is not None and np.ptp(pairs["loss_x"] - pairs["loss_y"]) > 0
    numbers["loss_t_naive"] = naive.statistic if is_told and naive else None
    numbers["loss_p_value_naive"] = naive.pvalue if is_told and naive else None
    horizon = int(str(key[4]))
    worse = by_bar["loss_x"] - by_bar["loss_y"]
    numbers["loss_t_diebold_mariano"] = diebold_mariano(worse, horizon)
    loss = cosine_test(worse.to_numpy(), horizon)
    numbers["loss_degrees"], numbers["loss_t"], numbers["loss_p_value"] = loss
    numbers["p_value"] = loss[2]
    if key[2] == "volatility":
        numbers |= dict.fromkeys(["net_return_difference", "net_return_p_value"])
    else:
        numbers["champion_net_return"] = by_bar["net_x"].mean()
        numbers["challenger_net_return"] = by_bar["net_y"].mean()
        numbers["net_return_difference"] = (by_bar["net_y"] - by_bar["net_x"]).mean()
        more = by_bar["net_y"] - by_bar["net_x"]
        numbers["net_return_t_diebold_mariano"] = diebold_mariano(more, horizon)
        gain = cosine_test(more.to_numpy(), horizon)
        numbers["net_return_degrees"], numbers["net_return_t"], numbers["net_return_p_value"] = gain
    if "direction" not in str(key[2]):
        return numbers | {"both_right": None, "mcnemar_statistic": None, "mcnemar_p_value": None}
    return numbers | discordant(pairs, loss[2])


def diebold_mariano(difference: pd.Series, horizon: int) -> float | None:
    """Return the statistic: Newey-West by statsmodels, corrected as published (1997)."""
    count = len(difference)
    if count <= horizon or np.ptp(difference) == 0:
        return None
    fitted = sm.OLS(difference.to_numpy(), np.ones(count)).fit(
        cov_type="HAC", cov_kwds={"maxlags": horizon - 1, "use_correction": False}
    )
    shrunk = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    return float(fitted.tvalues[0] * np.sqrt(shrunk))


def discordant(pairs: Frame, loss_p_value: float) -> dict[str, float | None]:
    """Return what statsmodels says of two classifiers."""
    table = [
        [(pairs["right_x"] & pairs["right_y"]).sum(), (pairs["right_x"] & ~pairs["right_y"]).sum()],
        [
            (~pairs["right_x"] & pairs["right_y"]).sum(),
            (~pairs["right_x"] & ~pairs["right_y"]).sum(),
        ],
    ]
    exact = mcnemar(table, exact=True).pvalue
    is_told = table[0][1] + table[1][0] > 0
    corrected = mcnemar(table, exact=False, correction=True) if is_told else None
    return {
        "both_right": table[0][0],
        "only_champion_right": table[0][1],
        "only_challenger_right": table[1][0],
        "neither_right": table[1][1],
        "mcnemar_statistic": corrected.statistic if corrected else None,
        "mcnemar_p_value": corrected.pvalue if corrected else None,
        "mcnemar_exact_p_value": exact,
        "p_value": None if np.isnan(loss_p_value) else max(loss_p_value, exact),
    }
