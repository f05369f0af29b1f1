"""Fills: what they move of their order, what they must agree with, and what corrects them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from psycopg.errors import CheckViolation, UniqueViolation

from trading_rows import AT, CLOCK, assert_positions_hold, insert, position, prepared, put, trade
from warehouse import database as db

FILLS = "raw_trading.fills"


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with prepared() as session:
        yield session


def order(conn: psycopg.Connection, order_id: str = "o") -> tuple[object, ...]:
    row = conn.execute(
        "select status::text, filled_quantity, remaining_quantity, average_fill_price"
        " from raw_trading.orders where order_id = %s",
        [order_id],
    ).fetchone()
    assert row is not None
    return row


def test_fills_move_their_order(conn: psycopg.Connection) -> None:
    put(conn, FILLS, fill_id="1", order_id="o", quantity=40, price=10, timestamp=AT)
    assert order(conn) == ("partially_filled", 40, 60, 10)
    put(conn, FILLS, fill_id="2", order_id="o", quantity=60, price=11, timestamp=AT)
    assert order(conn) == ("filled", 100, 0, Decimal("10.6"))
    with pytest.raises(CheckViolation, match=r"order o \(filled\): fills of 101 against 100"):
        put(conn, FILLS, fill_id="3", order_id="o", quantity=1, price=11, timestamp=AT)
    assert conn.execute(
        "select version from raw_trading.orders where order_id = 'o'"
    ).fetchone() == (3,)


def test_what_the_fills_say_of_an_order_is_not_said_by_others(conn: psycopg.Connection) -> None:
    put(conn, FILLS, fill_id="1", order_id="o", quantity=40, price=10, timestamp=AT)
    with pytest.raises(CheckViolation, match="its fills come to 40 at 10, not to 50 at 10"):
        conn.execute("update raw_trading.orders set filled_quantity = 50 where order_id = 'o'")
    with pytest.raises(CheckViolation, match="fills of 40 against 39 ordered"):
        conn.execute("update raw_trading.orders set quantity = 39 where order_id = 'o'")
    for change in ("symbol = 'Y'", "side = 'sell'", "account_id = 'other'", "order_id = 'p'"):
        with pytest.raises(psycopg.errors.RestrictViolation, match="stay as they were placed"):
            conn.execute(f"update raw_trading.orders set {change} where order_id = 'o'")


def test_late_fills_leave_a_status_that_is_further(conn: psycopg.Connection) -> None:
    conn.execute("update raw_trading.orders set status = 'filled' where order_id = 'o'")
    insert(conn, "raw_trading.orders", order_id="c", status="cancelled")
    for name in ("o", "c"):
        put(conn, FILLS, fill_id=name, order_id=name, quantity=40, price=10, timestamp=AT)
    assert order(conn) == ("filled", 40, 60, 10)
    assert order(conn, "c") == ("cancelled", 40, 60, 10)


def test_a_corrected_fill_counts_in_place_of_the_wrong_one(conn: psycopg.Connection) -> None:
    put(conn, FILLS, fill_id="1", order_id="o", quantity=100, price=10, timestamp=AT)
    fix = {"fill_id": "2", "corrects_fill_id": "1", "timestamp": AT}
    put(conn, FILLS, **fix, quantity=90, price=11)
    assert order(conn) == ("partially_filled", 90, 10, 11)
    assert position(conn) == (90, 11, 0, 0, 1)
    with pytest.raises(UniqueViolation, match="fills_corrected_once"):
        put(conn, FILLS, **(fix | {"fill_id": "3"}))
    # The correction is corrected, to what it was.
    put(conn, FILLS, fill_id="3", corrects_fill_id="2", quantity=100, price=10, timestamp=AT)
    assert order(conn) == ("filled", 100, 0, 10)
    bust = {"fill_id": "4", "corrects_fill_id": "3", "is_cancel": True, "timestamp": AT}
    with pytest.raises(CheckViolation, match="fill 4: takes back 99 at 10, but 3 was 100 at 10"):
        put(conn, FILLS, **bust, quantity=99)
    put(conn, FILLS, **bust)
    assert order(conn) == ("accepted", 0, 100, None)
    assert position(conn) == (0, None, 0, 0, 0)
    assert conn.execute("select count(*) from raw_trading.trades").fetchone() == (0,)
    with pytest.raises(CheckViolation, match="fill 5: 4 is a cancellation"):
        put(conn, FILLS, fill_id="5", corrects_fill_id="4", timestamp=AT)
    put(conn, FILLS, fill_id="5", order_id="o", quantity=100, price=12, timestamp=AT)
    assert order(conn) == ("filled", 100, 0, 12)
    assert position(conn) == (100, 12, 0, 0, 1)
    assert_positions_hold(conn)


@pytest.mark.parametrize("change", [{"side": "sell"}, {"symbol": "Y"}, {"currency": "EUR"}])
def test_a_correction_is_about_the_same_thing(
    conn: psycopg.Connection, change: dict[str, object]
) -> None:
    trade(conn, "1", "buy", 10, 10, currency="USD")
    with pytest.raises(CheckViolation, match="fill 2: account, order, symbol, side and currency"):
        put(conn, FILLS, **({"fill_id": "2", "corrects_fill_id": "1", "timestamp": AT} | change))


def test_a_negative_price_lands_where_it_is_real(conn: psycopg.Connection) -> None:
    conn.execute(
        "insert into ref.instruments (symbol, calendar, first_source, allow_negative_price)"
        " values ('CL', 'us_futures', 's', true)"
    )
    conn.execute(
        "insert into ref.symbol_history (symbol, calendar, instrument_id, source)"
        " select 'CL', 'us_futures', instrument_id, 's' from ref.instruments"
    )
    put(conn, FILLS, fill_id="1", account_id="a", symbol="CL", side="buy", quantity=10,
        price=Decimal("-37.63"), timestamp=AT)  # fmt: skip
    assert position(conn, "CL") == (10, Decimal("-37.63"), 0, 0, 1)


def test_two_sessions_fill_one_order_and_one_position(conn: psycopg.Connection) -> None:
    insert(conn, "raw_trading.orders", order_id="big", quantity=200)
    start = threading.Barrier(4)
    errors: list[psycopg.Error] = []

    def fill(name: str) -> None:
        with db.connect(autocommit=True) as session:
            start.wait()
            for number in range(60):
                try:
                    put(session, FILLS, fill_id=f"{name}{number}", order_id="big", quantity=1,
                        price=number + 1, timestamp=CLOCK)  # fmt: skip
                except psycopg.Error as error:
                    errors.append(error)

    threads = [threading.Thread(target=fill, args=[name]) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 40
    assert all("against 200 ordered" in str(error) for error in errors)
    assert order(conn, "big")[:3] == ("filled", 200, 0)
    assert position(conn)[0] == 200
    assert_positions_hold(conn)
