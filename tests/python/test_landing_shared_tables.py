"""Real files of every kind land by the shipped profiles, and every row is accounted for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from landing_files import ask
from warehouse.landing.batches import BatchResult
from warehouse.landing.records import land_files, land_records
from warehouse.landing.records.profile import chosen_profile, shipped_record_profiles
from warehouse.quality.gate import check

pytestmark = pytest.mark.usefixtures("database")

FACTORS = ("mkt_rf", "smb", "hml", "rmw", "cma", "rf")


def land(table: str, path: Path, profile: str) -> BatchResult:
    """Land a file twice: the second time every row is known."""
    described = chosen_profile(table, profile, {})
    (first,) = land_files([path], profile=described)
    (again,) = land_files([path], profile=described)
    assert first.quarantined == again.accepted == again.quarantined == 0
    assert first.accepted + first.known == first.landed == again.known
    return first


def found() -> dict[str, int]:
    return {each.rule: each.found for each in check(docs=False).results}


def one(query: str) -> tuple[object, ...]:
    (row,) = ask(query)
    return tuple(row)


def test_option_chain(shared_data: Path) -> None:
    path = shared_data / "options_chain_aapl.parquet"
    result = land("raw_market.option_quotes", path, "lean_options")
    assert (result.landed, result.accepted) == (43_672, 43_672)
    assert one("""
        select
            count(*), count(distinct timestamp), count(open_interest), sum(volume)::bigint,
            count(*) filter (where delta <> 0), count(*) filter (where implied_volatility > 0)
        from raw_market.options_data where underlying = 'AAPL'
    """) == (43_672, 11, 29_358, int(pd.read_parquet(path)["volume"].sum()), 21_781, 9_738)
    rules = found()
    # After the split, 11,980 strikes above 300 stayed in the chain, and 298 from 280 to 300;
    # before it, 6,540 strikes of after the split were there already.
    assert rules["off_scale_strike"] == 11_980 + 298 + 6_540
    assert one("""
        select count(*) filter (where strike > 300), count(*) filter (where strike <= 300), (
            select count(*) from raw_market.option_quotes
            where strike > 300 and quote_ts >= '2014-06-09Z'
        )
        from (
            select (detail ->> 'strike')::numeric as strike from ops.dq_findings
            where rule = 'off_scale_strike' and bar_ts >= '2014-06-09Z'
        ) as after_the_split
    """) == (11_980, 298, 11_980)
    assert (rules["impossible_greeks"], rules["impossible_option_price"]) == (14_896, 14_552)


def test_quotes_of_two_rows_each(shared_data: Path) -> None:
    path = shared_data / "intraday_1m_fx_quotes.parquet"
    result = land("raw_market.quotes", path, "fxcm_quotes")
    assert (result.landed, result.accepted) == (30_117, 30_117)
    frame = pd.read_parquet(path)
    sides = {side: frame[frame["side"] == side] for side in ("bid", "ask")}
    sums = one("""
        select
            count(*), sum(bid), sum(ask), sum(bid_open), sum(bid_high), sum(bid_low),
            sum(ask_open), sum(ask_high), sum(ask_low)
        from raw_market.quotes
    """)
    expected = [sides[side]["close"].sum() for side in sides]
    expected += [sides[side][name].sum() for side in sides for name in ("open", "high", "low")]
    assert sums[0] == len(frame) / 2
    assert [float(str(each)) for each in sums[1:]] == pytest.approx(expected, rel=1e-12)
    assert one("""
        select count(*), min(base_currency), max(quote_currency)
        from raw_market.forex_crypto_data
        where symbol = 'GBPUSD' and bid is not null and ask is not null
    """) == (30_117, "GBP", "USD")
    assert found()["crossed_quote"] == 347


def test_two_bids_of_one_minute_are_nobodys_to_choose_from(shared_data: Path) -> None:
    frame = pd.read_parquet(shared_data / "intraday_1m_fx_quotes.parquet")
    minute = frame["ts"] == frame["ts"].min()
    other = frame[minute & (frame["side"] == "bid")].assign(close=1.5)
    described = chosen_profile("raw_market.quotes", "fxcm_quotes", {})
    rows = pd.concat([frame.head(100), frame[minute], other]).drop_duplicates()
    result = land_records("raw_market.quotes", rows, source="fxcm", profile=described)
    assert (result.landed, result.accepted, result.quarantined) == (100, 99, 1)
    assert "two bids" in str(one("select reason from ops.quarantine")[0])


def test_ticks(shared_data: Path) -> None:
    path = shared_data / "trades_binance_btcusdt.parquet"
    result = land("raw_market.ticks", path, "binance_trades")
    assert (result.landed, result.accepted) == (2_001, 2_001)
    frame = pd.read_parquet(path)
    notional = float((frame["price"] * frame["quantity"]).sum())
    buys = int((frame["buyer_maker"] == "False").sum())
    rows = one("""
        select count(*), sum(price * size)::float8, count(*) filter (where side = 'buy'), min(seq)
        from raw_market.market_data_hf where symbol = 'BTCUSDT' and record_type = 'tick'
    """)
    assert rows == (2_001, pytest.approx(notional), buys, int(frame["trade_id"].min()))


def test_tweets(shared_data: Path) -> None:
    path = shared_data / "tweets_stocknet.parquet"
    result = land("raw_alt.social_posts", path, "stocknet_tweets")
    # 451 rows repeat symbol, time and text: 55 of the same author are known, 396 of another land.
    assert (result.landed, result.accepted, result.known) == (92_244, 92_189, 55)
    assert found()["repeated_post"] == 396 == 451 - result.known


def test_headlines(shared_data: Path) -> None:
    path = shared_data / "news_cnbc_headlines.csv.gz"
    result = land("raw_alt.news_articles", path, "cnbc_headlines")
    assert (result.landed, result.accepted) == (2_436 - 1_983, 453)
    assert one("""
        select min(published_at)::text, max(published_at)::text from raw_alt.news_articles
    """) == ("2020-02-06 00:43:00+00", "2020-07-17 23:51:00+00")
    sent = pd.read_csv(path, encoding="cp1252").dropna(how="all")
    landed = ask("select headline, summary from raw_alt.news_articles")
    assert sorted(landed) == sorted(zip(sent["Headlines"], sent["Description"], strict=True))
    assert one("""
        select published_at::text from raw_alt.news_articles
        where headline like 'Jim Cramer: A better way to invest in the Covi%'
    """) == ("2020-07-17 23:51:00+00",)  # 7:51  PM ET


def test_factors_in_columns_become_rows(shared_data: Path) -> None:
    frame = pd.read_parquet(shared_data / "factors_ff5_daily.parquet")
    rows = frame.melt("date", var_name="factor", value_name="percent")
    rows = rows.assign(factor_return=(rows["percent"] / 100).round(8)).drop(columns="percent")
    rows = rows.rename(columns={"date": "session_date"})
    result = land_records("raw_risk.factor_returns", rows, source="ken_french")
    assert (result.landed, result.accepted) == (6 * 15_334, 92_004)
    again = land_records("raw_risk.factor_returns", rows, source="ken_french")
    assert (again.accepted, again.known) == (0, 92_004)
    means = ask("""
        select factor, round(avg(factor_return)::numeric * 1e8)::int, count(*)
        from raw_risk.factor_returns group by 1
    """)
    assert {factor: mean for factor, mean, _ in means} == {
        name: round(float(frame[name].mean()) * 1e6) for name in FACTORS
    }
    assert {count for *_, count in means} == {15_334}


def test_fills_and_positions(shared_data: Path) -> None:
    land_records("raw_trading.accounts", [{"account_id": "pyfolio", "currency": "USD"}], source="p")
    path = shared_data / "fills_pyfolio.parquet"
    result = land("raw_trading.fills", path, "pyfolio_fills")
    assert (result.landed, result.accepted) == (9_367, 9_367)
    frame = pd.read_parquet(path)
    rows = one("""
        select
            count(distinct symbol), count(*) filter (where side = 'buy'),
            sum(case side when 'buy' then -1 else 1 end * quantity * price)::float8
        from raw_trading.fills
    """)
    bought = int((frame["amount"] > 0).sum())
    assert rows == (7, bought, pytest.approx(float(frame["txn_dollars"].sum()), abs=1e-3))
    path = shared_data / "positions_pyfolio.parquet"
    result = land("raw_trading.portfolio_snapshots", path, "pyfolio_positions")
    assert (result.landed, result.accepted) == (1_506, 1_506)
    positions = pd.read_parquet(path).drop(columns="ts")
    assert one("""
        select sum(equity)::float8, sum(cash)::float8, sum(gross_exposure)::float8
        from raw_trading.portfolio_snapshots
    """) == (
        pytest.approx(positions.to_numpy().sum()),
        pytest.approx(positions["cash"].sum()),
        pytest.approx(positions.drop(columns="cash").abs().to_numpy().sum()),
    )


def test_shipped_profiles_fit_their_tables() -> None:
    assert shipped_record_profiles() == [
        "binance_trades",
        "cnbc_headlines",
        "fxcm_quotes",
        "lean_options",
        "pyfolio_fills",
        "pyfolio_positions",
        "stocknet_tweets",
    ]
