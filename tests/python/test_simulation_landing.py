"""`warehouse simulate` on the demo's real bars: what lands, lands again, goes on and is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from databases import cloned_database
from landing_files import ask
from warehouse.cli import app
from warehouse.config import Home
from warehouse.landing.bars import land_bars
from warehouse.landing.profile import load_profile
from warehouse.landing.reference import land_table
from warehouse.landing.samples import SPLITS, sample_file
from warehouse.simulation.run import AFTER_ORDERS, BEFORE_ORDERS, Simulation, simulate

TABLES = {*BEFORE_ORDERS, *AFTER_ORDERS, "raw_trading.orders", "raw_trading.fills"}


def land_daily_bars() -> None:
    land_table("corporate_actions", [SPLITS], source="samples")
    path = sample_file("bokeh_sampledata", "_data/stocks.csv.gz")
    land_bars([path], profile=load_profile("bokeh"))


@pytest.fixture(scope="module")
def first(home: Home) -> Iterator[Simulation]:
    """A database of the module's own, with 60 sessions simulated in it."""
    with cloned_database(home, "simulated", "warehouse_template"):
        land_daily_bars()
        yield simulate(days=60, seed=7)


def counts() -> dict[str, int]:
    return {table: ask(f"select count(*) from {table}")[0][0] for table in sorted(TABLES)}


def test_every_row_is_accepted(first: Simulation) -> None:
    assert ask("select dataset, rule, reason, payload from ops.quarantine limit 3") == []
    assert first.quarantined == 0
    assert first.symbols == ["AAPL", "GOOG", "IBM", "MSFT"]
    assert first.first_session.isoformat() == "2012-01-03"
    assert all(counts().values())
    assert first.seconds < 30
    # Known at once are the webhooks that were sent twice, and orders that end as they began.
    known = {batch.dataset for batch in first.batches if batch.known}
    assert {name.split(".")[-1] for name in known} <= {"payment_events", "orders"}
    assert any(name.endswith("payment_events") for name in known)


def test_what_the_database_derives_agrees(first: Simulation) -> None:
    assert ask("select * from raw_prop.challenge_mismatches") == []
    assert ask("select * from raw_prop.payment_event_orphans") == []
    assert ask("select * from ops.orphans limit 3") == []
    assert (
        ask("""
            select p.account_id, p.symbol from raw_trading.positions_live as p
            full join raw_trading.positions_expected as e using (account_id, symbol)
            where (p.quantity, p.cost, p.realised_pnl) is distinct from
                (e.quantity, e.cost, e.realised_pnl)
        """)
        == []
    )
    # The last snapshot of each account is what its cash and the database's own positions come to.
    rows = ask("""
        select
            s.account_id, s.cash - m.amount - p.moved as cash,
            round(s.realised_pnl - p.realised, 2) as realised
        from (
            select distinct on (account_id) * from raw_trading.portfolio_snapshots
            order by account_id, snapshot_ts desc
        ) as s
        cross join lateral (
            select sum(amount) as amount from raw_trading.cash_movements
            where account_id = s.account_id
        ) as m
        cross join lateral (
            select sum(realised_pnl - cost - commission) as moved, sum(realised_pnl) as realised
            from raw_trading.positions_live where account_id = s.account_id
        ) as p
    """)
    assert len(rows) == 3
    assert all(cash == 0 and abs(realised) <= 0.01 for _, cash, realised in rows)


def test_challenges_end_by_the_rules_in_force_when_they_were_activated(first: Simulation) -> None:
    verdicts = ask("""
        with judged as (
            select
                c.status, c.failure_reason,
                c.current_equity < c.daily_start_equity * (1 - r.daily) as lost_the_day,
                c.current_equity < c.initial_balance * (1 - r.total) as lost_it_all,
                c.current_equity >= c.initial_balance * (1 + r.target) and d.days >= r.days as won,
                r.version
            from raw_prop.challenges as c
            cross join lateral (
                select
                    version,
                    max(threshold) filter (where rule_kind = 'max_daily_drawdown') as daily,
                    max(threshold) filter (where rule_kind = 'max_total_drawdown') as total,
                    max(threshold) filter (where rule_kind = 'profit_target') as target,
                    max(threshold) filter (where rule_kind = 'min_trading_days') as days
                from raw_prop.challenge_rules
                where rule_set = c.rule_set and valid_from <= c.started_at
                group by version
                order by version desc
                limit 1
            ) as r
            cross join lateral (
                select count(*) as days from raw_prop.challenge_events
                where challenge_id = c.id and event_type = 'DAY_STARTED'
            ) as d
        )

        select distinct status, failure_reason, lost_the_day, won from judged
        where
            not (status = 'FAILED' and failure_reason = 'daily drawdown' and lost_the_day)
            and not (status = 'FAILED' and failure_reason = 'total drawdown' and lost_it_all)
            and not (status = 'FUNDED' and won and not lost_the_day and not lost_it_all)
            and not (status = 'ACTIVE' and not won)
    """)
    assert verdicts == []
    assert ask("select count(distinct version) from raw_prop.challenge_rules") == [(2,)]


def test_orders_agree_with_their_fills_and_events(first: Simulation) -> None:
    assert (
        ask("""
            select o.order_id, o.status, e.to_status from raw_trading.orders as o
            inner join lateral (
                select to_status from raw_trading.order_events
                where order_id = o.order_id order by seq desc limit 1
            ) as e on true
            where o.status <> e.to_status or (o.status = 'filled') <> (o.remaining_quantity = 0)
        """)
        == []
    )


def test_fills_arrive_late(first: Simulation) -> None:
    assert ask("""
        select count(*) > 0 from raw_trading.fills as f
        where exists (
            select from raw_trading.fills as l
            where l.account_id = f.account_id and l.seq > f.seq and l."timestamp" < f."timestamp"
        )
    """) == [(True,)]


def test_prices_are_inside_the_landed_bars(first: Simulation) -> None:
    assert ask("""
        select count(*) filter (where f.price between b.low and b.high) = count(*), count(*) > 300
        from raw_trading.fills as f
        inner join raw_market.bars as b
            on f.symbol = b.symbol and b.timeframe = '1d' and b.session_date = f."timestamp"::date
    """) == [(True, True)]
    assert ask("""
        select count(*) from raw_trading.fills as f
        where not exists (
            select from ref.exchange_sessions as s
            where s.calendar = 'XNYS' and f."timestamp" between s.open_at and s.close_at
        )
    """) == [(0,)]


def test_again_and_on_and_back(first: Simulation) -> None:
    before = counts()
    again = simulate(days=60, seed=7)
    assert (again.accepted, again.quarantined, again.known) == (0, 0, again.landed)
    assert counts() == before

    longer = simulate(days=90, seed=7)
    assert longer.quarantined == 0
    after = counts()
    assert all(after[table] >= before[table] for table in TABLES)
    assert after["raw_trading.fills"] > before["raw_trading.fills"]
    assert ask("select max(revision) from raw_trading.portfolio_snapshots") == [(0,)]
    assert ask("select * from raw_prop.challenge_mismatches") == []

    shorter = simulate(days=60, seed=7)
    assert shorter.batches == []
    assert "90 sessions" in shorter.message
    assert counts() == after


def test_another_seed_is_another_world_beside_it(first: Simulation) -> None:
    before = counts()
    other = simulate(days=10, seed=8)
    assert other.quarantined == 0
    assert other.world != first.world
    after = counts()
    assert after["raw_signals.agents"] == before["raw_signals.agents"]
    assert after["raw_signals.signals"] == before["raw_signals.signals"] + 10 * 4 * 4


def test_command(first: Simulation) -> None:
    result = CliRunner().invoke(app, ["simulate", "--days", "5", "--symbol", "IBM", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["symbols"] == ["IBM"]
    assert told["quarantined"] == 0
    assert told["landed"] == sum(batch["landed"] for batch in told["batches"])
    shown = CliRunner().invoke(app, ["simulate", "--days", "5", "--symbol", "IBM"])
    assert shown.exit_code == 0
    assert "0 new" in shown.output


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--days", "0"], "0 days cannot be simulated"),
        (["--seed", "-1"], "The seed -1 is negative"),
        (["--days", "5000"], "5000 sessions are asked for, but only"),
        (["--symbol", "NOPE"], "No daily bars of NOPE are landed"),
        (["--start", "2013-02-20"], "60 sessions are asked for, but only 8"),
        (["--start", "2004-01-02", "--symbol", "AAPL"], "AAPL split within the bars"),
    ],
)
def test_impossible_wishes(first: Simulation, arguments: list[str], what: str) -> None:
    result = CliRunner().invoke(app, ["simulate", *arguments])
    assert result.exit_code == 2
    assert what in result.output
    assert "what to do:" in result.output


@pytest.mark.usefixtures("database")
def test_nothing_is_landed() -> None:
    result = CliRunner().invoke(app, ["simulate"])
    assert result.exit_code == 2
    assert "No daily bars" in result.output


ROUND_THE_CLOCK = """
source: coins
timeframe: 1d
timezone: UTC
calendar: 24/7
adjusted: none
columns: {symbol: s, timestamp: t, open: o, high: h, low: l, close: c}
"""


@pytest.mark.usefixtures("database")
def test_sessions_without_a_pause_leave_no_time_to_decide(tmp_path: Path) -> None:
    (tmp_path / "coins.yml").write_text(ROUND_THE_CLOCK)
    days = [date(2022, 1, 1) + timedelta(days=n) for n in range(400)]
    rows = "".join(f"COIN,{day},1,1,1,1\n" for day in days)
    (tmp_path / "coins.csv").write_text("s,t,o,h,l,c\n" + rows)
    land_bars([tmp_path / "coins.csv"], profile=load_profile(str(tmp_path / "coins.yml")))
    result = CliRunner().invoke(app, ["simulate"])
    assert result.exit_code == 2
    assert "with a pause between their sessions" in result.output
