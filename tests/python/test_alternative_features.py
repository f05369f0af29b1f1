"""features_sentiment and features_options equal pandas and numpy, and know nothing too early."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alternative_oracles import Landed, chains, disagreements, options
from alternative_rows import HOUR, chain, close, land, news, post, value, window
from databases import cloned_database
from dbt_runs import dbt, dbt_failures
from feature_oracles import frame_profile
from label_oracles import frame
from oracle_formulas import exchange
from signal_rows import CLOSES, SESSIONS, land_market
from warehouse.config import Home
from warehouse.landing.bars import land_frame
from warehouse.landing.records import land_files, land_records
from warehouse.landing.records.profile import chosen_profile

ROWS = range(60)
HISTORY = {"archive": "2026-01-01"}


def marts(name: str) -> pd.DataFrame:
    """Return a mart by symbol and session."""
    rows = frame(f"select * from marts.{name}")
    assert set(rows["timeframe"]) <= {"1d"}
    return rows.set_index(["symbol", "session_date"]).sort_index()


def realized(symbol: str) -> pd.Series:
    """Return the volatility of 24 daily returns by session, from the closes as landed."""
    bars = frame(
        "select distinct on (bar_ts) session_date, close from raw_market.bars"
        f" where symbol = '{symbol}' and timeframe = '1d' order by bar_ts, revision desc"
    ).set_index("session_date")["close"].astype(float)  # fmt: skip
    return np.log(bars / bars.shift()).rolling(24).std(ddof=1)


def instants(history: Mapping[str, str]) -> dict[str, pd.Timestamp]:
    return {source: pd.Timestamp(at, tz="UTC") for source, at in history.items()}


def wrong_sentiment(symbols: tuple[str, ...], history: Mapping[str, str]) -> list[str]:
    landed = Landed(instants(history))
    expected = {
        (symbol, SESSIONS[row].date()): said
        for symbol in symbols for row in ROWS if (said := landed.sentiment(symbol, CLOSES[row]))
    }  # fmt: skip
    return disagreements(marts("features_sentiment"), expected)


def wrong_options(symbols: tuple[str, ...], history: Mapping[str, str]) -> list[str]:
    quotes, expected = chains(instants(history)), {}
    for symbol in symbols:
        volatility = realized(symbol)
        of_symbol = quotes[quotes["symbol"] == symbol]
        for row in ROWS:
            day = SESSIONS[row].date()
            if said := options(of_symbol, CLOSES[row], volatility.get(day, np.nan)):
                expected[symbol, day] = said
    return disagreements(marts("features_options"), expected)


def say_much(symbol: str, number: int) -> None:
    """Land what can be said: late, restated, withdrawn, not scored, of an archive."""
    dice = np.random.default_rng(number)
    at = [close(int(row), hours) for row, hours in zip(
        dice.integers(2, 58, 90), np.round(dice.uniform(-20, 20, 90), 2), strict=True
    )]  # fmt: skip
    scores = [None if roll < 0.2 else round(2 * roll - 1, 3) for roll in dice.uniform(0, 1, 90)]
    late = [hours * HOUR if hours > 40 else 0 * HOUR for hours in dice.uniform(0, 90, 90)]
    archived = {"source": "archive", "known_at": pd.Timestamp("2025-05-05", tz="UTC")}
    for place in range(30):
        said = news(
            symbol, at[place], scores[place], known_at=at[place] + late[place],
            relevance=None if place % 9 == 0 else place / 30,
        )  # fmt: skip
        land("raw_alt.news_symbols", said | (archived if place % 4 == 0 else {}))
        if place % 3 == 0:
            known_at = said["known_at"] + place * HOUR
            again = {"revision": 1, "known_at": known_at, "is_withdrawn": place % 2 == 0}
            archive = {"source": "archive", **again, "known_at": archived["known_at"] + HOUR}
            land(
                "raw_alt.news_symbols",
                said | {"sentiment_score": 0.77} | (archive if place % 4 == 0 else again),
            )
    for place in range(30, 60):
        land("raw_alt.social_posts", post(
            symbol, at[place], scores[place], known_at=at[place] + late[place],
            post_id=str(place), reach=None if place % 7 == 0 else place * 1000,
        ))  # fmt: skip
    for place in range(60, 75):
        land("raw_alt.social_sentiment", window(
            symbol, at[place], scores[place] or 0.0, platform=["reddit", "x"][place % 2],
            mentions=place % 5, known_at=at[place] + late[place] / 4,
        ))  # fmt: skip
    for place in range(75, 90):
        said = value(
            symbol, at[place], {"spent": place}, dataset=["cards", "cars"][place % 2],
            entity=f"e{place % 4}", known_at=at[place] + late[place],
        )  # fmt: skip
        land("raw_alt.alternative_data", said)
        land("raw_alt.alternative_data", said | {
            "revision": 1, "known_at": said["known_at"] + 30 * HOUR, "payload": {"spent": -place},
            "is_withdrawn": place % 5 == 0,
        })  # fmt: skip


def quote_much() -> None:
    """Land chains: late, restated, crossed, withdrawn, within a session, of two sources."""
    for row in range(20, 40):
        if row not in (27, 28, 29, 30):
            land("raw_market.option_quotes", *chain("S1", row, shift=row / 1000, spot=50 + row / 9))
    late = [close(40, 30), close(41, 1), close(42, 300)]
    for row, known_at in zip((40, 41, 42), late, strict=True):
        land("raw_market.option_quotes", *chain("S1", row, spot=52, known_at=known_at))
    for revision, other in enumerate(({"bid": 9.0}, {"is_withdrawn": True}), 1):
        known_at = close(39, 26 * revision)
        rows = chain("S1", 39, shift=0.1, spot=50 + 39 / 9, known_at=known_at, revision=revision)
        rows = [row | other for row in rows]
        land("raw_market.option_quotes", *rows[: 30 * revision])
    midday = {"quote_ts": close(45, -3), "known_at": close(45, -3)}
    land("raw_market.option_quotes", *chain("S1", 45, **midday)[:40])
    land("raw_market.option_quotes", *chain("S1", 45, **midday, shift=0.3, source="zz"))
    nearer = {"quote_ts": close(45, -1), "known_at": close(45, -1)}
    land("raw_market.option_quotes", *chain("S1", 45, **nearer, shift=0.05)[:6])
    archive = {"source": "archive", "known_at": pd.Timestamp("2025-05-05", tz="UTC")}
    for row in (50, 51):
        land("raw_market.option_quotes", *chain("S2", row, **archive, gamma=None, volume=None))
    nothing = {"implied_volatility": 0.0, "delta": 0.0, "open_interest": 0}
    land("raw_market.option_quotes", *chain("S3", 20, **nothing))


@pytest.fixture(scope="module")
def made_up(home: Home, built_on_nothing: str) -> Iterator[None]:
    """A market that much is said of."""
    with cloned_database(home, "test_alternative", built_on_nothing):
        land_market(list(ROWS))
        say_much("S1", 1)
        say_much("S2", 2)
        land("raw_alt.social_posts", *[
            post("S3", close(row, -1), 0.1, source="feed") for row in (5, 6, 7)
        ], post("S3", close(8), 0.1), post("S3", close(9, 1e-6), 0.1))  # fmt: skip
        quote_much()
        dbt("build")
        yield


@pytest.mark.usefixtures("made_up")
def test_made_up_market() -> None:
    """Whatever lands when: nothing that landed later is known, and what is archived is not."""
    assert not wrong_sentiment(("S1", "S2", "S3"), {})
    assert not wrong_options(("S1", "S2", "S3"), {})
    sentiment, chained = marts("features_sentiment"), marts("features_options")
    # Scores all alike vary by nothing.
    alike = sentiment.loc[("S3", SESSIONS[7].date())]
    assert alike["sentiment_std_5d"] == 0
    assert pd.isna(alike["sentiment_surprise"])
    # A post of the moment of the close is known, one of a moment later is not.
    assert sentiment.loc[("S3", SESSIONS[8].date()), "post_count_1d"] == 1
    assert sentiment.loc[("S3", SESSIONS[9].date()), "post_count_1d"] == 0
    # The chain of before the gap counts until it is too old.
    ages = chained.loc["S1", "chain_age_days"]
    assert {SESSIONS[27].date(), SESSIONS[28].date()} & set(ages.index)
    assert ages.max() < 5
    assert SESSIONS[30].date() not in ages.index
    assert "S2" not in chained.index
    assert sentiment.notna().any().all()
    assert chained.notna().any().all()


@pytest.mark.usefixtures("made_up")
def test_history_is_known_when_it_was_published() -> None:
    """What an archive landed counts from its publication on, at its newest revision of then."""
    dbt("build", "--vars", json.dumps({"history_landed_until": HISTORY}))
    assert not wrong_sentiment(("S1", "S2", "S3"), HISTORY)
    assert not wrong_options(("S1", "S2", "S3"), HISTORY)
    assert len(marts("features_options").loc["S2"]) > 2


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("history_landed_until", "2026-01-01"),
        ("history_landed_until", {"archive": "yesterday"}),
        ("history_landed_until", {"archive": "2026-01-01'; select 1 --"}),
        ("sentiment_max_age_days", 4),
        ("social_max_age_hours", 0),
        ("alternative_data_max_age_days", "1.5"),
        ("option_max_age_days", "four"),
        ("alternative_timeframes", "1d"),
        ("alternative_timeframes", ["1 day"]),
    ],
)
def test_a_var_that_makes_no_sense_is_refused(name: str, given: object) -> None:
    _, failures = dbt_failures(
        "run", "--select", "int_alternative_window", "--vars", json.dumps({name: given})
    )
    assert any(f"var {name}" in each and "give" in each for each in failures), failures


def test_real_options_and_posts(home: Home, built_on_nothing: str, shared_data: Path) -> None:
    """Around Apple's split: a chain of 4,000 contracts, half of them of the wrong scale."""
    with cloned_database(home, "test_real_alternative", built_on_nothing):
        bars = pd.read_parquet(shared_data / "daily_lean_unadjusted.parquet")
        days = pd.to_datetime(bars["date"])
        bars = bars[(bars["symbol"] == "AAPL") & days.between("2014-04-01", "2014-07-31")]
        # In shares of after the split, as a source that adjusts would send them.
        before = pd.to_datetime(bars["date"]) < "2014-06-09"
        prices = ["open", "high", "low", "close"]
        bars[prices] = bars[prices].where(~before, bars[prices] / 7)
        land_frame(
            bars.assign(time=pd.to_datetime(bars["date"]).dt.date),
            profile=frame_profile(calendar="XNYS", adjusted="splits"),
        )
        profile = chosen_profile("raw_market.option_quotes", "lean_options", {})
        land_files([shared_data / "options_chain_aapl.parquet"], profile=profile)
        posts = pd.read_parquet(shared_data / "tweets_stocknet.parquet")
        posts = posts[(posts["symbol"] == "AAPL") & (posts["created_at"] >= "2014-04-01")]
        posts = posts[posts["created_at"] < "2014-08-01"].drop_duplicates()
        land_records(
            "raw_alt.social_posts",
            posts.assign(
                platform="twitter", posted_at=posts["created_at"], source="stocknet",
                post_id=[str(number) for number in range(len(posts))],
                sentiment_score=[(len(text) % 21 - 10) / 10 for text in posts["text"]],
            )[["platform", "symbol", "posted_at", "post_id", "text", "sentiment_score"]],
            source="stocknet",
        )  # fmt: skip
        history = {"*": "2100-01-01"}
        dbt("run", "--vars", json.dumps({"history_landed_until": history}))
        closes = exchange("XNYS").closes
        quotes, volatility = chains(instants(history)), realized("AAPL")
        landed = Landed(instants(history))
        chained, said = {}, {}
        for day in volatility.index:
            at = closes[pd.Timestamp(day)]
            if row := options(quotes, at, volatility[day]):
                chained["AAPL", day] = row
            if row := landed.sentiment("AAPL", at):
                said["AAPL", day] = row
        assert not disagreements(marts("features_sentiment"), said)
        rows = marts("features_options")
        assert not disagreements(rows, chained)
        assert len(rows) > 10
        # Of one session the source found no volatility at all, of another too few in the wings.
        found = rows.count()[["iv_atm_30d", "iv_skew_25d"]] - len(rows)
        assert found.tolist() == [-1, -2]
