"""Positions by average cost: whatever order fills come in, and whoever writes at the same time."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import polars as pl
import psycopg
import pytest

from trading_rows import CLOCK, assert_positions_hold, position, prepared, trade
from warehouse import database as db

FILLS = "raw_trading.fills"


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with prepared() as session:
        yield session


def test_a_position_by_average_cost(conn: psycopg.Connection) -> None:
    trade(conn, "1", "buy", 100, 10, 1, commission=1)
    trade(conn, "2", "buy", 100, 20, 2, commission=1)
    assert position(conn) == (200, 15, 0, 2, 2)
    trade(conn, "3", "sell", 50, 18, 3, commission=Decimal("-0.5"))
    assert position(conn) == (150, 15, 150, Decimal("1.5"), 3)
    trade(conn, "4", "sell", 250, 17, 4)  # through flat: 150 closed, 100 short
    assert position(conn) == (-100, 17, 450, Decimal("1.5"), 4)
    trade(conn, "5", "buy", 100, 20, 5)
    assert position(conn) == (0, None, 150, Decimal("1.5"), 5)
    assert conn.execute("select count(*) from raw_trading.positions").fetchone() == (0,)
    # A purchase before all of them, known only now.
    trade(conn, "6", "buy", 100, 16, 0)
    assert position(conn)[0] == 100
    assert_positions_hold(conn)


def test_of_fills_at_the_same_time_the_first_to_come_counts_first(conn: psycopg.Connection) -> None:
    trade(conn, "z", "buy", 1, 10)
    trade(conn, "y", "buy", 1, 20)
    trade(conn, "x", "sell", 2, 30)
    trade(conn, "w", "sell", 1, 40)
    assert position(conn) == (-1, 40, 30, 0, 4)
    assert_positions_hold(conn)


def test_nobody_writes_a_position_but_its_fills(conn: psycopg.Connection) -> None:
    trade(conn, "1", "buy", 1, 10)
    for statement in (
        "insert into raw_trading.positions_live (account_id, symbol, quantity, cost, realised_pnl,"
        " commission, fills) values ('a', 'Y', 1, 1, 0, 0, 1)",
        "update raw_trading.positions_live set quantity = 2",
        "delete from raw_trading.positions_live",
        "truncate raw_trading.positions_live",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation, match="kept by the fills"):
            conn.execute(statement)


@dataclass
class Execution:
    """What the oracle knows of a fill."""

    fill_id: str
    side: str
    quantity: Decimal
    price: Decimal
    minute: int


def average_cost(executions: list[Execution]) -> tuple[Fraction, Fraction, Fraction]:
    """Quantity, cost and profit, in exact fractions."""
    held, cost, realised = Fraction(0), Fraction(0), Fraction(0)
    for e in executions:
        quantity = Fraction(e.quantity) * (1 if e.side == "buy" else -1)
        price = Fraction(e.price)
        closing = min(abs(quantity), abs(held)) if held * quantity < 0 else Fraction(0)
        if closing:
            share = cost * closing / abs(held)
            gain = closing * price * (1 if held > 0 else -1) - share
            realised, cost = realised + gain, cost - share
        held += quantity
        opened = abs(quantity) - closing
        cost += opened * price * (1 if quantity > 0 else -1)
    return held, cost, realised


@pytest.mark.parametrize("seed", range(6))
def test_positions_are_right_however_fills_come(conn: psycopg.Connection, seed: int) -> None:
    """Random batches: late, at equal times, flips, corrections and cancellations."""
    dice = random.Random(seed)  # noqa: S311  reproducible, nothing secret
    alive: dict[str, list[Execution]] = {"X": [], "Y": []}
    clock = 0
    names = iter(range(10_000))
    for _ in range(25):
        rows: list[dict[str, object]] = []
        for _ in range(dice.randint(1, 12)):
            symbol = dice.choice("XY")
            name, clock = f"f{next(names)}", clock + dice.randint(0, 1)
            of_symbol = alive[symbol]
            made = Execution(
                name,
                dice.choice(["buy", "sell"]),
                Decimal(dice.randint(1, 10**6)) / dice.choice([1, 1000, 10**6]),
                Decimal(dice.randint(1, 10**7)) / 10**4,
                clock if dice.random() < 0.8 else dice.randint(0, clock),
            )
            row: dict[str, object] = {}
            if of_symbol and dice.random() < 0.2:
                wrong = of_symbol.pop(dice.randrange(len(of_symbol)))
                row = {"corrects_fill_id": wrong.fill_id}
                made.side = wrong.side
                if dice.random() < 0.5:
                    made.quantity, made.price = wrong.quantity, wrong.price
                    row["is_cancel"] = True
            if "is_cancel" not in row:
                of_symbol.append(made)
            rows.append({
                "fill_id": name, "account_id": "a", "symbol": symbol, "side": made.side,
                "quantity": made.quantity, "price": made.price, "commission": dice.randint(-2, 5),
                "timestamp": CLOCK + timedelta(minutes=made.minute),
                "corrects_fill_id": row.get("corrects_fill_id"),
                "is_cancel": row.get("is_cancel", False),
            })  # fmt: skip
        names_of = ", ".join(f'"{column}"' for column in rows[0])
        marks = ", ".join(["(" + ", ".join(["%s"] * len(rows[0])) + ")"] * len(rows))
        values = [value for r in rows for value in r.values()]
        conn.execute(f"insert into {FILLS} ({names_of}) values {marks}", values)
    assert_positions_hold(conn)
    for symbol, executions in alive.items():
        executions.sort(key=lambda e: (e.minute, int(e.fill_id[1:])))
        kept = conn.execute(
            "select quantity, cost, realised_pnl from raw_trading.positions_live where symbol = %s",
            [symbol],
        ).fetchone()
        assert kept is not None
        for is_, must in zip(kept, average_cost(executions), strict=True):
            assert abs(Fraction(is_) - must) < Fraction(1, 10**8)


def test_sessions_that_fill_several_accounts_do_not_lock_each_other_out(
    conn: psycopg.Connection,
) -> None:
    conn.execute(
        "insert into raw_trading.accounts (account_id, currency)"
        " select 'n' || n, 'USD' from generate_series(1, 20) as n"
    )
    errors: list[BaseException] = []

    def fill(name: str, direction: str) -> None:
        try:
            with db.connect(autocommit=True) as session:
                for number in range(10):
                    session.execute(
                        f"insert into {FILLS}"
                        " (fill_id, account_id, symbol, side, quantity, price, timestamp)"
                        " select %s || n, 'n' || n, 'X', 'buy', 1, 1, now()"
                        f" from generate_series(1, 20) as n order by n {direction}",
                        [f"{name}{number}."],
                    )
        except psycopg.Error as error:
            errors.append(error)

    threads = [
        threading.Thread(target=fill, args=["p", "asc"]),
        threading.Thread(target=fill, args=["q", "desc"]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert_positions_hold(conn)


def test_the_fills_of_a_real_backtest(conn: psycopg.Connection, shared_data: Path) -> None:
    """pyfolio's example: what is held and what was paid must be the sums of its file."""
    frame = pl.read_parquet(shared_data / "fills_pyfolio.parquet").filter(pl.col("amount") != 0)
    with conn.cursor().copy(
        f"copy {FILLS} (fill_id, account_id, symbol, side, quantity, price, timestamp) from stdin"
    ) as copy:
        for number, (at, amount, price, symbol) in enumerate(
            frame.select("ts", "amount", "price", "symbol").iter_rows()
        ):
            side = "buy" if amount > 0 else "sell"
            copy.write_row((f"p{number}", "a", symbol, side, abs(amount), price, at))
    must = frame.group_by("symbol").agg(
        pl.col("amount").sum(), pl.col("txn_dollars").sum(), pl.len().alias("fills")
    )
    kept = conn.execute(
        "select symbol, quantity, realised_pnl - cost, fills from raw_trading.positions_live"
    ).fetchall()
    assert len(kept) == len(must)
    for symbol, amount, dollars, fills in must.iter_rows():
        row = next(r for r in kept if r[0] == symbol)
        assert (row[1], row[3]) == (amount, fills)
        assert float(row[2]) == pytest.approx(dollars, rel=1e-9, abs=1e-3)
    assert_positions_hold(conn)
