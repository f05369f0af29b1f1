"""A good row of every trading, signal, risk and backtest table, and what spoils it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg

from warehouse import database as db

AT = "2024-01-02 15:00Z"
CLOCK = datetime(2024, 1, 2, 15, tzinfo=UTC)

LEDGERS = [
    "raw_trading.order_events",
    "raw_trading.fills",
    "raw_trading.cash_movements",
    "raw_trading.portfolio_snapshots",
    "raw_signals.signals",
    "raw_signals.fused_signals",
    "raw_signals.fusion_inputs",
    "raw_risk.risk_limits",
    "raw_risk.risk_alert_events",
    "raw_backtest.backtest_trades",
]
STATES = [
    "raw_trading.strategies",
    "raw_trading.accounts",
    "raw_trading.orders",
    "raw_signals.agents",
    "raw_backtest.backtest_runs",
]

GOOD: dict[str, dict[str, object]] = {
    "raw_trading.strategies": {"strategy_id": "s2", "name": "Two", "strategy_type": "momentum"},
    "raw_trading.accounts": {"account_id": "b", "currency": "EUR", "opened_at": AT},
    "raw_trading.orders": {
        "order_id": "o2", "account_id": "a", "symbol": "X", "side": "buy", "quantity": 100,
        "order_type": "limit", "price": 10, "strategy_id": "s",
    },
    "raw_trading.order_events": {
        "order_id": "o", "account_id": "a", "seq": 1, "event_type": "placed",
        "to_status": "pending", "event_at": AT,
    },
    "raw_trading.fills": {
        "fill_id": "f", "account_id": "a", "order_id": "o", "symbol": "X", "side": "buy",
        "quantity": 40, "price": 10.5, "commission": 1, "timestamp": AT, "venue": "XNYS",
        "liquidity": "taker",
    },
    "raw_trading.cash_movements": {
        "movement_id": "m", "account_id": "a", "kind": "deposit", "amount": 100, "currency": "USD",
        "moved_at": AT,
    },
    "raw_trading.portfolio_snapshots": {
        "account_id": "a", "snapshot_ts": AT, "equity": 1000, "gross_exposure": 500,
        "net_exposure": -500, "drawdown_frac": 0.1, "risk_frac": 1,
    },
    "raw_signals.agents": {"agent_id": "g2", "name": "Two"},
    "raw_signals.signals": {
        "agent_id": "g", "signal_id": "1", "symbol": "X", "signal_ts": AT, "horizon": 5,
        "direction": "long", "strength": 0.5, "confidence": 0.6,
        "explanation": '{"reasons": ["momentum"]}',
    },
    "raw_signals.fused_signals": {
        "fused_id": "u2", "agent_id": "g", "symbol": "X", "signal_ts": AT, "horizon": 5,
        "direction": "flat", "strength": 0,
    },
    "raw_signals.fusion_inputs": {
        "fused_id": "u", "agent_id": "g", "signal_id": "1", "weight": -0.5,
    },
    "raw_risk.risk_limits": {
        "limit_id": "l2", "valid_from": AT, "name": "Drawdown", "metric": "drawdown",
        "unit": "fraction", "threshold": 0.1, "warn_at": 0.08, "account_id": "a",
    },
    "raw_risk.risk_alert_events": {
        "alert_id": "r", "seq": 1, "status": "open", "severity": "high", "event_at": AT,
        "limit_id": "l", "limit_version": 1, "observed": 0.12, "threshold": 0.1, "account_id": "a",
    },
    "raw_backtest.backtest_runs": {
        "run_id": "t2", "strategy": "Two", "range_start": "2020-01-01Z", "range_end": "2021-01-01Z",
    },
    "raw_backtest.backtest_trades": {
        "run_id": "t", "trade_no": 1, "symbol": "X", "side": "sell", "quantity": 1, "price": 10,
        "timestamp": "2020-06-01 15:00Z",
    },
}  # fmt: skip

# What goes into every table that can hold a number: all of these are refused, whatever the column.
NUMBERS = {
    "raw_trading.orders": "quantity price stop_price filled_quantity average_fill_price",
    "raw_trading.fills": "quantity price commission",
    "raw_trading.cash_movements": "amount",
    "raw_trading.portfolio_snapshots": (
        "equity cash gross_exposure net_exposure realised_pnl unrealised_pnl margin_used "
        "value_at_risk leverage drawdown_frac risk_frac"
    ),
    "raw_signals.signals": "strength confidence",
    "raw_signals.fused_signals": "strength confidence",
    "raw_signals.fusion_inputs": "weight",
    "raw_risk.risk_limits": "threshold warn_at",
    "raw_risk.risk_alert_events": "observed threshold",
    "raw_backtest.backtest_runs": "initial_capital",
    "raw_backtest.backtest_trades": "quantity price commission slippage realized_pnl",
}
NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400")

BAD: list[tuple[str, dict[str, object], str]] = [
    ("raw_trading.strategies", {"strategy_type": "magic"}, "invalid input value for enum"),
    ("raw_trading.strategies", {"config": "[]"}, "strategies_config_is_object"),
    ("raw_trading.strategies", {"status": "dead"}, "strategies_status_known"),
    ("raw_trading.strategies", {"deleted_at": AT}, "strategies_deleted_is_retired"),
    ("raw_trading.strategies", {"strategy_id": " "}, "label_is_not_empty"),
    ("raw_trading.accounts", {"currency": "usd"}, "currency_is_code"),
    ("raw_trading.accounts", {"account_type": "sport"}, "accounts_type_known"),
    ("raw_trading.accounts", {"closed_at": "2024-01-01Z"}, "accounts_close_after_opening"),
    ("raw_trading.orders", {"side": "BUY"}, "invalid input value for enum"),
    ("raw_trading.orders", {"quantity": 0}, "quantity_is_positive"),
    ("raw_trading.orders", {"quantity": 1e14}, "overflow"),
    ("raw_trading.orders", {"price": None}, "orders_limit_has_price"),
    ("raw_trading.orders", {"price": 0}, "is not positive"),
    ("raw_trading.orders", {"order_type": "stop"}, "orders_stop_has_stop_price"),
    ("raw_trading.orders", {"time_in_force": "gtd"}, "orders_gtd_has_expiry"),
    ("raw_trading.orders", {"parent_order_id": "o2"}, "orders_not_own_parent"),
    ("raw_trading.orders", {"parent_order_id": "nobody"}, "orders_parent"),
    ("raw_trading.orders", {"strategy_id": "nobody"}, "orders_strategy"),
    ("raw_trading.orders", {"account_id": "nobody"}, "orders_account"),
    ("raw_trading.orders", {"tenant_id": "other"}, "orders_account"),
    ("raw_trading.orders", {"filled_quantity": 1, "average_fill_price": 1}, "none has landed"),
    ("raw_trading.orders", {"average_fill_price": 1}, "orders_fill_price_iff_filled"),
    ("raw_trading.orders", {"client_order_id": "once"}, "orders_client_order_key"),
    ("raw_trading.order_events", {"order_id": "nobody"}, "order_events_order"),
    ("raw_trading.order_events", {"account_id": "other"}, "order_events_account"),
    ("raw_trading.order_events", {"seq": 0}, "order_events_first_has_no_from"),
    ("raw_trading.order_events", {"event_type": "vanished"}, "order_events_type"),
    ("raw_trading.order_events", {"to_status": "filled"}, "cannot become filled"),
    ("raw_trading.order_events", {"details": "1"}, "order_events_details_is_object"),
    ("raw_trading.fills", {"quantity": 0}, "quantity_is_positive"),
    ("raw_trading.fills", {"quantity": -40}, "quantity_is_positive"),
    ("raw_trading.fills", {"price": 0}, "price 0 of X is not positive"),
    ("raw_trading.fills", {"price": -37.63}, "price -37.63"),
    ("raw_trading.fills", {"side": "sell"}, "fill f: sell of X on account a"),
    ("raw_trading.fills", {"symbol": "Y"}, "fill f: buy of Y"),
    ("raw_trading.fills", {"account_id": "other", "tenant_id": "other"}, "on account other"),
    ("raw_trading.fills", {"tenant_id": "other"}, "fills_account"),
    ("raw_trading.fills", {"order_id": "nobody"}, "fills_order"),
    ("raw_trading.fills", {"strategy_id": "nobody"}, "fills_strategy"),
    ("raw_trading.fills", {"venue": "NYSE1"}, "fills_venue_is_mic"),
    ("raw_trading.fills", {"liquidity": "some"}, "fills_liquidity_known"),
    ("raw_trading.fills", {"is_cancel": True}, "fills_cancel_names_fill"),
    ("raw_trading.fills", {"corrects_fill_id": "nobody"}, "fills_corrected"),
    ("raw_trading.fills", {"corrects_fill_id": "f"}, "fills_not_own_correction"),
    ("raw_trading.fills", {"quantity": 100.0000000001}, "order o (pending): fills of"),
    ("raw_trading.fills", {"timestamp": None}, "null value"),
    ("raw_trading.fills", {"order_id": "refused"}, "order refused (rejected)"),
    ("raw_trading.cash_movements", {"amount": 0}, "cash_movements_sign"),
    ("raw_trading.cash_movements", {"amount": -1}, "cash_movements_sign"),
    ("raw_trading.cash_movements", {"kind": "fee"}, "cash_movements_sign"),
    ("raw_trading.cash_movements", {"kind": "payout"}, "cash_movements_sign"),
    ("raw_trading.cash_movements", {"kind": "gift"}, "cash_movements_kind_known"),
    ("raw_trading.cash_movements", {"reverses_movement_id": "nobody"}, "cash_movements_reversed"),
    ("raw_trading.portfolio_snapshots", {"risk_frac": 2.5}, "fraction_is_between_0_and_1"),
    ("raw_trading.portfolio_snapshots", {"drawdown_frac": -0.1}, "fraction_is_between_0_and_1"),
    ("raw_trading.portfolio_snapshots", {"net_exposure": 501}, "net_within_gross"),
    ("raw_trading.portfolio_snapshots", {"strategy_id": "nobody"}, "portfolio_snapshots_strategy"),
    ("raw_trading.portfolio_snapshots", {"revision": -1}, "revision_not_negative"),
    ("raw_signals.agents", {"agent_type": "secret"}, "agents_type_known"),
    ("raw_signals.signals", {"agent_id": "nobody"}, "signals_agent"),
    ("raw_signals.signals", {"horizon": 0}, "signals_horizon_positive"),
    ("raw_signals.signals", {"strength": 1.01}, "fraction_is_between_0_and_1"),
    ("raw_signals.signals", {"direction": "up"}, "invalid input value for enum"),
    ("raw_signals.signals", {"explanation": '["because"]'}, "signals_explanation_is_object"),
    ("raw_signals.signals", {"explanation": '{"a": NaN}'}, "invalid input syntax for type json"),
    ("raw_signals.fusion_inputs", {"fused_id": "nobody"}, "fusion_inputs_fused"),
    ("raw_risk.risk_limits", {"threshold": 10}, "risk_limits_fraction_between_0_and_1"),
    ("raw_risk.risk_limits", {"warn_at": 0.11}, "risk_limits_warning_before_breach"),
    ("raw_risk.risk_limits", {"version": 2}, "limit l2: version 2 without version 1"),
    ("raw_risk.risk_limits", {"account_id": "nobody"}, "risk_limits_account"),
    ("raw_risk.risk_alert_events", {"limit_version": 2}, "risk_alert_events_limit"),
    ("raw_risk.risk_alert_events", {"limit_version": None}, "limit_with_version"),
    ("raw_risk.risk_alert_events", {"status": "acknowledged"}, "acknowledged_by"),
    ("raw_risk.risk_alert_events", {"status": "resolved"}, "a new alert cannot become resolved"),
    ("raw_risk.risk_alert_events", {"seq": 2}, "alert r: event 2 without event 1"),
    ("raw_risk.risk_alert_events", {"tenant_id": "other"}, "risk_alert_events_account"),
    ("raw_backtest.backtest_runs", {"n_trials": 0}, "backtest_runs_trials_positive"),
    ("raw_backtest.backtest_runs", {"range_end": "2020-01-01Z"}, "backtest_runs_range_not_empty"),
    ("raw_backtest.backtest_runs", {"status": "failed"}, "backtest_runs_finished_at"),
    (
        "raw_backtest.backtest_runs",
        {"status": "completed", "finished_at": AT},
        "backtest_runs_completed_has_metrics",
    ),
    ("raw_backtest.backtest_trades", {"run_id": "nobody"}, "backtest_trades_run"),
    ("raw_backtest.backtest_trades", {"timestamp": "2021-06-01Z"}, "outside of the range"),
    ("raw_backtest.backtest_trades", {"price": -1}, "run t, trade 1: price -1"),
    ("raw_backtest.backtest_trades", {"trade_no": 0}, "backtest_trades_no_positive"),
]


@contextmanager
def prepared() -> Iterator[psycopg.Connection]:
    """Connect to a database with what the good rows refer to."""
    with db.connect(autocommit=True) as session:
        session.execute("insert into raw_trading.strategies (strategy_id, name) values ('s', 'S')")
        session.execute(
            "insert into raw_trading.accounts (account_id, currency, tenant_id)"
            " values ('a', 'USD', 'house'), ('other', 'USD', 'other')"
        )
        session.execute(
            "insert into raw_trading.orders"
            " (order_id, account_id, symbol, side, quantity, status, client_order_id)"
            " values ('o', 'a', 'X', 'buy', 100, 'pending', 'once'),"
            " ('refused', 'a', 'X', 'buy', 100, 'rejected', null)"
        )
        session.execute("insert into raw_signals.agents (agent_id, name) values ('g', 'G')")
        insert(session, "raw_signals.fused_signals", fused_id="u")
        insert(session, "raw_risk.risk_limits", limit_id="l")
        insert(session, "raw_backtest.backtest_runs", run_id="t")
        yield session


def insert(conn: psycopg.Connection, table: str, **changes: object) -> None:
    """Insert the good row of a table, with changes."""
    put(conn, table, **(GOOD[table] | changes))


def put(conn: psycopg.Connection, table: str, **row: object) -> None:
    """Insert one row."""
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(["%s"] * len(row))
    conn.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def position(conn: psycopg.Connection, symbol: str = "X") -> tuple[object, ...]:
    row = conn.execute(
        "select quantity, average_cost, realised_pnl, commission, fills"
        " from raw_trading.positions_live where symbol = %s",
        [symbol],
    ).fetchone()
    assert row is not None
    return row


def assert_positions_hold(conn: psycopg.Connection) -> None:
    """Compare the kept positions with those folded from all fills, to the last digit."""
    columns = "account_id, symbol, quantity, cost, realised_pnl, commission, fills"
    wrong = conn.execute(
        f"select {columns} from raw_trading.positions_live where fills > 0"
        f" except select {columns} from raw_trading.positions_expected"
    ).fetchall()
    missing = conn.execute(
        f"select {columns} from raw_trading.positions_expected"
        f" except select {columns} from raw_trading.positions_live"
    ).fetchall()
    assert (wrong, missing) == ([], [])
    # What was earned less what is still held is the money that came in and went out.
    unbalanced = conn.execute(
        """
        select account_id, symbol from raw_trading.positions_live as p
        where p.realised_pnl - p.cost <> (
            select coalesce(sum(round(
                case t.side when 'buy' then -t.quantity else t.quantity end * t.price, 10
            )), 0)
            from raw_trading.trades as t
            where (t.account_id, t.symbol) = (p.account_id, p.symbol)
        )
        """
    ).fetchall()
    assert unbalanced == []


def trade(conn: psycopg.Connection, fill_id: str, side: str, quantity: object, price: object,
          minute: int = 0, **more: object) -> None:  # fmt: skip
    """Insert a fill without an order."""
    row = {"fill_id": fill_id, "account_id": "a", "symbol": "X", "side": side, "price": price}
    at = CLOCK + timedelta(minutes=minute)
    put(conn, "raw_trading.fills", **row, quantity=quantity, timestamp=at, **more)
