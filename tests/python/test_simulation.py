"""The simulated world by itself: repeatable, without foresight, and adding up."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

import pandas as pd
import pytest

from simulated import SYMBOLS, lines, made_up_market, other_future, played, told
from warehouse.simulation.world import World

STATES = {
    "raw_trading.orders",
    "raw_ml.models",
    "raw_prop.challenges",
    "raw_prop.payments",
    "raw_prop.risk_alerts",
}
"""Tables whose rows go on as time does."""


@pytest.fixture(scope="module")
def world() -> World:
    return played(60)


def test_the_same_seed_tells_the_same(world: World) -> None:
    assert told(played(60)) == told(world)


def test_another_seed_tells_another_story_under_other_ids(world: World) -> None:
    other = played(60, seed=8)
    for table in world.rows:
        if table != "raw_signals.agents":
            assert not set(lines(world, table)) & set(lines(other, table)), table


def test_more_days_only_add(world: World) -> None:
    longer = played(90)
    for table in world.rows:
        if table in STATES:
            continue
        assert set(lines(world, table)) <= set(lines(longer, table)), table
        assert len(lines(longer, table)) >= len(lines(world, table)), table


def test_nobody_knows_the_future(world: World) -> None:
    """Another future after session 40 changes nothing that was said or done until then."""
    market = made_up_market()
    turn = market.first + 39
    other = played(60, market=other_future(market, turn))
    until = market.sessions[turn].close_at
    times = {
        "raw_signals.signals": "signal_ts",
        "raw_signals.fused_signals": "signal_ts",
        "raw_ml.predictions": "timestamp",
        "raw_ml.model_training_runs": "train_until",
        "raw_trading.order_events": "event_at",
        "raw_trading.fills": "timestamp",
        "raw_trading.portfolio_snapshots": "snapshot_ts",
        "raw_prop.trades": "executed_at",
        "raw_prop.challenge_events": "occurred_at",
    }
    for table, column in times.items():
        before = [row for row in world.rows[table] if row[column] <= until]
        same = [row for row in other.rows[table] if row[column] <= until]
        assert before, table
        assert before == same, table
    after = [row["price"] for row in world.rows["raw_trading.fills"] if row["timestamp"] > until]
    assert after != [
        row["price"] for row in other.rows["raw_trading.fills"] if row["timestamp"] > until
    ]
    decided = [
        row
        for row in world.rows["raw_signals.signals"]
        if until < row["signal_ts"] < market.sessions[turn + 1].open_at
    ]
    assert decided  # those of the turn itself come after its close
    assert decided == [
        row
        for row in other.rows["raw_signals.signals"]
        if until < row["signal_ts"] < market.sessions[turn + 1].open_at
    ]


def test_prices_are_inside_the_bars_and_times_inside_the_sessions(world: World) -> None:
    sessions = {session.day: n for n, session in enumerate(world.market.sessions)}
    fills = world.rows["raw_trading.fills"] + world.late
    trades = world.rows["raw_prop.trades"]
    for row in [*fills, *trades, *world.rows["raw_backtest.backtest_trades"]]:
        at = row.get("timestamp") or row["executed_at"]
        session = world.market.sessions[sessions[at.date()]]
        bar = world.market.bars[row["symbol"]][sessions[at.date()]]
        assert session.open_at <= at <= session.close_at
        assert bar.low <= row["price"] <= bar.high
        assert row["quantity"] > 0


def test_explanations_add_up(world: World) -> None:
    for table in ("raw_signals.signals", "raw_signals.fused_signals"):
        for row in world.rows[table]:
            told_why = row["explanation"]
            assert sum(told_why["contributions"].values()) == pytest.approx(
                told_why["score"], abs=1e-9
            )
            assert row["strength"] == abs(told_why["score"])
    weights: dict[str, float] = defaultdict(float)
    for row in world.rows["raw_signals.fusion_inputs"]:
        weights[row["fused_id"]] += row["weight"]
    assert set(weights) == {r["fused_id"] for r in world.rows["raw_signals.fused_signals"]}
    assert all(total == pytest.approx(1, abs=1e-9) for total in weights.values())


def test_snapshots_are_the_replay_of_fills_and_cash(world: World) -> None:
    """Recomputed from the landed rows alone: fills in force and movements until then."""
    fills = pd.DataFrame(world.rows["raw_trading.fills"] + world.late)
    assert len(world.late) > 0
    gone = fills["corrects_fill_id"].dropna()
    assert len(gone) > 0
    force = fills[~fills["fill_id"].isin(gone) & ~fills["is_cancel"]].copy()
    force["units"] = force["quantity"].where(force["side"] == "buy", -force["quantity"])
    force["money"] = -force["units"] * force["price"] - force["commission"]
    cash = pd.DataFrame(world.rows["raw_trading.cash_movements"])
    closes = {
        (symbol, session.close_at): world.market.bars[symbol][n].close
        for symbol in SYMBOLS
        for n, session in enumerate(world.market.sessions)
    }
    for row in world.rows["raw_trading.portfolio_snapshots"]:
        at = row["snapshot_ts"]
        own = force[(force["account_id"] == row["account_id"]) & (force["timestamp"] <= at)]
        moved = cash[(cash["account_id"] == row["account_id"]) & (cash["moved_at"] <= at)]
        money = sum(own["money"], Decimal(0)) + sum(moved["amount"], Decimal(0))
        held = own.groupby("symbol")["units"].sum()
        values = [int(units) * closes[symbol, at] for symbol, units in held.items()]
        assert row["cash"] == money
        assert row["equity"] == money + sum(values, Decimal(0))
        assert row["gross_exposure"] == sum(map(abs, values), Decimal(0))
        assert abs(row["realised_pnl"] + row["unrealised_pnl"] - _gross_profit(own, values)) < 1


def _gross_profit(own: pd.DataFrame, values: list[Decimal]) -> Decimal:
    paid = sum(own["money"], Decimal(0)) + sum(own["commission"], Decimal(0))
    return Decimal(paid + sum(values, Decimal(0)))


def test_orders_walk_through_legal_states_and_are_never_overfilled(world: World) -> None:
    fills = pd.DataFrame(world.rows["raw_trading.fills"] + world.late)
    force = fills[~fills["fill_id"].isin(fills["corrects_fill_id"].dropna()) & ~fills["is_cancel"]]
    filled = force.groupby("order_id")["quantity"].sum()
    events: dict[str, list[dict]] = defaultdict(list)
    for row in world.rows["raw_trading.order_events"]:
        events[row["order_id"]].append(row)
    orders = world.rows["raw_trading.orders"]
    for order in orders:
        steps = events[order["order_id"]]
        assert [step["seq"] for step in steps] == list(range(1, len(steps) + 1))
        assert [s["from_status"] for s in steps] == [None] + [s["to_status"] for s in steps[:-1]]
        assert [s["event_at"] for s in steps] == sorted(s["event_at"] for s in steps)
        assert steps[0]["event_at"] == order["created_at"]
        assert order["status"] == steps[-1]["to_status"]
        assert filled.get(order["order_id"], 0) <= order["quantity"]
        full = filled.get(order["order_id"], 0) == order["quantity"]
        assert full == (order["status"] == "filled")
    assert set(filled.index) <= set(events)
    assert {o["order_type"] for o in orders} == {"market", "limit", "stop"}
    ends = Counter(order["status"] for order in orders)
    assert {"filled", "cancelled", "rejected", "expired"} <= set(ends)
    by_id = {order["order_id"]: order for order in orders}
    children = [order for order in orders if order["parent_order_id"]]
    assert children
    for child in children:
        assert by_id[child["parent_order_id"]]["created_at"] < child["created_at"]
    assert any(s["event_type"] == "partially_filled" for steps in events.values() for s in steps)


def test_no_reference_goes_nowhere(world: World) -> None:
    rows = world.rows
    ids = {
        "signal": {r["signal_id"] for r in rows["raw_signals.signals"]},
        "fused": {r["fused_id"] for r in rows["raw_signals.fused_signals"]},
        "model": {r["model_id"] for r in rows["raw_ml.models"]},
        "prediction": {r["prediction_id"] for r in rows["raw_ml.predictions"]},
        "order": {r["order_id"] for r in rows["raw_trading.orders"]},
        "strategy": {r["strategy_id"] for r in rows["raw_trading.strategies"]},
        "challenge": {r["id"] for r in rows["raw_prop.challenges"]},
        "user": {r["id"] for r in rows["raw_prop.user_accounts"]},
        "payment": {r["provider_payment_id"] for r in rows["raw_prop.payments"]},
    }
    references = (
        ("raw_signals.fusion_inputs", "signal_id", "signal"),
        ("raw_signals.fusion_inputs", "fused_id", "fused"),
        ("raw_signals.signals", "model_id", "model"),
        ("raw_signals.signals", "prediction_id", "prediction"),
        ("raw_ml.predictions", "model_id", "model"),
        ("raw_ml.model_training_runs", "model_id", "model"),
        ("raw_trading.orders", "signal_id", "fused"),
        ("raw_trading.orders", "model_id", "model"),
        ("raw_trading.orders", "strategy_id", "strategy"),
        ("raw_trading.orders", "parent_order_id", "order"),
        ("raw_trading.order_events", "order_id", "order"),
        ("raw_trading.fills", "order_id", "order"),
        ("raw_logs.trading_events", "order_id", "order"),
        ("raw_prop.challenges", "user_id", "user"),
        ("raw_prop.users_pii", "user_id", "user"),
        ("raw_prop.challenge_events", "challenge_id", "challenge"),
        ("raw_prop.trades", "challenge_id", "challenge"),
        ("raw_prop.payments", "challenge_id", "challenge"),
        ("raw_prop.payment_events", "provider_payment_id", "payment"),
        ("raw_logs.user_action_logs", "user_id", "user"),
    )
    for table, column, kind in references:
        named = {row[column] for row in rows[table]} - {None}
        assert named, (table, column)
        assert named <= ids[kind], (table, column)


def test_one_decision_can_be_followed_from_the_prediction_to_the_log(world: World) -> None:
    chain = (
        "raw_ml.predictions",
        "raw_signals.signals",
        "raw_signals.fused_signals",
        "raw_trading.orders",
        "raw_trading.order_events",
        "raw_trading.fills",
        "raw_logs.trading_events",
    )
    found = [{row["correlation_id"] for row in world.rows[table]} for table in chain]
    assert set.intersection(*found)
    assert found[5] <= found[3] <= found[2] <= found[1] == found[0]


def test_challenges_are_the_fold_of_their_events(world: World) -> None:
    events: dict[str, list[dict]] = defaultdict(list)
    for row in world.rows["raw_prop.challenge_events"]:
        events[row["challenge_id"]].append(row)
    ends = Counter()
    for row in world.rows["raw_prop.challenges"]:
        own = events[row["id"]]
        assert [e["sequence_number"] for e in own] == list(range(1, len(own) + 1))
        assert [e["occurred_at"] for e in own] == sorted(e["occurred_at"] for e in own)
        trades = [e for e in own if e["event_type"].startswith("TRADE_")]
        profit = sum((Decimal(str(e["event_data"]["pnl"])) for e in trades), Decimal(0))
        assert row["total_pnl"] == profit
        assert row["current_equity"] == row["initial_balance"] + profit
        assert row["total_trades"] == sum(e["event_type"] == "TRADE_EXECUTED" for e in own)
        kinds = {e["event_type"] for e in own}
        assert ("CHALLENGE_FAILED" in kinds) == (row["status"] == "FAILED")
        assert ("CHALLENGE_FUNDED" in kinds) == (row["status"] == "FUNDED")
        assert (own[-1]["event_type"] in ("CHALLENGE_FAILED", "CHALLENGE_FUNDED")) == (
            row["status"] in ("FAILED", "FUNDED")
        )
        ends[row["status"]] += 1
    assert {"ACTIVE", "FAILED", "FUNDED"} <= set(ends)
    reasons = {row["failure_reason"] for row in world.rows["raw_prop.challenges"]}
    assert {"daily drawdown", "total drawdown"} <= reasons


def test_webhooks_repeat_and_overtake(world: World) -> None:
    rows = world.rows["raw_prop.payment_events"]
    sent = Counter(row["provider_event_id"] for row in rows)
    repeated = [name for name, count in sent.items() if count > 1]
    assert repeated
    assert len(set(lines(world, "raw_prop.payment_events"))) == len(sent)
    late = [
        (a, b)
        for a in rows
        for b in rows
        if a["provider_payment_id"] == b["provider_payment_id"]
        and a["occurred_at"] < b["occurred_at"]
        and a["received_at"] > b["received_at"]
    ]
    assert late
    assert {"SUCCEEDED", "FAILED", "REFUNDED"} <= {
        r["status"] for r in world.rows["raw_prop.payments"]
    }


def test_champion_and_challenger(world: World) -> None:
    status = {row["model_id"]: row["status"] for row in world.rows["raw_ml.models"]}
    assert Counter(status.values()) == {"active": 2, "retired": 1, "shadow": 1}
    runs = {row["model_id"]: row for row in world.rows["raw_ml.model_training_runs"]}
    for row in world.rows["raw_ml.predictions"]:
        assert runs[row["model_id"]]["train_until"] < row["timestamp"]
        if row["prediction_type"] == "price_direction":
            assert sum(row["class_probabilities"].values()) == pytest.approx(1, abs=1e-6)
        else:
            assert row["prediction_value"] > 0


def test_alerts_open_are_seen_and_end(world: World) -> None:
    statuses: dict[str, list[str]] = defaultdict(list)
    for row in world.rows["raw_risk.risk_alert_events"]:
        assert row["seq"] == len(statuses[row["alert_id"]]) + 1
        statuses[row["alert_id"]].append(row["status"])
    assert {tuple(s) for s in statuses.values()} <= {
        ("open",),
        ("open", "resolved"),
        ("open", "acknowledged"),
        ("open", "acknowledged", "resolved"),
    }
    assert ["open", "acknowledged", "resolved"] in statuses.values()


def test_backtests_say_how_many_were_tried(world: World) -> None:
    runs = world.rows["raw_backtest.backtest_runs"]
    searches = Counter(row["parent_search_id"] for row in runs)
    assert len(searches) == 4
    assert all(row["n_trials"] == searches[row["parent_search_id"]] for row in runs)
    counts = Counter(row["run_id"] for row in world.rows["raw_backtest.backtest_trades"])
    assert all(row["metrics"]["trades"] == counts[row["run_id"]] for row in runs)
