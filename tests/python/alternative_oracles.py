"""Features of alternative data and options by pandas and numpy, from what was landed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from label_oracles import frame
from oracle_formulas import exchange

DAY = pd.Timedelta("1D")
END = pd.Timestamp("2200-01-01", tz="UTC")
MAX_AGE = {"said": 20 * DAY, "social": DAY, "data": 100 * DAY, "chain": 5 * DAY}
"""What the project says by default."""

Row = dict[str, Any]


def moments(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return rows with columns of instants as pandas has them."""
    return rows.assign(**{name: pd.to_datetime(rows[name], utc=True) for name in columns})


def with_span(
    rows: pd.DataFrame, keys: list[str], history: Mapping[str, pd.Timestamp]
) -> pd.DataFrame:
    """Add from when and until when each revision was what we knew; rows have event_at."""
    until = rows["source"].map(lambda source: history.get(source, history.get("*", pd.NaT)))
    is_history = rows["known_at"] <= pd.to_datetime(until, utc=True)
    later = rows[["event_at", "known_at"]].max(axis=1)
    rows = rows.assign(known_from=rows["event_at"].where(is_history, later))
    rows = rows.sort_values("revision", ascending=False)
    lowest = rows.groupby(keys)["known_from"].cummin()
    until = lowest.groupby([rows[key] for key in keys]).shift(1)
    return rows.assign(known_until=until.fillna(END)).sort_index()


def known(rows: pd.DataFrame, at: pd.Timestamp, age: pd.Timedelta) -> pd.DataFrame:
    """Return what was known at a moment and is not too old."""
    alive = (rows["known_from"] <= at) & (rows["known_until"] > at) & ~rows["is_withdrawn"]
    return rows[alive & (rows["event_at"] > at - age)]


def weighted(scores: pd.Series, weights: pd.Series) -> float:
    """Return a weighted mean; NaN when nothing has both."""
    both = scores.notna() & weights.notna()
    total = float(weights[both].sum())
    return float((scores[both] * weights[both]).sum()) / total if total else np.nan


class Landed:
    """What was said of each ticker, and how each ticker is traded, as landed."""

    def __init__(self, history: Mapping[str, pd.Timestamp] | None = None) -> None:
        """Read everything once; `history` is var history_landed_until."""
        history = history or {}
        articles = moments(frame("table raw_alt.news_symbols"), "published_at", "known_at")
        posts = moments(frame("table raw_alt.social_posts"), "posted_at", "known_at")
        windows = moments(
            frame("table raw_alt.social_sentiment"), "window_start", "window_end", "known_at"
        )
        values = moments(
            frame("table raw_alt.alternative_data"), "as_of_ts", "published_at", "known_at"
        )
        articles = articles.assign(kind="news", event_at=articles["published_at"])
        posts = posts.assign(
            kind="post", event_at=posts["posted_at"], revision=0, is_withdrawn=False
        )
        windows = windows.assign(event_at=windows["window_end"])
        values = values.assign(event_at=values["published_at"])
        self.news = with_span(articles, ["source", "article_id", "symbol", "published_at"], history)
        self.posts = with_span(posts, ["source", "platform", "post_id", "symbol"], history)
        self.windows = with_span(
            windows, ["source", "platform", "symbol", "window_start", "window_end"], history
        )
        self.values = with_span(values, ["source", "dataset", "entity", "as_of_ts"], history)

    def sentiment(self, symbol: str, at: pd.Timestamp) -> Row:
        """Return a row of features_sentiment, without its key."""
        news = known(self.news[self.news["symbol"] == symbol], at, MAX_AGE["said"])
        posts = known(self.posts[self.posts["symbol"] == symbol], at, MAX_AGE["said"])
        said = pd.concat([news, posts])
        scores = said["sentiment_score"].astype(float)
        row: Row = {}
        for name, rows in (("news", news), ("post", posts)):
            for window, days in (("1d", 1), ("5d", 5)):
                recent = rows[rows["event_at"] > at - days * DAY]
                row[f"{name}_count_{window}"] = len(recent)
                row[f"{name}_sentiment_{window}"] = recent["sentiment_score"].astype(float).mean()
        day, week = (scores[said["event_at"] > at - days * DAY].dropna() for days in (1, 5))
        recent = news[news["event_at"] > at - 5 * DAY]
        row["news_sentiment_by_relevance_5d"] = weighted(
            recent["sentiment_score"].astype(float), recent["relevance"].astype(float)
        )
        recent = posts[posts["event_at"] > at - 5 * DAY]
        row["post_sentiment_by_reach_5d"] = weighted(
            recent["sentiment_score"].astype(float), np.log1p(recent["reach"].astype(float))
        )
        row["sentiment_mean_1d"], row["sentiment_mean_5d"] = day.mean(), week.mean()
        row["sentiment_std_5d"] = week.std(ddof=1)
        row["positive_share_5d"] = (week > 0).mean() if len(week) else np.nan
        row["negative_share_5d"] = (week < 0).mean() if len(week) else np.nan
        row["sentiment_momentum"] = day.mean() - week.mean()
        spread = scores.std(ddof=1) if scores.nunique() > 1 else np.nan
        row["sentiment_surprise"] = (day.mean() - scores.mean()) / spread
        today = (said["event_at"] > at - DAY).sum()
        row["attention_ratio"] = today / (len(said) / 20) if len(said) else np.nan
        row["said_age_hours"] = (at - said["event_at"].max()) / pd.Timedelta("1h")
        windows = known(self.windows[self.windows["symbol"] == symbol], at, MAX_AGE["social"])
        windows = windows.sort_values(["window_end", "window_start"])
        windows = windows.groupby(["platform", "source"]).tail(1)
        row["social_score"] = weighted(
            windows["score"].astype(float), windows["mentions"].astype(float)
        )
        row["social_mentions"] = windows["mentions"].sum() if len(windows) else np.nan
        row["social_age_hours"] = (at - windows["event_at"].max()) / pd.Timedelta("1h")
        values = known(self.values[self.values["symbol"] == symbol], at, MAX_AGE["data"])
        values = values.sort_values(["as_of_ts", "event_at"])
        values = values.groupby(["dataset", "entity"]).tail(1)
        sets: dict[str, dict[str, object]] = {}
        for _, value in values.iterrows():
            sets.setdefault(value["dataset"], {})[value["entity"]] = value["payload"]
        row["alternative_data"] = sets or None
        row["alternative_data_count"] = len(values)
        row["alternative_data_age_days"] = (at - values["event_at"].max()) / DAY
        return row if len(said) + len(windows) + len(values) else {}


def interpolate(target: float, points: dict[float, float]) -> float:
    """Return the value at a target between points, NaN outside of them."""
    if not points:
        return np.nan
    xs = sorted(points)
    return float(np.interp(target, xs, [points[x] for x in xs], left=np.nan, right=np.nan))


def chains(history: Mapping[str, pd.Timestamp] | None = None) -> pd.DataFrame:
    """Return the landed option quotes with the spans in which they were what we knew."""
    numbers = ("strike", "bid", "ask", "volume", "open_interest", "underlying_price")
    quotes = moments(frame("table raw_market.option_quotes"), "quote_ts", "known_at")
    quotes = quotes.astype(dict.fromkeys(numbers, float))
    closes = exchange("XNYS").closes
    day = quotes["quote_ts"].dt.floor("D")
    of_session = day.dt.tz_localize(None).map(closes)
    event = quotes["quote_ts"].where(quotes["quote_ts"] != day, of_session.fillna(day + DAY))
    keys = ["instrument_id", "quote_ts", "expiry", "strike", "option_right", "source"]
    quotes = quotes.assign(event_at=event, date=day)
    return with_span(quotes, keys, history or {})


def options(quotes: pd.DataFrame, at: pd.Timestamp, realized: float) -> Row:
    """Return a row of features_options, without its key, from the quotes of an instrument."""
    alive = known(quotes, at, 10 * MAX_AGE["chain"])
    if alive.empty:
        return {}
    chain = alive[alive["date"] == alive["date"].max()]
    chain = chain[chain["source"] == chain["source"].min()]
    chain = chain.sort_values("quote_ts").groupby(["expiry", "strike", "option_right"]).tail(1)
    newest = chain["event_at"].max()
    if newest <= at - MAX_AGE["chain"]:
        return {}
    days = (pd.to_datetime(chain["expiry"]).dt.tz_localize("UTC") - chain["date"]) / DAY
    is_call = chain["option_right"] == "call"
    sign = is_call.astype(int) * 2 - 1
    usable = chain.assign(days=days, sign=sign)[
        (days > 0) & (chain["implied_volatility"] > 0) & (chain["underlying_price"] > 0)
        & ~(chain["bid"] > chain["ask"])
        & (sign * chain["delta"] > 0) & (sign * chain["delta"] < 1)
    ]  # fmt: skip
    spot = chain.loc[chain["event_at"] == newest, "underlying_price"].iloc[0]
    terms: dict[str, dict[float, float]] = {"atm": {}, "put": {}, "call": {}}
    for term, rows in usable.groupby("days"):
        both = rows.groupby("strike").filter(lambda pair: len(pair) == 2)
        atm = both.groupby("strike")["implied_volatility"].mean()
        smiles = {"atm": (1.0, {k / spot: v for k, v in atm.items()})}
        for right in ("put", "call"):
            side = rows[rows["option_right"] == right]
            smile = side.groupby(side["delta"].abs())["implied_volatility"].mean()
            smiles[right] = (0.25, dict(smile.items()))
        for curve, (target, points) in smiles.items():
            volatility = interpolate(target, points)
            if not np.isnan(volatility):
                terms[curve][float(term)] = volatility**2 * float(term)  # type: ignore[arg-type]

    def at_term(curve: str, term: float) -> float:
        return float(np.sqrt(interpolate(term, terms[curve]) / term))

    volume, interest = (
        {right: chain.loc[chain["option_right"] == right, name].sum(min_count=1)
         for right in ("call", "put")}
        for name in ("volume", "open_interest")
    )  # fmt: skip
    pain = np.nan
    held = chain[(days > 0) & (chain["open_interest"] > 0)]
    if len(held):
        held = held[held["expiry"] == held["expiry"].min()]
        strikes = np.sort(held["strike"].unique())
        call = (held["option_right"] == "call").to_numpy()
        k, oi = held["strike"].to_numpy(), held["open_interest"].to_numpy()
        paid = [
            float((np.where(call, np.maximum(s - k, 0), np.maximum(k - s, 0)) * oi).sum())
            for s in strikes
        ]
        pain = strikes[int(np.argmin(paid))] / spot - 1
    exposure = usable["sign"] * usable["gamma"] * usable["open_interest"]
    return {
        "chain_at": newest, "chain_age_days": (at - newest) / DAY,
        "chain_source": chain["source"].iloc[0], "underlying_price": spot,
        "contracts": len(chain), "usable_contracts": len(usable),
        "iv_atm_30d": at_term("atm", 30), "iv_atm_90d": at_term("atm", 90),
        "iv_term_slope": at_term("atm", 90) - at_term("atm", 30),
        "iv_put_25d_30d": at_term("put", 30), "iv_call_25d_30d": at_term("call", 30),
        "iv_skew_25d": at_term("put", 30) - at_term("call", 30),
        "iv_minus_realized": at_term("atm", 30) - realized * np.sqrt(252),
        "call_volume": volume["call"], "put_volume": volume["put"],
        "put_call_volume_ratio": ratio(volume["put"], volume["call"]),
        "call_open_interest": interest["call"], "put_open_interest": interest["put"],
        "put_call_open_interest_ratio": ratio(interest["put"], interest["call"]),
        "max_pain_distance": pain,
        "gamma_exposure": (
            exposure * 100 * usable["underlying_price"] ** 2 / 100
        ).sum(min_count=1),
    }  # fmt: skip


def ratio(above: float, below: float) -> float:
    """Return a ratio, NaN where there is none."""
    return above / below if below else np.nan


def disagreements(mart: pd.DataFrame, expected: dict[tuple[Any, ...], Row]) -> list[str]:
    """Compare rows of a mart, by key, with what the oracle says: values to 1e-9, and NULLs."""
    found = []
    if missing := set(expected) ^ set(mart.index):
        found.append(f"rows of one side only: {sorted(missing)[:5]} of {len(missing)}")
    for key in mart.index.intersection(pd.MultiIndex.from_tuples(expected)):
        for column, right in expected[key].items():
            value = mart.loc[key, column]
            if isinstance(right, dict | str | pd.Timestamp) or right is None:
                same = value == right if right is not None else value is None
            elif pd.isna(right):
                same = pd.isna(value)
            else:
                same = bool(np.isclose(float(value), float(right), rtol=1e-9, atol=1e-12))
            if not same:
                found.append(f"{key} {column}: {value}, not {right}")
    return found
