"""What a strategy did live, landed; and what becomes of it by hand."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from backtest_rows import Trade, opens, replayed
from trading_rows import put
from warehouse import database

SCALE = 1e6
"""Capital of a replay of which only the profits are wanted."""


def land_account(
    account: str, *, currency: str = "USD", kind: str = "margin", strategies: Iterable[str] = ("s",)
) -> None:
    """Land an account, and the strategies that are traded on it."""
    with database.connect("tests") as conn:
        put(conn, "raw_trading.accounts", account_id=account, currency=currency, account_type=kind)
        for strategy in strategies:
            conn.execute(
                "insert into raw_trading.strategies (strategy_id, name) values (%s, 'S')"
                " on conflict do nothing",
                [strategy],
            )


def land_fills(
    account: str, trades: Iterable[Trade], *, strategy: str | None = "s", first: int = 1
) -> None:
    """Land fills a minute after the open of their sessions."""
    with database.connect("tests") as conn:
        for number, (symbol, day, units, price, commission) in enumerate(trades, start=first):
            put(
                conn, "raw_trading.fills", fill_id=f"{account} {number}", account_id=account,
                strategy_id=strategy, symbol=symbol, side="buy" if units > 0 else "sell",
                quantity=abs(units), price=price, commission=commission,
                timestamp=opens(day) + pd.Timedelta("1min"),
            )  # fmt: skip


def correct_fill(
    account: str, number: int, trade: Trade | None, *, at: pd.Timestamp | None = None,
    strategy: str = "s",
) -> None:  # fmt: skip
    """Replace a fill by another, or take it back at the open of a session."""
    row: dict[str, object] = {
        "fill_id": f"{account} {number} again", "corrects_fill_id": f"{account} {number}",
        "account_id": account, "strategy_id": strategy,
    }  # fmt: skip
    with database.connect("tests") as conn:
        if trade is None:
            columns = "symbol, side, quantity, price"
            taken = conn.execute(
                f"select {columns} from raw_trading.fills where fill_id = %s".encode(),
                [f"{account} {number}"],
            ).fetchone()
            assert taken is not None
            assert at is not None
            row |= dict(zip(columns.split(", "), taken, strict=True))
            row |= {"is_cancel": True, "timestamp": opens(at)}
        else:
            symbol, day, units, price, commission = trade
            row |= {
                "symbol": symbol, "side": "buy" if units > 0 else "sell", "quantity": abs(units),
                "price": price, "commission": commission,
                "timestamp": opens(day) + pd.Timedelta("1min"),
            }  # fmt: skip
        put(conn, "raw_trading.fills", **row)


def state_capital(
    account: str, at: pd.Timestamp, equity: float, *, strategy: str = "s", revision: int = 0
) -> None:
    """Land what somebody says the strategy, or the account ('') is worth."""
    with database.connect("tests") as conn:
        put(
            conn, "raw_trading.portfolio_snapshots", account_id=account, strategy_id=strategy,
            snapshot_ts=at, equity=equity, revision=revision,
        )  # fmt: skip


def lived(
    trades: list[Trade], closes: dict[str, pd.Series], days: pd.DatetimeIndex,
    statements: list[tuple[pd.Timestamp, float]],
    splits: dict[str, tuple[pd.Timestamp, float]] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return profit, capital, return, traded value and commissions by session."""
    curve, _ = replayed(trades, closes, days, capital=SCALE, splits=splits)
    profit = curve["equity"].diff().fillna(curve["equity"].iloc[0] - SCALE)
    capitals = []
    for number, day in enumerate(days):
        known = [(at, equity) for at, equity in statements if at <= opens(day)]
        if not known:
            capitals.append(float("nan"))
            continue
        at, equity = max(known)
        since = [i for i in range(number) if opens(days[i]) >= at]
        capitals.append(equity + float(profit.iloc[since].sum()))
    traded = pd.Series(0.0, days)
    commissions = pd.Series(0.0, days)
    for _, day, units, price, commission in trades:
        traded[day] += abs(units * price)
        commissions[day] += commission
    capital = pd.Series(capitals, days)
    return pd.DataFrame(
        {
            "profit": profit, "capital": capital, "session_return": profit / capital,
            "traded": traded, "commissions": commissions,
        }
    )  # fmt: skip
