"""State machines of orders, alerts and backtests: every state to every other; strict numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.errors import CheckViolation, SerializationFailure, UniqueViolation

from trading_rows import AT, insert, prepared, put
from warehouse import database as db

ORDER = ("pending", "accepted", "partially_filled", "filled", "cancelled", "rejected", "expired")
ORDER_MAY = {
    None: {"pending", "accepted"},
    "pending": set(ORDER) - {"pending"},
    "accepted": set(ORDER) - {"pending", "accepted"},
    "partially_filled": {"filled", "cancelled", "expired"},
    "filled": set(),
    "cancelled": set(),
    "rejected": set(),
    "expired": set(),
}
ALERT = ("open", "acknowledged", "resolved")
RUN = ("queued", "running", "completed", "failed", "cancelled")
RUN_MAY = {
    "queued": {"running", "failed", "cancelled"},
    "running": {"completed", "failed", "cancelled"},
}


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with prepared() as session:
        yield session


def refused(conn: psycopg.Connection, act: Callable[[], None], message: str) -> bool:
    """Try it and take it back; a refusal must say what it refuses."""
    said = None
    try:
        with conn.transaction(force_rollback=True):
            act()
    except CheckViolation as error:
        said = str(error)
    assert said is None or message in said, said
    return said is not None


def test_orders_change_as_their_states_allow(conn: psycopg.Connection) -> None:
    for before in ORDER:
        insert(conn, "raw_trading.orders", order_id=before, status=before)
        for after in ORDER:

            def change(before: str = before, after: str = after) -> None:
                conn.execute(
                    "update raw_trading.orders set status = %s where order_id = %s", [after, before]
                )

            allowed = after == before or after in ORDER_MAY[before]
            message = f"order {before}: {before} cannot become {after}"
            assert refused(conn, change, message) is not allowed, (before, after)


# A legal road to every state, as events.
ROADS = {
    "pending": ["pending"],
    "accepted": ["pending", "accepted"],
    "partially_filled": ["pending", "partially_filled"],
    "filled": ["pending", "filled"],
    "cancelled": ["pending", "cancelled"],
    "rejected": ["pending", "rejected"],
    "expired": ["pending", "expired"],
}


def event(conn: psycopg.Connection, order: str, status: str, **more: object) -> None:
    """Append the next event of an order."""
    row = {"order_id": order, "event_type": status, "to_status": status, "event_at": AT} | more
    put(conn, "raw_trading.order_events", **row)


def place(conn: psycopg.Connection, order: str, status: str = "pending") -> None:
    insert(conn, "raw_trading.orders", order_id=order)
    event(conn, order, "pending", event_type="placed")
    for step in ROADS[status][1:]:
        event(conn, order, step)


def test_events_of_orders_follow_the_same_states(conn: psycopg.Connection) -> None:
    for first in ORDER:
        insert(conn, "raw_trading.orders", order_id=f"new {first}")
        kind = "placed" if first == "pending" else first

        def begin(first: str = first, kind: str = kind) -> None:
            event(conn, f"new {first}", first, event_type=kind)

        allowed = first in ORDER_MAY[None]
        assert refused(conn, begin, f"a new order cannot become {first}") is not allowed

    for before in ORDER:
        place(conn, before, before)
        for after in ORDER:
            kind = "fill_corrected" if after == "pending" else after

            def change(before: str = before, after: str = after, kind: str = kind) -> None:
                event(conn, before, after, event_type=kind)

            # A second partial fill is an event, though no change of status.
            partial = before == after == "partially_filled"
            allowed = partial or after in ORDER_MAY[before]
            message = "order_events_type_fits_status" if after == "pending" else "cannot become"
            assert refused(conn, change, message) is not allowed, (before, after)


def test_only_a_correction_takes_an_order_back_from_filled(conn: psycopg.Connection) -> None:
    place(conn, "x", "filled")
    event(conn, "x", "partially_filled", event_type="fill_corrected")
    event(conn, "x", "partially_filled", event_type="note")
    event(conn, "x", "accepted", event_type="fill_corrected")
    with pytest.raises(CheckViolation, match="order_events_type_fits_status"):
        event(conn, "x", "filled", event_type="amended")


def test_events_come_in_strict_order(conn: psycopg.Connection) -> None:
    place(conn, "x")
    with pytest.raises(CheckViolation, match="order x: event 3 without event 2"):
        event(conn, "x", "filled", seq=3, from_status="accepted")
    with pytest.raises(CheckViolation, match="order x: event 2 says it was accepted, but it was p"):
        event(conn, "x", "filled", seq=2, from_status="accepted")
    # In one statement they may come in any order.
    conn.execute(
        "insert into raw_trading.order_events"
        " (order_id, account_id, seq, event_type, from_status, to_status, event_at) values"
        " ('x', 'a', 3, 'filled', 'accepted', 'filled', now()),"
        " ('x', 'a', 2, 'accepted', 'pending', 'accepted', now())"
    )
    with pytest.raises(UniqueViolation):
        event(conn, "x", "accepted", seq=2, from_status="pending")
    with pytest.raises(CheckViolation, match="names account other, the order is of a"):
        event(conn, "x", "filled", event_type="note", account_id="other", tenant_id="other")


def test_alerts_only_go_forward(conn: psycopg.Connection) -> None:
    table = "raw_risk.risk_alert_events"

    def change(alert: str, status: str) -> None:
        insert(conn, table, alert_id=alert, status=status, seq=None, actor="me")

    for first in ALERT:
        wanted = f"alert {first}: a new alert cannot become {first}"
        assert refused(conn, lambda first=first: change(first, first), wanted) is (first != "open")
    for at, before in enumerate(ALERT):
        for status in sorted({"open", before}, key=ALERT.index):
            change(before, status)
        for to, after in enumerate(ALERT):
            wanted = f"alert {before}: {before} cannot become {after}"

            def forward(before: str = before, after: str = after) -> None:
                change(before, after)

            assert refused(conn, forward, wanted) is (to <= at), (before, after)


def test_the_view_has_every_alert_as_it_is_now(conn: psycopg.Connection) -> None:
    table = "raw_risk.risk_alert_events"
    insert(conn, table)
    insert(conn, table, alert_id="q", severity="low")
    insert(conn, table, seq=2, status="acknowledged", actor="ada", event_at="2024-01-02 15:05Z")
    now = "select status::text, acknowledged_by, resolved_by from raw_risk.risk_alerts"
    assert conn.execute(f"{now} where alert_id = 'r'").fetchone() == ("acknowledged", "ada", None)
    insert(conn, table, seq=3, status="resolved", severity="low", actor="bo", limit_id=None,
           limit_version=None)  # fmt: skip
    assert conn.execute(f"{now} where alert_id = 'r'").fetchone() == ("resolved", "ada", "bo")
    rows = conn.execute(
        "select alert_id, severity::text, first_severity::text, limit_id, resolved_at is null"
        " from raw_risk.risk_alerts order by alert_id"
    ).fetchall()
    assert rows == [("q", "low", "low", "l", True), ("r", "low", "high", "l", False)]


def test_limits_are_versions(conn: psycopg.Connection) -> None:
    table = "raw_risk.risk_limits"
    second = {"limit_id": "l", "version": 2, "valid_from": "2025-01-01Z"}
    for wrong, message in (
        ({"version": 3}, "version 3 without version 2"),
        ({"valid_from": AT}, "version 2 is not valid from later"),
        ({"metric": "daily_loss"}, "version 2 measures something else"),
    ):
        with pytest.raises(CheckViolation, match=message):
            insert(conn, table, **(second | wrong))
    insert(conn, table, **second, threshold=0.2)


def test_backtests_change_as_their_states_allow(conn: psycopg.Connection) -> None:
    table = "raw_backtest.backtest_runs"
    ended = {"completed", "failed", "cancelled"}
    for before in RUN:
        at = AT if before in ended else None
        insert(conn, table, run_id=before, status=before, finished_at=at, metrics="{}")
        for after in RUN:

            def change(before: str = before, after: str = after, at: str | None = at) -> None:
                conn.execute(
                    f"update {table} set status = %s, finished_at = %s where run_id = %s",
                    [after, at or (AT if after in ended else None), before],
                )

            allowed = after == before or after in RUN_MAY.get(before, set())
            message = f"run {before}: {before} cannot become {after}"
            assert refused(conn, change, message) is not allowed, (before, after)


def test_a_run_that_ended_is_not_made_better(conn: psycopg.Connection) -> None:
    conn.execute("update raw_backtest.backtest_runs set status = 'running' where run_id = 't'")
    conn.execute(
        "update raw_backtest.backtest_runs"
        " set status = 'completed', finished_at = now(), metrics = '{\"sharpe\": 1}'"
    )
    for change in ("metrics = '{\"sharpe\": 3}'", "n_trials = 2", "range_start = '2020-02-01Z'"):
        with pytest.raises(psycopg.errors.RestrictViolation, match="run t has ended"):
            conn.execute(f"update raw_backtest.backtest_runs set {change}")


def test_a_stale_version_is_refused(conn: psycopg.Connection) -> None:
    def become(status: str, version: int) -> int:
        return conn.execute(
            "update raw_trading.orders set status = %s, version = version + 1"
            " where order_id = 'o' and version = %s",
            [status, version],
        ).rowcount

    assert become("accepted", 1) == 1
    assert become("cancelled", 1) == 0
    conn.execute("update raw_trading.orders set status = 'cancelled' where order_id = 'o'")
    assert conn.execute(
        "select version from raw_trading.orders where order_id = 'o'"
    ).fetchone() == (3,)
    with pytest.raises(SerializationFailure, match="version is 3, not 1"):
        conn.execute("update raw_trading.orders set version = 2 where order_id = 'o'")


def race(*acts: Callable[[psycopg.Connection], None]) -> list[BaseException]:
    """Let sessions do something at the same time; return what went wrong."""
    start = threading.Barrier(len(acts))
    errors: list[BaseException] = []

    def run(act: Callable[[psycopg.Connection], None]) -> None:
        try:
            with db.connect(autocommit=True) as session:
                start.wait()
                act(session)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_two_sessions_number_events_without_gaps(conn: psycopg.Connection) -> None:
    place(conn, "x", "accepted")
    insert(conn, "raw_risk.risk_alert_events")

    def note(session: psycopg.Connection) -> None:
        for _ in range(25):
            event(session, "x", "accepted", event_type="note")

    assert race(note, note) == []
    assert conn.execute(
        "select count(*), min(seq), max(seq) from raw_trading.order_events where order_id = 'x'"
    ).fetchone() == (52, 1, 52)

    def resolve(session: psycopg.Connection) -> None:
        insert(session, "raw_risk.risk_alert_events", seq=None, status="resolved")

    errors = race(resolve, resolve)
    assert [type(error) for error in errors] == [CheckViolation]
    assert conn.execute("select count(*) from raw_risk.risk_alert_events").fetchone() == (2,)


def test_two_sessions_take_one_change_of_an_order_each(conn: psycopg.Connection) -> None:
    def cancel(session: psycopg.Connection) -> None:
        session.execute("update raw_trading.orders set status = 'cancelled' where order_id = 'o'")

    def reject(session: psycopg.Connection) -> None:
        session.execute("update raw_trading.orders set status = 'rejected' where order_id = 'o'")

    errors = race(cancel, reject)
    assert [type(error) for error in errors] == [CheckViolation]
    assert conn.execute(
        "select version from raw_trading.orders where order_id = 'o'"
    ).fetchone() == (2,)
